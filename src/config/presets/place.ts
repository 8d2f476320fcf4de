/**
 * A rat in a box, read out as the activity of place cells: the setting of model.md section 10, and of the held-out check
 * of section 9.5.
 */
import type { ConfigInput } from "../schema.ts";
import { fourConditions, network, replay, training } from "./common.ts";

/** 64 cells on a jittered grid of a box of 1 m × 1 m (RatInABox's motion, faster, so that a path crosses the box). */
export const box = {
  kind: "box",
  steps: 60,
  maskEvery: 5,
  maskOffset: "random",
  width: 1,
  height: 1,
  motion: "ratInABox",
  dt: 0.1,
  substeps: 2,
  burnIn: 20,
  speed: 0.2,
  turnStd: 120,
  turnTau: 0.08,
  speedTau: 0.7,
  wallDistance: 0.1,
  wallStrength: 1,
  thigmotaxis: 0.5,
  wallSlowing: 0.25,
  drift: 0,
  anchor: null,
} as const satisfies ConfigInput["task"];

export const cells = {
  count: 64,
  layout: "jitteredGrid",
  centres: [],
  file: "",
  seed: 1,
  width: 0.12,
  tuning: "gaussian",
} as const;

export const place = {
  name: "place",
  seed: 1,
  seeds: [0, 1, 2],
  networks: [],
  rnn: network,
  task: { ...box, cells, input: "displacement", decode: { method: "topK", k: 3 } },
  train: { ...training, iterations: 1200 },
  test: { trajectories: 1024 },
  replay: { ...replay, steps: 120, conditions: fourConditions(0.6, 0.1, 100) },
} satisfies ConfigInput;
