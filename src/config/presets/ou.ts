/** Ornstein–Uhlenbeck path: the network's drift against the score in closed form (model.md sections 6 and 9.2). */
import type { ConfigInput } from "../schema.ts";
import { network, noCells, replay, training } from "./common.ts";

export const ou = {
  name: "ou",
  seed: 1,
  seeds: [0, 1],
  networks: [],
  rnn: { ...network, units: 48 },
  task: {
    kind: "ou",
    steps: 60,
    maskEvery: 5,
    maskOffset: "random",
    ...noCells,
    start: [0.8, 0],
    startStd: 0.05,
    pull: 0.05,
    pathStd: 0.15,
  },
  train: { ...training, iterations: 900 },
  test: { trajectories: 1024 },
  replay: {
    ...replay,
    steps: 240,
    conditions: { plain: {}, momentum: { friction: 0.6 } },
  },
} satisfies ConfigInput;
