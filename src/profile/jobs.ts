/** Programs to be timed: a training iteration or a replay of a shape, on numbers that stand in for data. */
import type { Gpu } from "../gpu/context.ts";
import { packArray } from "../gpu/pack.ts";
import type { Plan, PlanKind } from "../gpu/plan.ts";
import { Clock, Program } from "../gpu/program.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import { recordLayouts } from "../kernels/records.ts";
import { type Chunk, chunkRows } from "../kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec, type ModelSpec, modelSpec } from "../kernels/spec.ts";
import type { StepParameters } from "../model/dynamics.ts";
import { packRows, type RowRecord } from "../model/rows.ts";
import { planReplay } from "../replay/plan.ts";
import { planGivenBatch } from "../train/given-batch.ts";
import { resetStats } from "../train/plan.ts";
import type { ProfileShape } from "./shapes.ts";

export interface Job {
  readonly plan: Plan;
  readonly program: Program;
  readonly clock: Clock | null;
  destroy(): void;
}

export interface PlannedJob {
  readonly plan: Plan;
  readonly chunks: readonly Chunk[];
}

/** Defaults of the presets (model.md section 10). */
const AWAKE: StepParameters = {
  leak: 0.5,
  gain: 1,
  noiseStd: 0.05,
  noiseScale: 1,
  noiseFriction: false,
  friction: 1,
  adaptStrength: 0,
  adaptTau: 100,
};
const ASLEEP: StepParameters = {
  ...AWAKE,
  noiseScale: Math.SQRT2,
  noiseFriction: true,
  friction: 0.6,
  adaptStrength: 0.05,
  adaptTau: 200,
};

/** Small: the same batch is learnt again and again. */
const LEARNING_RATE = 1e-4;

function modelOfShape(shape: ProfileShape): ModelSpec {
  const { units, inputs, outputs } = shape;
  return modelSpec({
    shape: { units, inputs, outputs, encoderInputs: 2 },
    activation: "relu",
    slope: 0.01,
    rootSeed: 1,
    noiseRounds: 7,
  });
}

/** What a job would do on such an adapter; needs no GPU. */
export function planJob(shape: ProfileShape, kind: PlanKind, adapter: AdapterSpec, records: RecordLayouts): PlannedJob {
  const model = modelOfShape(shape);
  const { networks, batch, steps } = shape;
  if (shape.work === "replay") {
    const { plan, chunks } = planReplay({
      model,
      kind,
      networks,
      rows: batch,
      steps,
      saveEvery: steps,
      saveStates: false,
      noise: true,
      extra: true,
      start: null,
      adapter,
      records,
    });
    return { plan, chunks: chunks.map((c) => c.chunk) };
  }
  const { plan, chunkPasses } = planGivenBatch(
    {
      model,
      networks: Array.from({ length: networks }, (_, seed) => ({ seed, step: AWAKE })),
      steps,
      batch,
      learningRate: LEARNING_RATE,
      clipNorm: 1,
      kind,
      stored: shape.stored ?? "f32",
    },
    adapter,
    records,
  );
  return { plan, chunks: chunkPasses.map((c) => c.chunk) };
}

/** Deterministic numbers in (−1, 1) without a pattern that a product would notice. */
function standIn(count: number, scale: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) out[i] = scale * Math.sin(12.9898 * (i + 1) + 78.233 * Math.sin(i + 1));
  return out;
}

/** Buffers that must hold numbers, and their sizes: weights of gain ½, inputs and targets of order ½. */
const FILLED: Readonly<Record<string, (units: number) => number>> = {
  weights: (units) => 0.5 / Math.sqrt(units),
  recurrent_t: (units) => 0.5 / Math.sqrt(units),
  input: () => 0.5,
  target: () => 0.5,
  e0: () => 0.5,
};

/** Throws UsageError where the bytes do not fit, ShaderError. */
export async function makeJob(gpu: Gpu, shape: ProfileShape, kind: PlanKind, adapter = adapterSpec(gpu)): Promise<Job> {
  const records = recordLayouts(gpu.options.readShader);
  const planned = planJob(shape, kind, adapter, records);
  const program = await Program.create(gpu, planned.plan);
  const step = shape.work === "replay" ? ASLEEP : AWAKE;
  const row = (networkSeed: number, trajectory: number): RowRecord => ({
    step,
    networkSeed,
    trajectory,
    epoch: 0,
    maskEvery: 1,
    maskRandom: false,
  });
  for (const c of planned.chunks) {
    const counted = Math.min(c.rowsPerNetwork, Math.max(0, shape.batch - c.row0));
    const own = Array.from({ length: c.networks }, (_, s) =>
      Array.from({ length: counted }, (_, b) => row(c.network0 + s, c.row0 + b)),
    );
    gpu.write(program.buffer(c.table), packRows(records.row, own, chunkRows(c) / c.networks));
  }
  for (const spec of planned.plan.buffers) {
    const buffer = program.buffer(spec.name);
    const scale = FILLED[spec.name];
    // A replay starts from states that somebody brings; training makes its own.
    if (spec.name === "states" && shape.work === "replay") gpu.write(buffer, standIn(buffer.bytes / 4, 0.1));
    if (scale) gpu.write(buffer, standIn(buffer.bytes / 4, scale(shape.units)));
  }
  if (shape.work === "train") {
    program.clear("moment1", "moment2", "partials");
    resetStats(gpu, program);
    const rates = { initial_gain: 0.5, learning_rate: LEARNING_RATE, final_learning_rate: LEARNING_RATE };
    const networks = Array.from({ length: shape.networks }, (_, seed) => ({ seed, ...rates }));
    gpu.write(program.buffer("networks"), packArray(records.network, networks));
  }
  const clock = new Clock(gpu, 1);
  if (program.clockKernel) {
    const values = { iteration: 1, slot: 0, progress: 0, correction1: 0.19, correction2: 0.001999 };
    clock.set(0, program.clockKernel, values);
  }
  return {
    plan: planned.plan,
    program,
    clock,
    destroy: () => {
      program.destroy();
      clock.destroy();
    },
  };
}
