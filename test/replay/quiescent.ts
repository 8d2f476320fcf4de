/** Replays that the tests share: networks with weights from the reference, or set by hand. */
import type { DeviceBuffer, Gpu } from "../../src/gpu/context.ts";
import type { ModelSpec } from "../../src/kernels/spec.ts";
import type { StepParameters } from "../../src/model/dynamics.ts";
import { type NetworkShape, type NetworkTensors, parameterLayout, TENSOR_NAMES } from "../../src/model/parameters.ts";
import { initialiseReference } from "../../src/reference/initialise.ts";
import { type ReplayOutcome, type ReplayResult, type ReplaySpec, runReplay } from "../../src/replay/replay.ts";
import { uploadWeights } from "../../src/run/weights.ts";
import { tmazeTask } from "../../src/task/paths.ts";
import { expectSameBits, model, step } from "../train/experiments.ts";

/** Step parameters of replay: noise × √2, and × √λ. */
export const quiet = (own: Partial<StepParameters> = {}): StepParameters =>
  step({ noiseScale: Math.SQRT2, noiseFriction: true, ...own });

/** The four replays of model.md section 9, their time constant shortened to what a test can wait for. */
export const FOUR: readonly StepParameters[] = [
  quiet(),
  quiet({ adaptStrength: 0.2, adaptTau: 10 }),
  quiet({ friction: 0.6 }),
  quiet({ friction: 0.6, adaptStrength: 0.2, adaptTau: 10 }),
];

/** Weights as a network starts with, and biases that are not 0. */
export function someWeights(m: ModelSpec, seed: number): NetworkTensors {
  const wide = initialiseReference(m.shape, { initialGain: 0.4, key: [m.rootSeed, seed] });
  const tensors = {} as NetworkTensors;
  for (const name of TENSOR_NAMES) tensors[name] = Float32Array.from(wide[name]);
  for (const name of ["b", "b_out", "b_enc"] as const) {
    tensors[name].forEach((_, i) => {
      tensors[name][i] = 0.1 * Math.cos(i + seed);
    });
  }
  return tensors;
}

/** All weights 0 but the given ones: with gain 0, or no recurrence, every unit is on its own. */
export function freeWeights(shape: NetworkShape, own: Partial<NetworkTensors> = {}): NetworkTensors {
  const { slices } = parameterLayout(shape);
  const tensors = {} as NetworkTensors;
  for (const name of TENSOR_NAMES) {
    const [rows, columns] = slices[name].shape;
    tensors[name] = own[name] ?? new Float32Array(rows * columns);
  }
  return tensors;
}

/** 25 repeats of each condition, 24 steps, N = 16, everything saved. */
export function quiescent(seeds: readonly number[], own: Partial<ReplaySpec> = {}): ReplaySpec {
  const conditions = own.conditions ?? seeds.map(() => FOUR);
  return {
    model: model(16),
    seeds,
    conditions,
    repeats: 25,
    steps: 24,
    saveEvery: 1,
    saveStates: true,
    pairedNoise: true,
    task: tmazeTask(),
    startStates: null,
    kind: "own-row",
    ...own,
  };
}

/** Replays networks with the given weights, or with `someWeights` of their seeds. */
export async function replayed(
  gpu: Gpu,
  spec: ReplaySpec,
  weights: readonly NetworkTensors[] = spec.seeds.map((seed) => someWeights(spec.model, seed)),
  options: Parameters<typeof runReplay>[3] = {},
): Promise<ReplayOutcome> {
  const buffers: Map<string, DeviceBuffer> = uploadWeights(gpu, spec.model, weights);
  try {
    return await runReplay(gpu, spec, buffers, options);
  } finally {
    for (const b of buffers.values()) gpu.destroyBuffer(b);
  }
}

/** The part of network s, of arrays whose first axis is the network. */
export const ofNetwork = (all: Float32Array, networks: number, s: number): Float32Array =>
  all.slice((s * all.length) / networks, ((s + 1) * all.length) / networks);

export function expectSameReplay(what: string, got: ReplayResult | undefined, wanted: ReplayResult | undefined): void {
  if (!got || !wanted) throw new Error(`${what}: a condition is missing`);
  expectSameBits(`${what}: readout`, got.readout, wanted.readout);
  expectSameBits(`${what}: last`, got.last, wanted.last);
  if (got.states && wanted.states) expectSameBits(`${what}: states`, got.states, wanted.states);
}

export function expectSameReplays(what: string, got: ReplayOutcome, wanted: ReplayOutcome): void {
  wanted.conditions.forEach((condition, c) => {
    expectSameReplay(`${what}, condition ${c}`, got.conditions[c], condition);
  });
}
