/** The plan of a batch of awake trajectories, for training or testing, and the rows it runs on. */
import type { Gpu } from "../gpu/context.ts";
import type { Program } from "../gpu/program.ts";
import { type BatchOptions, type BatchPlan, planBatch } from "../kernels/batch.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import type { AdapterSpec, RolloutSpec } from "../kernels/spec.ts";
import { usesModifiers } from "../model/dynamics.ts";
import { packRows, type RowRecord } from "../model/rows.ts";
import { STREAM } from "../model/streams.ts";
import { pathKernel } from "../task/path-uniforms.ts";
import { type AwakeTask, inputScale } from "../task/paths.ts";
import type { NetworkSpec, TrainSpec } from "./spec.ts";

/** Iterations whose stats are kept on the device until the host reads them. */
export const MAX_ITERATIONS_PER_SUBMIT = 64;

/** Per-row step parameters and identities of a batch of awake trajectories. */
export function awakeRows(spec: TrainSpec, count: number): RowRecord[][] {
  return spec.networks.map((n) =>
    Array.from({ length: count }, (_, trajectory) => ({
      step: n.step,
      networkSeed: n.seed,
      trajectory,
      epoch: 0,
      maskEvery: n.maskEvery,
      maskRandom: spec.maskRandom,
    })),
  );
}

export interface AwakeOptions {
  readonly name: string;
  readonly batch: number;
  readonly gradients: boolean;
  readonly keepReadout: boolean;
  /** Keep decoded positions of place cells. */
  readonly decode?: boolean;
  readonly stream: number;
}

/** How awake rows roll out, whoever brings their inputs. */
export function awakeRollout(
  spec: Pick<TrainSpec, "model" | "kind" | "steps" | "code" | "stored"> & {
    readonly task?: Pick<AwakeTask, "kind">;
    readonly networks: readonly Pick<NetworkSpec, "step">[];
  },
  gradients: boolean,
): RolloutSpec {
  return {
    model: spec.model,
    kind: spec.kind,
    steps: spec.steps,
    noise: spec.networks.some((n) => n.step.noiseStd > 0) ? "drawn" : "none",
    stream: STREAM.awakeNoise,
    clocked: true,
    extra: spec.networks.some((n) => usesModifiers(n.step)),
    extraHistory: false,
    adjoint: gradients,
    inputs: spec.model.shape.inputs,
    inputWindows: spec.code?.deltaInput === true || spec.task?.kind === "tensors",
    stored: gradients ? (spec.stored ?? "f32") : "f32",
  };
}

/** Where a batch comes from: generated paths, or given trials. */
function sourceOf({ task, code }: TrainSpec, stream: number): Pick<BatchOptions, "task" | "trials"> {
  if (task.kind === "tensors") return { task: null, trials: task };
  return { task: { path: pathKernel(task), inputScale: inputScale(task), stream, code: code ?? null } };
}

/** The plan of a training iteration, or of a test batch. Pure. */
export function planAwake(spec: TrainSpec, adapter: AdapterSpec, records: RecordLayouts, o: AwakeOptions): BatchPlan {
  return planBatch({
    name: o.name,
    rollout: awakeRollout(spec, o.gradients),
    networks: spec.networks.length,
    batch: o.batch,
    ...sourceOf(spec, o.stream),
    loss: true,
    l2Activity: o.gradients ? spec.l2Activity : 0,
    clipNorm: spec.clipNorm,
    update: o.gradients,
    keepReadout: o.keepReadout,
    decode: o.decode === true && spec.code != null,
    historySlots: MAX_ITERATIONS_PER_SUBMIT,
    adapter,
    records,
  });
}

/** Uploads the row records of every chunk of a batch. */
export function uploadRows(
  gpu: Gpu,
  program: Program,
  batch: BatchPlan,
  layouts: RecordLayouts,
  rows: readonly (readonly RowRecord[])[],
): void {
  for (const { chunk } of batch.chunkPasses) {
    const own = rows
      .slice(chunk.network0, chunk.network0 + chunk.networks)
      .map((r) => r.slice(chunk.row0, chunk.row0 + chunk.rowsPerNetwork));
    gpu.write(program.buffer(chunk.table), packRows(layouts.row, own, chunk.rowsPerNetwork));
  }
}

/** Buffers of one small record a network, which a fresh batch must not inherit. */
export function resetStats(gpu: Gpu, program: Program): void {
  gpu.write(program.buffer("stats"), new Uint8Array(program.buffer("stats").bytes));
  gpu.write(program.buffer("bad"), new Uint8Array(program.buffer("bad").bytes).fill(255));
}
