/** Opens the GPU for a verb: the adapter's name is the first thing a user reads. */
import { UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { openGpu } from "../gpu/open-node.ts";
import type { PlanKind } from "../gpu/plan.ts";
import type { ShaderReader } from "../gpu/shader-source.ts";
import { adapterSpec, choosePlanKind, type LaunchSize } from "../kernels/spec.ts";
import { closePlans, fastestPlan, timingFile } from "./plan-timing.ts";
import type { GpuOptions, Io, PlanOptions } from "./types.ts";

/** By then the work has met the error itself, and told what it alone knows: which checkpoint is the last. */
const STRAY_ERROR_MS = 10_000;

export async function openForVerb(options: GpuOptions, io: Io, readShader?: ShaderReader): Promise<Gpu> {
  const notes: string[] = [];
  const gpu: Gpu = await openGpu({
    onStrayError: (error) => {
      const late = setTimeout(() => {
        if (!gpu.closed) throw error;
      }, STRAY_ERROR_MS);
      late.unref();
    },
    ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
    requireGpu: options.requireGpu,
    ...(readShader ? { readShader } : {}),
    note: (line) => notes.push(line),
  });
  io.note(gpu.describe());
  for (const n of notes) io.note(n);
  return gpu;
}

/** The plan asked for, or the one that suits the adapter. */
export function planKindFor(gpu: Gpu, options: PlanOptions, size: LaunchSize): PlanKind {
  const adapter = adapterSpec(gpu);
  if (options.planKind === "own-row" && !adapter.lanes) {
    throw new UsageError(
      `--plan-kind own-row needs subgroups of at least 8 lanes; ${gpu.adapter.name} has ${gpu.adapter.subgroup?.min ?? "none"}: use --plan-kind step`,
    );
  }
  return options.planKind ?? choosePlanKind(adapter, size);
}

/** The same, but where two plans are close on a GPU, the one that a few steps on it showed to be faster. */
export async function timedPlanKind(gpu: Gpu, options: PlanOptions, size: LaunchSize, io: Io): Promise<PlanKind> {
  const chosen = planKindFor(gpu, options, size);
  const close = options.planKind === undefined ? closePlans(adapterSpec(gpu), size) : [];
  return close.length > 1 ? fastestPlan(gpu, close, size, timingFile(), io.note) : chosen;
}

/** Progress of compilation, told once per kernel: on a software adapter it takes seconds. */
export function compiling(io: Io): (kernel: string, index: number, of: number) => void {
  return (kernel, index, of) => {
    if (index === 1) io.progress.start("compiling shaders", of, "kernels");
    io.progress.update(index - 1, kernel);
  };
}
