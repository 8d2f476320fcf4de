/** Triangle walked both ways: where adaptation explores (model.md sections 9.5 and 10). */
import type { ConfigInput } from "../schema.ts";
import { fourConditions, network, noCells, replay, training } from "./common.ts";

export const triangle = {
  name: "triangle",
  seed: 1,
  seeds: [0, 1, 2],
  networks: [],
  rnn: network,
  task: {
    kind: "triangle",
    steps: 60,
    maskEvery: 5,
    maskOffset: "random",
    ...noCells,
    directions: "twoWay",
    stepLength: (3 * Math.sqrt(3)) / 40,
    speedStd: 0.15,
    jitterStd: 0.03,
    jitterTau: 10,
  },
  train: training,
  test: { trajectories: 1024 },
  replay: { ...replay, steps: 240, conditions: fourConditions(0.5, 0.05, 60) },
} satisfies ConfigInput;
