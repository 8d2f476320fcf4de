/** What storing activations as float16 costs in accuracy: one batch's loss and gradient both ways, from the same weights. */
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import type { Pass } from "../gpu/plan.ts";
import { Clock, Program } from "../gpu/program.ts";
import { readField, recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import type { StoredAs } from "../model/stored.ts";
import { STREAM } from "../model/streams.ts";
import { TrialOrder } from "../task/tensors.ts";
import { awakeRows, planAwake, resetStats, uploadRows } from "./plan.ts";
import type { TrainSpec } from "./spec.ts";
import { runOnTrials } from "./trials.ts";

/** Per network, relative to float32. */
export interface PrecisionError {
  readonly loss: readonly number[];
  /** Normwise: ‖g₁₆ − g₃₂‖ / ‖g₃₂‖ over all parameters, before clipping. */
  readonly gradient: readonly number[];
}

interface Batch {
  readonly loss: readonly number[];
  /** (S, stride) */
  readonly grads: Float32Array;
}

async function batchOf(
  gpu: Gpu,
  spec: TrainSpec,
  stored: StoredAs,
  trained: ReadonlyMap<string, DeviceBuffer>,
  iteration: number,
): Promise<Batch> {
  const layouts = recordLayouts(gpu.options.readShader);
  const options = { name: `batch in ${stored}`, batch: spec.batch, gradients: true, keepReadout: false };
  const batch = planAwake({ ...spec, stored }, spec.adapter ?? adapterSpec(gpu), layouts, {
    ...options,
    stream: STREAM.trainPaths,
  });
  // The gradient alone: the weights belong to the trainer.
  const isKept = (p: Pass) => p.kind !== "dispatch" || p.kernel !== "optim/adam";
  const passes = batch.plan.passes.filter(isKept);
  const moved = (at: number) => batch.plan.passes.slice(0, at).filter(isKept).length;
  const chunkPasses = batch.chunkPasses.map(({ chunk, from, to }) => ({ chunk, from: moved(from), to: moved(to) }));
  const shared = new Map(["weights", "recurrent_t"].map((name) => [name, trained.get(name) as DeviceBuffer]));
  const program = await Program.create(gpu, { ...batch.plan, passes }, shared);
  const clock = new Clock(gpu, 1);
  try {
    uploadRows(gpu, program, batch, layouts, awakeRows(spec, spec.batch));
    resetStats(gpu, program);
    // The gap between the last tensor and the stride is nobody's; the norm reads it.
    program.clear("partials");
    const values = { iteration, slot: 0, progress: 0, correction1: 1, correction2: 1 };
    if (program.clockKernel) clock.set(0, program.clockKernel, values);
    if (spec.task.kind === "tensors") {
      const trials = new TrialOrder(spec.task, spec.model.rootSeed).training(iteration, spec.batch);
      const own = { ...batch, plan: program.plan, chunkPasses };
      await runOnTrials(gpu, program, own, spec.task, trials, { label: "precision", clock });
    } else await program.run({ label: "precision", clock });
    const stats = await gpu.read(program.buffer("stats"), 0, spec.networks.length * layouts.stats.bytes);
    return { loss: readField(layouts.stats, stats, "loss"), grads: await gpu.readF32(program.buffer("grads")) };
  } finally {
    program.destroy();
    clock.destroy();
  }
}

/** @param trained buffers `weights` and `recurrent_t` of all networks */
export async function precisionError(
  gpu: Gpu,
  spec: TrainSpec,
  trained: ReadonlyMap<string, DeviceBuffer>,
  iteration: number,
): Promise<PrecisionError> {
  const wide = await batchOf(gpu, spec, "f32", trained, iteration);
  const half = await batchOf(gpu, spec, "f16", trained, iteration);
  const { stride } = spec.model.layout;
  const norm = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0));
  return {
    loss: wide.loss.map((l, s) => Math.abs((half.loss[s] as number) - l) / l),
    gradient: wide.loss.map((_, s) => {
      const of = (b: Batch) => b.grads.subarray(s * stride, (s + 1) * stride);
      const [g, h] = [of(wide), of(half)];
      return norm(h.map((x, i) => x - (g[i] as number))) / norm(g);
    }),
  };
}
