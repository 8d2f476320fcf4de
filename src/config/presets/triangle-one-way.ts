/**
 * Triangle walked one way, with the α form of the leak (κ = γ): the setting in which laps per step show how momentum
 * compresses time (model.md sections 9.3 and 10, nets "A"). Rotating modes diverge below λ ≈ .6, hence λ = .75.
 */
import type { ConfigInput } from "../schema.ts";
import { fourConditions, network, replay, training } from "./common.ts";
import { triangle } from "./triangle.ts";

export const triangleOneWay = {
  ...triangle,
  name: "triangle-one-way",
  rnn: { ...network, units: 128, leak: 0.2, gain: 0.2, noiseStd: 0.01 },
  task: { ...triangle.task, maskEvery: 10, directions: "oneWay" },
  train: { ...training, batch: 64, iterations: 1800 },
  replay: {
    ...replay,
    steps: 240,
    conditions: fourConditions(0.75, 0.05, 150),
  },
} satisfies ConfigInput;
