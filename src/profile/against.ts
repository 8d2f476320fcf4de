/** A user's variant of a kernel beside ours: the same results first, then both times, interleaved. */
import { DataError, UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import type { DispatchPass, Plan } from "../gpu/plan.ts";
import { Program } from "../gpu/program.ts";
import { bindingsOf } from "./ceilings.ts";
import type { Job } from "./jobs.ts";
import { type Segment, segmentsOf } from "./segments.ts";
import { type Spread, spread } from "./statistics.ts";
import { Timer } from "./timer.ts";

export interface AgainstResult {
  readonly kernel: string;
  readonly launches: number;
  /** Whether every written word is the same. */
  readonly sameBits: boolean;
  /** Largest difference over the largest number, of the float32 buffers written. */
  readonly difference: number;
  readonly ours: Spread;
  readonly theirs: Spread;
  /** theirs / ours, run by run. */
  readonly ratio: Spread;
}

export interface AgainstOptions {
  /** Such as `rnn/rollout_own_row`. */
  readonly kernel: string;
  /** Name under which the reader of the GPU gives the variant's text. */
  readonly variant: string;
  /** Difference allowed, relative to the largest number; 0 asks for the same bits. */
  readonly tolerance: number;
  readonly repeats: number;
}

function segmentsOfKernel(job: Job, kernel: string): Segment[] {
  const own = segmentsOf(job.plan, (i) => bindingsOf(job.program, i)).filter((s) => s.kernel === kernel);
  if (own.length > 0) return own;
  const kernels = job.plan.passes.flatMap((p) => (p.kind === "dispatch" ? [p.kernel] : []));
  throw new UsageError(`this shape and plan do not run ${kernel}: they run ${[...new Set(kernels)].join(", ")}`);
}

/** Contents of every buffer of the plan. */
async function contents(
  gpu: Gpu,
  program: Program,
  names: readonly string[],
): Promise<Map<string, Uint32Array<ArrayBuffer>>> {
  const out = new Map<string, Uint32Array<ArrayBuffer>>();
  for (const name of names) out.set(name, new Uint32Array(await gpu.read(program.buffer(name))));
  return out;
}

function differenceOf(a: Uint32Array<ArrayBuffer>, b: Uint32Array<ArrayBuffer>): number {
  const [x, y] = [new Float32Array(a.buffer), new Float32Array(b.buffer)];
  let [worst, largest] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    if (a[i] === b[i]) {
      if (Number.isFinite(x[i])) largest = Math.max(largest, Math.abs(x[i] as number));
      continue;
    }
    const d = Math.abs((x[i] as number) - (y[i] as number));
    worst = Number.isFinite(d) ? Math.max(worst, d) : Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(x[i] as number));
  }
  return worst === 0 ? 0 : worst / (largest || 1);
}

/** @throws DataError where the variant's results differ: then nothing is timed */
export async function profileAgainst(gpu: Gpu, job: Job, o: AgainstOptions): Promise<AgainstResult> {
  const segments = segmentsOfKernel(job, o.kernel);
  const isOurs = (p: Plan["passes"][number]): p is DispatchPass => p.kind === "dispatch" && p.kernel === o.kernel;
  const plan: Plan = {
    ...job.plan,
    passes: job.plan.passes.map((p) => (isOurs(p) ? { ...p, kernel: o.variant } : p)),
  };
  const shared = new Map(job.plan.buffers.map((b) => [b.name, job.program.buffer(b.name)]));
  const variant = await Program.create(gpu, plan, shared);
  const theirs: Job = { ...job, plan, program: variant };
  try {
    await job.program.run({ label: "warm-up", clock: job.clock });
    const names = [
      ...new Set(job.plan.passes.filter(isOurs).flatMap((p) => Object.values(p.bind).map((v) => v.buffer))),
    ];
    const before = await contents(gpu, job.program, names);
    const runAll = async (program: Program) => {
      for (const [name, words] of before) gpu.write(program.buffer(name), words);
      for (const s of segments) await program.run({ label: s.label, clock: job.clock, from: s.from, to: s.to });
      return contents(gpu, program, names);
    };
    const [a, b] = [await runAll(job.program), await runAll(variant)];
    const differing = names.filter((n) => a.get(n)?.some((w, i) => w !== b.get(n)?.[i]));
    const difference = Math.max(0, ...differing.map((n) => differenceOf(a.get(n) as never, b.get(n) as never)));
    if (differing.length > 0 && !(difference <= o.tolerance)) {
      throw new DataError(
        `${o.variant} gives other results than ${o.kernel}: ${differing.join(", ")} differ by ${difference.toExponential(1)} of the largest number, ${o.tolerance} is allowed (--tolerance); nothing was timed`,
      );
    }
    const timers = [new Timer(gpu, job, segments), new Timer(gpu, theirs, segments)] as const;
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < o.repeats; i++) {
      for (const k of [0, 1] as const) {
        const run = await timers[k].run();
        times[k].push(run.segments.reduce((sum, s) => sum + (s?.seconds ?? 0), 0) || run.wall);
      }
    }
    for (const t of timers) t.destroy();
    return {
      kernel: o.kernel,
      launches: segments.reduce((sum, s) => sum + s.launches, 0),
      sameBits: differing.length === 0,
      difference,
      ours: spread(times[0]),
      theirs: spread(times[1]),
      ratio: spread(times[0].map((x, i) => (times[1][i] as number) / x)),
    };
  } finally {
    variant.destroy();
  }
}
