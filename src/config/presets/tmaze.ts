/** T-maze of model.md section 10: the setting of the held-out check of section 9.5. */
import type { ConfigInput } from "../schema.ts";
import { fourConditions, network, noCells, replay, training } from "./common.ts";

export const tmaze = {
  name: "tmaze",
  seed: 1,
  seeds: [0, 1, 2],
  networks: [],
  rnn: network,
  task: {
    kind: "tmaze",
    steps: 60,
    maskEvery: 5,
    maskOffset: "random",
    ...noCells,
    stepLength: 2.5 / 45,
    speedStd: 0.1,
    jitterStd: 0.03,
    jitterTau: 10,
  },
  train: training,
  test: { trajectories: 1024 },
  replay: { ...replay, conditions: fourConditions(0.6, 0.05, 200) },
} satisfies ConfigInput;
