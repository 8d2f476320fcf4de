/**
 * Which of two close plans is faster here: both do a few steps once per (adapter, driver, rows, N, S), and the answer is
 * remembered in a file of the user's cache. The results are the same bits, so a lost or wrong file costs time only.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { userCache } from "../gpu/local-driver.ts";
import { PLAN_KINDS, type PlanKind } from "../gpu/plan.ts";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { makeDirectory } from "../io/disk.ts";
import {
  type AdapterSpec,
  adapterSpec,
  choosePlan,
  choosePlanKind,
  type LaunchSize,
  MANY_WORKGROUPS,
  persistentTile,
} from "../kernels/spec.ts";
import { makeJob } from "../profile/jobs.ts";
import type { ProfileShape } from "../profile/shapes.ts";
import { quantile } from "../profile/statistics.ts";
import { versions } from "./manifest.ts";

const timing = z.object({
  kind: z.enum(PLAN_KINDS),
  /** Of one run of the timed steps. */
  seconds: z.partialRecord(z.enum(PLAN_KINDS), z.number()),
  date: z.string(),
});
const known = z.record(z.string(), timing);
export type PlanTiming = z.infer<typeof timing>;

/** Rows a workgroup of `tile-persistent` needs before launches stop to matter is a model's number: so far around it, time. */
const CLOSE = 16;

/** The plans worth timing; one where the choice is clear: CPUs, small networks, and sizes far from the border. */
export function closePlans(adapter: AdapterSpec, size: LaunchSize): readonly PlanKind[] {
  const chosen = choosePlanKind(adapter, size);
  const tile = persistentTile(size.units, adapter.workgroupStorage);
  if (adapter.software || !tile || size.units <= 64) return [chosen];
  const workgroups = size.rows / tile.ROWS;
  const close = workgroups > MANY_WORKGROUPS / CLOSE && workgroups < MANY_WORKGROUPS * CLOSE;
  return close ? [chosen, chosen === "step" ? "tile-persistent" : "step"] : [chosen];
}

export const timingFile = (): string => join(userCache(), "plans.json");

function readTimings(file: string): Record<string, PlanTiming> {
  try {
    return known.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // None yet, or no file of ours: it is made anew.
    return {};
  }
}

/** Two processes may write at once: the later one keeps its own answers, and the other's is timed again some day. */
function remember(file: string, key: string, answer: PlanTiming): void {
  try {
    makeDirectory(join(file, ".."));
    writeFileAtomically(file, `${JSON.stringify({ ...readTimings(file), [key]: answer }, null, 2)}\n`);
  } catch {
    // A cache that cannot be written is no reason to stop.
  }
}

const timingKey = (gpu: Gpu, size: LaunchSize): string =>
  [
    gpu.adapter.name,
    gpu.adapter.driver,
    `reverie ${versions().reverie}`,
    `rows ${size.rows}`,
    `N ${size.units}`,
    `S ${size.networks ?? 1}`,
  ].join(" | ");

const told = (seconds: PlanTiming["seconds"]): string =>
  Object.entries(seconds)
    .map(([kind, s]) => `${kind} ${(1e3 * s).toFixed(2)} ms`)
    .join(", ");

/** Why a launch has the plan that it has, for manifests and profiles. */
export function whyPlan(gpu: Gpu, kind: PlanKind, size: LaunchSize, file = timingFile()): string {
  const timed = readTimings(file)[timingKey(gpu, size)];
  if (timed?.kind === kind) return `timed here on ${timed.date}: ${told(timed.seconds)}`;
  const chosen = choosePlan(adapterSpec(gpu), size);
  return chosen.kind === kind ? chosen.why : `asked for; ${chosen.kind} would have been chosen: ${chosen.why}`;
}

const REPEATS = 5;
/** Rows beyond which more of them change no choice: every adapter is full. */
const MOST_ROWS = 16384;
/** Bytes of r and ga that the timing may hold. */
const MOST_BYTES = 256 << 20;

/** An iteration of few steps: the choice depends on rows, N and S, hardly on T. */
export function timedShape(size: LaunchSize): ProfileShape {
  const networks = size.networks ?? 1;
  // Three slots at least: r_0 and two steps.
  const rows = Math.min(size.rows, MOST_ROWS, MOST_BYTES / (24 * size.units));
  const batch = Math.max(1, Math.floor(rows / networks));
  const steps = Math.max(2, Math.min(16, Math.floor(MOST_BYTES / (8 * batch * networks * size.units)) - 1));
  return { work: "train", networks, batch, steps, units: size.units, inputs: 2, outputs: 2 };
}

/** Seconds of one iteration, best of a few: the machine may be busy with something else. */
async function secondsOf(gpu: Gpu, kind: PlanKind, size: LaunchSize): Promise<number> {
  const job = await makeJob(gpu, timedShape(size), kind);
  try {
    const run = () => job.program.run({ label: "timing plans", clock: job.clock });
    await run();
    const times: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      const start = performance.now();
      await run();
      times.push((performance.now() - start) / 1000);
    }
    return quantile(times, 0);
  } finally {
    job.destroy();
  }
}

/** The first of `kinds` where nothing can be timed. @param note told what was timed */
export async function fastestPlan(
  gpu: Gpu,
  kinds: readonly PlanKind[],
  size: LaunchSize,
  file: string,
  note: (line: string) => void,
): Promise<PlanKind> {
  const key = timingKey(gpu, size);
  const before = readTimings(file)[key];
  if (before && kinds.every((kind) => before.seconds[kind] !== undefined)) return before.kind;
  const seconds: Partial<Record<PlanKind, number>> = {};
  try {
    for (const kind of kinds) seconds[kind] = await secondsOf(gpu, kind, size);
  } catch (error) {
    // What is too large to be timed may still run: in chunks, or with less beside it.
    if (!(error instanceof UsageError)) throw error;
    note(`the plans cannot be timed here (${error.message}); ${kinds[0]} is used`);
    return kinds[0] as PlanKind;
  }
  const of = (kind: PlanKind) => seconds[kind] as number;
  const kind = kinds.reduce((best, next) => (of(next) < of(best) ? next : best));
  remember(file, key, { kind, seconds, date: new Date().toISOString().slice(0, 10) });
  note(
    `plan ${kind}: timed here once for ${size.rows} rows of ${size.units} units (${told(seconds)}); remembered in ${file}`,
  );
  return kind;
}
