/** The network and training that most of model.md section 10 shares: κ = .5, γ = 1, σ = .05, k = 5. */
import type { ConfigInput } from "../schema.ts";

export const network = {
  units: 64,
  activation: "relu",
  leakySlope: 0.01,
  leak: 0.5,
  gain: 1,
  noiseStd: 0.05,
  initialGain: null,
} as const satisfies ConfigInput["rnn"];

/** No place cells: the network sees displacements and reads out the position. */
export const noCells = {
  cells: null,
  input: "displacement",
  decode: { method: "topK", k: 3 },
} as const satisfies Partial<ConfigInput["task"]>;

export const training = {
  batch: 48,
  iterations: 1400,
  learningRate: 1e-3,
  finalLearningRate: 1e-4,
  clipNorm: 1,
  l2Activity: 0,
  friction: 1,
  adaptStrength: 0,
  adaptTau: 100,
  noiseRounds: 7,
  precision: "f32",
} as const satisfies ConfigInput["train"];

export const replay = {
  steps: 500,
  repeats: 96,
  start: "encoded",
  noiseScale: Math.SQRT2,
  noiseFriction: true,
  pairedNoise: true,
  saveEvery: 1,
  saveStates: false,
  saveCode: false,
} as const satisfies ConfigInput["replay"];

/** The four replays that every comparison of the paper needs. */
export function fourConditions(friction: number, adaptStrength: number, adaptTau: number) {
  return {
    plain: {},
    adaptation: { adaptStrength, adaptTau },
    momentum: { friction },
    both: { friction, adaptStrength, adaptTau },
  };
}
