/** What this adapter can do at best, by microkernels whose results are checked before their times are believed. */
import { GpuError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { type DispatchPass, spread as gridOf, type Plan } from "../gpu/plan.ts";
import { Program } from "../gpu/program.ts";
import type { Job } from "./jobs.ts";
import { type Segment, segmentsOf } from "./segments.ts";
import { type Spread, spread } from "./statistics.ts";
import { type RunTime, Timer } from "./timer.ts";

export interface Ceilings {
  /** Multiply-adds count as two. */
  readonly flopsPerSecond: Spread;
  /** Bytes read plus bytes written. */
  readonly bytesPerSecond: Spread;
  /** Seconds of a dispatch that does nothing, within a compute pass of many. */
  readonly emptyDispatch: Spread;
  /** Seconds from submitting one empty dispatch to knowing that it is done. */
  readonly roundTrip: Spread;
  /** Per CPU second; null on a GPU. */
  readonly flopsPerCpuSecond: Spread | null;
}

/** fma_peak.wgsl: 8 chains × 4 lanes × 2. */
const FLOPS_PER_STEP = 64;
const EMPTY_DISPATCHES = 200;

const sizes = (software: boolean) =>
  software
    ? { workgroups: 64, steps: 20_000, copyBytes: 32 << 20 }
    : { workgroups: 8192, steps: 4096, copyBytes: 128 << 20 };

function dispatch(
  kernel: string,
  bind: DispatchPass["bind"],
  groups: DispatchPass["groups"],
  more: Partial<DispatchPass>,
): DispatchPass {
  return { kind: "dispatch", label: kernel, kernel, bind, uniforms: {}, groups, ...more };
}

function ceilingPlan(gpu: Gpu): Plan {
  const { workgroups, steps, copyBytes } = sizes(gpu.adapter.software);
  const bytes = Math.min(copyBytes, gpu.limits.maxStorageBufferBindingSize);
  const invocations = 64 * workgroups;
  const empty = dispatch("profile/empty", { flag: { buffer: "flag" } }, [1, 1, 1], {});
  return {
    name: "ceilings",
    kind: "step",
    notes: [],
    buffers: [
      { name: "sums", bytes: 16 * invocations, axes: "[invocations] quads" },
      { name: "source", bytes, axes: "[quads]" },
      { name: "copied", bytes, axes: "[quads]" },
      { name: "flag", bytes: 4, axes: "one word" },
    ],
    passes: [
      dispatch("profile/fma_peak", { sums: { buffer: "sums" } }, [workgroups, 1, 1], {
        uniforms: { peak: { steps, start: 1, a: 0.5, b: 0.5 } },
        flops: FLOPS_PER_STEP * steps * invocations,
      }),
      dispatch(
        "profile/copy",
        { source: { buffer: "source" }, copied: { buffer: "copied" } },
        gridOf(Math.ceil(bytes / 16 / 64)),
        {
          uniforms: { amount: { quads: bytes / 16 } },
        },
      ),
      ...Array.from({ length: EMPTY_DISPATCHES }, () => empty),
    ],
  };
}

/** Every chain of fma_peak ends where it began, the copy equals its source, the flag is up. */
async function requireRight(gpu: Gpu, program: Program): Promise<void> {
  const sums = await gpu.readF32(program.buffer("sums"));
  if (!sums.every((x) => x === 8))
    throw new GpuError(`${gpu.adapter.name}: profile/fma_peak gave a wrong sum; no times are reported`);
  const words = Math.min(1 << 16, program.buffer("source").bytes);
  const [source, copied] = [
    await gpu.readF32(program.buffer("source"), 0, words),
    await gpu.readF32(program.buffer("copied"), 0, words),
  ];
  if (!source.every((x, i) => x === copied[i]))
    throw new GpuError(`${gpu.adapter.name}: profile/copy gave other words; no times are reported`);
  if (new Uint32Array(await gpu.read(program.buffer("flag")))[0] !== 1)
    throw new GpuError(`${gpu.adapter.name}: an empty dispatch did not run; no times are reported`);
}

const secondsOf = (run: RunTime, at: number): number => run.segments[at]?.seconds ?? run.wall;

/** @throws GpuError where a result is wrong */
export async function measureCeilings(gpu: Gpu, repeats: number): Promise<Ceilings> {
  const plan = ceilingPlan(gpu);
  const program = await Program.create(gpu, plan);
  const job: Job = { plan, program, clock: null, destroy: () => program.destroy() };
  try {
    const source = program.buffer("source");
    gpu.write(
      source,
      new Float32Array(source.bytes / 4).map((_, i) => i % 8191),
    );
    await program.run({ label: "warm-up" });
    await requireRight(gpu, program);
    const all = segmentsOf(plan, (i) => bindingsOf(program, i));
    const alone = async (segment: Segment): Promise<RunTime[]> => {
      const timer = new Timer(gpu, job, [segment]);
      const runs: RunTime[] = [];
      for (let i = 0; i < repeats; i++) runs.push(await timer.run());
      timer.destroy();
      return runs;
    };
    const [peak, copy, empty] = all as [Segment, Segment, Segment];
    const peaks = await alone(peak);
    const copies = await alone(copy);
    const empties = await alone(empty);
    const single = await alone({ ...empty, to: empty.from + 1, launches: 1 });
    return {
      flopsPerSecond: spread(peaks.map((r) => peak.flops / secondsOf(r, 0))),
      bytesPerSecond: spread(copies.map((r) => copy.bytes / secondsOf(r, 0))),
      emptyDispatch: spread(empties.map((r) => secondsOf(r, 0) / EMPTY_DISPATCHES)),
      roundTrip: spread(single.map((r) => r.wall)),
      flopsPerCpuSecond: gpu.adapter.software ? spread(peaks.map((r) => peak.flops / r.cpu)) : null,
    };
  } finally {
    program.destroy();
  }
}

/** Storage bindings of a pass as its kernel declares them. */
export function bindingsOf(program: Program, pass: number) {
  const p = program.passes[pass];
  return p?.kind === "dispatch" ? p.kernel.interface.bindings : [];
}
