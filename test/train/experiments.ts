/** Small experiments that the tests of training and replay share, and comparisons of results bit by bit. */
import { expect } from "vitest";
import type { Gpu } from "../../src/gpu/context.ts";
import type { BatchPlan } from "../../src/kernels/batch.ts";
import { type AdapterSpec, adapterSpec, type ModelSpec, modelSpec } from "../../src/kernels/spec.ts";
import type { Activation, StepParameters } from "../../src/model/dynamics.ts";
import { tmazeTask } from "../../src/task/paths.ts";
import type { NetworkSpec, TrainSpec } from "../../src/train/spec.ts";
import { type IterationStats, Trainer, type TrainState } from "../../src/train/trainer.ts";

/** Awake step parameters of model.md section 10: neither momentum nor adaptation. */
export const PLAIN: StepParameters = {
  leak: 0.5,
  gain: 1,
  noiseStd: 0.05,
  noiseScale: 1,
  noiseFriction: false,
  friction: 1,
  adaptStrength: 0,
  adaptTau: 100,
};

export const step = (own: Partial<StepParameters> = {}): StepParameters => ({ ...PLAIN, ...own });

export function network(seed: number, own: Partial<NetworkSpec> = {}): NetworkSpec {
  return {
    seed,
    step: PLAIN,
    maskEvery: 5,
    learningRate: 1e-3,
    finalLearningRate: 1e-4,
    initialGain: 0.5,
    ...own,
  };
}

export function model(
  units: number,
  own: { rootSeed?: number; activation?: Activation; noiseRounds?: number } = {},
): ModelSpec {
  return modelSpec({
    shape: { units, inputs: 2, outputs: 2, encoderInputs: 2 },
    activation: "relu",
    slope: 0.01,
    rootSeed: 11,
    noiseRounds: 7,
    ...own,
  });
}

/** T = 12, B = 40 (two blocks of rows once padded), N = 16; the clip and the activity term are at work. */
export function training(networks: readonly NetworkSpec[], own: Partial<TrainSpec> = {}): TrainSpec {
  return {
    model: model(16),
    networks,
    task: tmazeTask(),
    maskRandom: true,
    steps: 12,
    batch: 40,
    iterations: 6,
    clipNorm: 0.5,
    l2Activity: 0.01,
    kind: "own-row",
    ...own,
  };
}

/** The adapter's own limits, some of them lowered. */
export const limited = (gpu: Gpu, own: Partial<AdapterSpec>): AdapterSpec => ({ ...adapterSpec(gpu), ...own });

export interface Trained {
  readonly stats: readonly IterationStats[];
  readonly state: TrainState;
  readonly batch: BatchPlan;
}

/** Trains from fresh weights; `drive` may run the trainer in pieces. */
export async function trained(
  gpu: Gpu,
  spec: TrainSpec,
  drive: (trainer: Trainer, onStats: (s: IterationStats) => void) => Promise<unknown> = (trainer, onStats) =>
    trainer.run({ onStats }),
): Promise<Trained> {
  const trainer = await Trainer.create(gpu, spec);
  try {
    const stats: IterationStats[] = [];
    await drive(trainer, (s) => stats.push(s));
    return { stats, state: await trainer.state(), batch: trainer.batch };
  } finally {
    trainer.destroy();
  }
}

/** What one network of a training run came to: its weights and moments, and its loss and norm of every iteration. */
export function networkOf(t: Trained, s: number): Readonly<Record<string, Float32Array>> {
  const stride = t.state.weights.length / t.state.status.length;
  const own = (all: Float32Array) => all.slice(s * stride, (s + 1) * stride);
  return {
    weights: own(t.state.weights),
    moment1: own(t.state.moment1),
    moment2: own(t.state.moment2),
    losses: Float32Array.from(t.stats, (i) => i.loss[s] as number),
    gradNorms: Float32Array.from(t.stats, (i) => i.gradNorm[s] as number),
  };
}

/** How many words differ, and the first of them: short enough to print, and it tells −0 from 0 and NaN from NaN. */
export function differences(got: Float32Array, wanted: Float32Array): { count: number; first: number } {
  const words = (a: Float32Array) => new Uint32Array(a.buffer, a.byteOffset, a.length);
  const [a, b] = [words(got), words(wanted)];
  let [count, first] = [Math.abs(a.length - b.length), -1];
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    if (count++ === 0) first = i;
  }
  return { count, first };
}

export const SAME = { count: 0, first: -1 };

export function expectSameBits(what: string, got: Float32Array, wanted: Float32Array): void {
  expect(differences(got, wanted), what).toEqual(SAME);
}

export function expectSameNetwork(
  what: string,
  got: Readonly<Record<string, Float32Array>>,
  wanted: Readonly<Record<string, Float32Array>>,
): void {
  expect(Object.keys(got)).toEqual(Object.keys(wanted));
  for (const [name, data] of Object.entries(wanted))
    expectSameBits(`${what}: ${name}`, got[name] as Float32Array, data);
}

/** How often each label occurs among the passes of the plan's first chunk. */
export function launches(batch: BatchPlan): Record<string, number> {
  const range = batch.chunkPasses[0] as BatchPlan["chunkPasses"][number];
  const counts: Record<string, number> = {};
  for (const p of batch.plan.passes.slice(range.from, range.to)) counts[p.label] = (counts[p.label] ?? 0) + 1;
  return counts;
}
