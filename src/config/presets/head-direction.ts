/**
 * The predecessor's head direction: white angular velocity, both ways, von Mises cells of spread π/6 on a ring. Every input
 * is visible, as there: a hidden turn says nothing of itself afterwards. Without cells, (cos, sin) read out linearly
 * shrinks to the middle of the ring under adaptation.
 */
import type { ConfigInput } from "../schema.ts";
import { fourConditions, network, replay, training } from "./common.ts";

export const headDirection = {
  name: "head-direction",
  seed: 1,
  seeds: [0, 1, 2],
  networks: [],
  rnn: network,
  task: {
    kind: "headDirection",
    steps: 60,
    maskEvery: 1,
    maskOffset: "random",
    cells: { count: 64, layout: "ring", centres: [], file: "", seed: 1, width: Math.PI / 6, tuning: "gaussian" },
    input: "displacement",
    decode: { method: "topK", k: 3 },
    directions: "twoWay",
    dt: 0.02,
    turnStd: (11.52 * 180) / Math.PI,
  },
  train: training,
  test: { trajectories: 1024 },
  replay: { ...replay, steps: 240, conditions: fourConditions(0.6, 0.1, 100) },
} satisfies ConfigInput;
