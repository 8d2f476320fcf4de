/** A profile: one shape on one adapter, pass by pass, beside what the adapter can do at best. */
import { GpuError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { dispatchCounts, type PlanKind, planBytes } from "../gpu/plan.ts";
import { readField, recordLayouts } from "../kernels/records.ts";
import { bindingsOf, type Ceilings, measureCeilings } from "./ceilings.ts";
import { type Job, makeJob } from "./jobs.ts";
import { type Segment, segmentsOf } from "./segments.ts";
import type { ProfileShape } from "./shapes.ts";
import { type Spread, spread } from "./statistics.ts";
import { type RunTime, Timer } from "./timer.ts";

/** One line: all passes of a label. */
export interface PassProfile {
  readonly label: string;
  readonly kernel: string;
  readonly launches: number;
  readonly workgroups: number;
  readonly flops: number;
  /** Least bytes moved (`traffic.ts`). */
  readonly bytes: number;
  /** Seconds by timestamps; where the adapter has none, by the wall, each pass run alone. Null for copies, and on CPUs without. */
  readonly gpu: Spread | null;
  /** CPU seconds when run alone; null on a GPU. */
  readonly cpu: Spread | null;
  /** Seconds by the roofline of the measured ceilings and empty dispatches. */
  readonly roofline: number;
}

/** Where the wall time of one iteration, run by itself, goes; seconds. */
export interface WholeProfile {
  readonly wall: Spread;
  /** Encoding and submitting. */
  readonly host: Spread;
  /** Passes, by timestamps. */
  readonly busy: Spread | null;
  /** Between passes, copies included. */
  readonly gaps: Spread | null;
  /** Wall − host − busy − gaps: submit and wait. */
  readonly rest: Spread | null;
  /** CPU seconds of the process; null on a GPU. */
  readonly cpu: Spread | null;
  readonly flops: number;
  readonly bytes: number;
  readonly dispatches: number;
  readonly roofline: number;
}

/** Where the time of one iteration or replay goes: the whole, and pass by pass. */
export interface Profile {
  readonly shape: ProfileShape;
  readonly planKind: PlanKind;
  /** Why this plan. */
  readonly why?: string;
  /** Bytes of device buffers. */
  readonly deviceBytes: number;
  readonly notes: readonly string[];
  readonly repeats: number;
  readonly ceilings: Ceilings;
  readonly whole: WholeProfile;
  readonly passes: readonly PassProfile[];
  /** One run, for the trace: seconds. */
  readonly sample: { readonly run: RunTime; readonly segments: readonly Segment[] };
}

/** What {@link profileShape} times, and how often. */
export interface ProfileOptions {
  readonly shape: ProfileShape;
  readonly kind: PlanKind;
  readonly why?: string;
  readonly repeats: number;
  readonly signal?: AbortSignal;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
  readonly onRepeat?: (done: number, of: number) => void;
}

/** CPU clocks tick in milliseconds: short segments are repeated until they take this long. */
const CLOCK_SECONDS = 0.04;

export function rooflineSeconds(ceilings: Ceilings, work: { flops: number; bytes: number; launches: number }): number {
  const { flopsPerSecond, bytesPerSecond, emptyDispatch } = ceilings;
  const least = Math.max(work.flops / flopsPerSecond.median, work.bytes / bytesPerSecond.median);
  return least + work.launches * emptyDispatch.median;
}

/** Every segment by itself, by a clock that ticks coarsely. */
async function timesAlone(
  measure: (segment: number, times: number) => Promise<number>,
  segments: number,
  repeats: number,
): Promise<Spread[]> {
  const out: Spread[] = [];
  for (let i = 0; i < segments; i++) {
    const once = await measure(i, 1);
    const times = Math.max(1, Math.min(50, Math.ceil(CLOCK_SECONDS / Math.max(once, 1e-4))));
    const list: number[] = [];
    for (let k = 0; k < repeats; k++) list.push(await measure(i, times));
    out.push(spread(list));
  }
  return out;
}

/** Adds spreads of segments of one label: their medians and quartiles side by side. */
function sumSpreads(list: readonly Spread[]): Spread {
  const total = (key: "median" | "lower" | "upper") => list.reduce((sum, s) => sum + s[key], 0);
  return { median: total("median"), lower: total("lower"), upper: total("upper"), count: list[0]?.count ?? 0 };
}

function passProfiles(
  segments: readonly Segment[],
  runs: readonly RunTime[],
  alone: { readonly cpu: readonly Spread[] | null; readonly wall: readonly Spread[] | null },
  ceilings: Ceilings,
): PassProfile[] {
  const labels = [...new Set(segments.map((s) => s.label))];
  return labels.map((label) => {
    const at = segments.flatMap((s, i) => (s.label === label ? [i] : []));
    const own = at.map((i) => segments[i] as Segment);
    const total = (key: "launches" | "workgroups" | "flops" | "bytes") => own.reduce((sum, s) => sum + s[key], 0);
    const timed = runs.every((r) => at.every((i) => r.segments[i] != null));
    const work = { launches: total("launches"), flops: total("flops"), bytes: total("bytes") };
    const sumAlone = (times: readonly Spread[] | null) =>
      times ? sumSpreads(at.map((i) => times[i] as Spread)) : null;
    return {
      label,
      kernel: (own[0] as Segment).kernel,
      workgroups: total("workgroups"),
      ...work,
      gpu: timed
        ? spread(runs.map((r) => at.reduce((sum, i) => sum + (r.segments[i]?.seconds ?? 0), 0)))
        : sumAlone(alone.wall),
      cpu: sumAlone(alone.cpu),
      roofline: rooflineSeconds(ceilings, work),
    };
  });
}

function wholeProfile(
  passes: readonly PassProfile[],
  runs: readonly RunTime[],
  software: boolean,
  dispatches: number,
  ceilings: Ceilings,
): WholeProfile {
  const busy = (r: RunTime) => r.segments.reduce((sum, s) => sum + (s?.seconds ?? 0), 0);
  const timed = runs.some((r) => r.segments.some((s) => s !== null));
  const of = (f: (r: RunTime) => number) => spread(runs.map(f));
  const total = (key: "flops" | "bytes") => passes.reduce((sum, p) => sum + p[key], 0);
  const work = { flops: total("flops"), bytes: total("bytes"), launches: dispatches };
  return {
    wall: of((r) => r.wall),
    host: of((r) => r.host),
    busy: timed ? of(busy) : null,
    gaps: timed ? of((r) => r.span - busy(r)) : null,
    rest: timed ? of((r) => r.wall - r.host - r.span) : null,
    cpu: software ? of((r) => r.cpu) : null,
    flops: work.flops,
    bytes: work.bytes,
    dispatches,
    roofline: rooflineSeconds(ceilings, work),
  };
}

/** Times of work that went wrong are no times. */
async function requireFinite(gpu: Gpu, job: Job): Promise<void> {
  const trains = job.plan.buffers.some((b) => b.name === "stats");
  const { stats } = recordLayouts(gpu.options.readShader);
  const values = trains
    ? readField(stats, await gpu.read(job.program.buffer("stats")), "loss")
    : [...(await gpu.readF32(job.program.buffer("y_all")))];
  if (!values.every(Number.isFinite))
    throw new GpuError(`${job.plan.name}: ${trains ? "the loss" : "a readout"} is not finite; no times are reported`);
}

/** @throws UsageError where the shape does not fit, GpuError */
export async function profileShape(gpu: Gpu, o: ProfileOptions): Promise<Profile> {
  const ceilings = await measureCeilings(gpu, Math.max(3, o.repeats));
  const job = await makeJob(gpu, o.shape, o.kind);
  const segments = segmentsOf(job.plan, (i) => bindingsOf(job.program, i));
  const timer = new Timer(gpu, job, segments);
  try {
    // The first run compiles and touches every page; the second fills the caches.
    await job.program.run({ label: "warm-up", clock: job.clock, ...(o.onCompile ? { onCompile: o.onCompile } : {}) });
    await timer.run();
    const runs: RunTime[] = [];
    for (let i = 0; i < o.repeats; i++) {
      o.signal?.throwIfAborted();
      runs.push(await timer.run());
      o.onRepeat?.(i + 1, o.repeats);
    }
    await requireFinite(gpu, job);
    const { software } = gpu.adapter;
    const times = (measure: (i: number, n: number) => Promise<number>) =>
      timesAlone(measure, segments.length, Math.min(o.repeats, 5));
    const alone = {
      cpu: software ? await times((i, n) => timer.cpuSeconds(i, n)) : null,
      wall: timer.timed || software ? null : await times((i, n) => timer.wallSeconds(i, n)),
    };
    const passes = passProfiles(segments, runs, alone, ceilings);
    const dispatches = Object.values(dispatchCounts(job.plan.passes)).reduce((a, b) => a + b, 0);
    const middle = [...runs].sort((a, b) => a.wall - b.wall)[runs.length >> 1] as RunTime;
    return {
      shape: o.shape,
      planKind: o.kind,
      ...(o.why === undefined ? {} : { why: o.why }),
      deviceBytes: planBytes(job.plan),
      notes: job.plan.notes,
      repeats: o.repeats,
      ceilings,
      whole: wholeProfile(passes, runs, software, dispatches, ceilings),
      passes,
      sample: { run: middle, segments },
    };
  } finally {
    timer.destroy();
    job.destroy();
  }
}
