/** `reverie sweep`: a grid of replays, measured on the GPU while they run, resumable. */
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { Auditor, auditReport } from "../audit/auditor.ts";
import { pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError, EXIT, type ExitCode, GpuError, UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { formatBytes, type PlanKind } from "../gpu/plan.ts";
import { differingKeys } from "../io/config-hash.ts";
import { requireFreeSpace } from "../io/disk.ts";
import { readJson } from "../io/json.ts";
import type { LaunchSize } from "../kernels/spec.ts";
import type { RolloutsEnded } from "../model/outcome.ts";
import { paddedRows } from "../model/rows.ts";
import type { SweepDefinition } from "../sweep/definition.ts";
import { readDefinition, readSweepManifest, requireSweep, SweepDirectory, sameDefinition } from "../sweep/directory.ts";
import { defineSweep, type LoadedNetworks, loadNetworks, type SweepRequest } from "../sweep/networks.ts";
import { sweepOutcome } from "../sweep/outcome.ts";
import { planLaunches, type SweepSummary, summarise } from "../sweep/plan.ts";
import { modelOfSweep, planOptionsOf } from "../sweep/spec.ts";
import { machineOptions, partOf, runSweep as runOn } from "../sweep/sweep.ts";
import { deviceFailure } from "./checkpoints.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { compiling, openForVerb, planKindFor, timedPlanKind } from "./open.ts";
import { whyPlan } from "./plan-timing.ts";
import { compareAwake, noteOtherAdapter } from "./sweep-resume.ts";
import type { GpuOptions, Io, PlanOptions } from "./types.ts";
import { uploadWeights } from "./weights.ts";

/** What the flags ask for; `list` still names a file. */
export interface SweepFlags extends Omit<SweepRequest, "list"> {
  readonly list: string | null;
}

export interface SweepOptions extends GpuOptions, PlanOptions {
  /** Run directories and checkpoints; with `resume` none, for those of the sweep. */
  readonly sources: readonly string[];
  /** With `resume` null where nothing is asked for anew. */
  readonly request: SweepFlags | null;
  /** Device bytes; null: 1 GiB, or half of the free memory where that is less. */
  readonly budget: number | null;
  readonly shard: { readonly index: number; readonly of: number } | null;
  readonly out: string;
  readonly resume: boolean;
  readonly force: boolean;
  /** Print launches, bytes and time instead of running anything. */
  readonly plan: boolean;
}

const DEFAULT_BUDGET = 2 ** 30;
/** Rollouts on a software adapter, a core, as measured with N = 128; for forecasts alone. */
const SOFTWARE_FLOPS_PER_CORE = 6e9;
const GPU_FLOPS = 2e12;

export interface Sweep {
  readonly definition: SweepDefinition;
  readonly loaded: LoadedNetworks;
  readonly sources: readonly string[];
  readonly shard: { readonly index: number; readonly of: number };
}

function requestOf({ list, ...rest }: SweepFlags): SweepRequest {
  return { ...rest, list: list === null ? null : { value: readJson(list), origin: `--list ${list}` } };
}

/** The sweep asked for, and with `resume` that of the directory, which must be the same one. */
export function sweepOf(options: SweepOptions, io: Io): Sweep {
  if (!options.resume) {
    if (options.request === null) throw new UsageError("what is to be swept? Give --grid friction=1,0.6,0.3");
    const loaded = loadNetworks(options.sources, io.note);
    const shard = options.shard ?? { index: 0, of: 1 };
    return {
      definition: defineSweep(loaded, requestOf(options.request)),
      loaded,
      sources: options.sources.map((s) => resolve(s)),
      shard,
    };
  }
  requireSweep(options.out);
  const stored = readDefinition(options.out);
  const manifest = readSweepManifest(options.out);
  if (options.shard && (options.shard.index !== manifest.shard.index || options.shard.of !== manifest.shard.of)) {
    throw new UsageError(
      `${options.out} holds part ${manifest.shard.index + 1}/${manifest.shard.of} of its sweep: leave --shard out`,
    );
  }
  const sources = options.sources.length > 0 ? options.sources.map((s) => resolve(s)) : manifest.sources;
  const loaded = loadNetworks(sources, io.note);
  const asked = options.request
    ? defineSweep(loaded, requestOf(options.request))
    : // Of recorded paths, this reads the file.
      { ...stored, networks: loaded.networks, task: pathTask(loaded.configs[0] as ExperimentConfig) };
  if (!sameDefinition(asked, stored)) {
    const keys = differingKeys(stored, asked);
    throw new DataError(
      `${options.out} belongs to another sweep (${keys.join(", ")} differ): resume with the same networks and flags, or start anew with another --out`,
    );
  }
  return { definition: stored, loaded, sources, shard: manifest.shard };
}

function launchSizeOf(d: SweepDefinition): LaunchSize {
  const networks = d.networks.length;
  return { units: d.shape.units, rows: networks * paddedRows(d.conditions.length * d.repeats), networks };
}

function budgetOf(options: Pick<SweepOptions, "budget">, gpu: Gpu): number {
  if (options.budget !== null) return options.budget;
  const free = gpu.options.memoryBudget?.() ?? Number.POSITIVE_INFINITY;
  return Math.min(DEFAULT_BUDGET, free / 2);
}

/** Seconds at the least: what the adapter's kind was measured to do, alone on its machine, compiling left out. */
function forecast(gpu: Gpu, summary: SweepSummary): number {
  return summary.flops / (gpu.adapter.software ? SOFTWARE_FLOPS_PER_CORE * availableParallelism() : GPU_FLOPS);
}

interface Planned {
  readonly summary: SweepSummary;
  readonly seconds: number;
  readonly lines: readonly string[];
}

const counted = (n: number, what: string, plural = "s"): string => `${n} ${what}${n === 1 ? "" : plural}`;

function planOf(gpu: Gpu, kind: PlanKind, budget: number, { definition: d, shard }: Sweep): Planned {
  const o = planOptionsOf(d, machineOptions(gpu, { kind, budget }));
  const { from, to } = partOf(d, shard.index, shard.of);
  const summary = summarise(o, planLaunches(o, from, to, d.conditionsPerShard));
  const rollouts = (to - from) * d.networks.length * d.repeats;
  const seconds = forecast(gpu, summary);
  const part = shard.of > 1 ? `part ${shard.index + 1}/${shard.of}: ` : "";
  const why = whyPlan(gpu, kind, launchSizeOf(d));
  return {
    summary,
    seconds,
    lines: [
      `${part}${to - from} conditions × ${d.networks.length} networks × ${d.repeats} repeats = ${rollouts} rollouts of ${d.steps} steps, N = ${d.shape.units}`,
      `plan ${kind} (${why}): ${counted(summary.launches, "launch", "es")}, ${counted(summary.windows, "window")}, ${counted(summary.dispatches, "dispatch", "es")}`,
      `${formatBytes(summary.deviceBytes)} on the device, ${formatBytes(summary.readBackBytes)} read back`,
      `at least ${Math.max(1, Math.ceil(seconds))} s on this adapter when nothing else runs; progress tells the time left`,
    ],
  };
}

function printPlan(gpu: Gpu, kind: PlanKind, budget: number, sweep: Sweep, io: Io): ExitCode {
  const { summary, seconds, lines } = planOf(gpu, kind, budget, sweep);
  io.out(
    io.json
      ? JSON.stringify({ ...summary, kind, why: whyPlan(gpu, kind, launchSizeOf(sweep.definition)), seconds })
      : lines.join("\n"),
  );
  return EXIT.ok;
}

export async function runSweep(options: SweepOptions, io: Io): Promise<ExitCode> {
  const sweep = sweepOf(options, io);
  if (options.plan) {
    const gpu = await openForVerb(options, io);
    try {
      const kind = planKindFor(gpu, options, launchSizeOf(sweep.definition));
      return printPlan(gpu, kind, budgetOf(options, gpu), sweep, io);
    } finally {
      await gpu.close();
    }
  }
  const dir = SweepDirectory.open(options.out, { resume: options.resume, force: options.force });
  try {
    return await runInto(dir, sweep, options, io);
  } finally {
    dir.close();
  }
}

/** Bytes that the directory will grow to: lines of at most 4 KiB, and positions. */
function diskBytes(d: SweepDefinition, conditions: number): number {
  const lines = 4096 * d.networks.length * conditions * 2;
  if (d.save === "summary") return lines;
  const saved = Math.floor(d.steps / d.saveEvery);
  return lines + 4 * d.networks.length * conditions * saved * (2 * d.repeats + d.stateRepeats * d.shape.units);
}

async function runInto(dir: SweepDirectory, sweep: Sweep, options: SweepOptions, io: Io): Promise<ExitCode> {
  const { definition: d, shard } = sweep;
  const part = partOf(d, shard.index, shard.of);
  requireFreeSpace(dir.path, diskBytes(d, part.to - part.from));
  const gpu = await openForVerb(options, io);
  try {
    return await sweepInto(dir, sweep, gpu, options, io);
  } finally {
    await gpu.close();
  }
}

/** Sweeps on an open GPU into an open directory. */
export async function sweepInto(
  dir: SweepDirectory,
  sweep: Sweep,
  gpu: Gpu,
  options: Pick<SweepOptions, "budget" | "resume"> & PlanOptions,
  io: Io,
): Promise<ExitCode> {
  const { definition: d, shard } = sweep;
  const part = partOf(d, shard.index, shard.of);
  const kind = await timedPlanKind(gpu, options, launchSizeOf(d), io);
  const budget = budgetOf(options, gpu);
  const facts = { versions: versions(), ...gpuFacts(gpu) };
  const planned = planOf(gpu, kind, budget, sweep);
  for (const line of planned.lines) io.note(line);
  const manifest = {
    ...facts,
    sources: sweep.sources,
    shard,
    plan: { kind, why: whyPlan(gpu, kind, launchSizeOf(d)), budget, ...planned.summary },
    started: new Date().toISOString(),
    outcome: { kind: "running" },
  };
  const audited = options.resume ? auditReport((readSweepManifest(dir.path) as { audit?: unknown }).audit) : undefined;
  const auditor = new Auditor(d, sweep.loaded.weights, audited);
  const moved = options.resume && noteOtherAdapter(dir.path, facts.versions, gpu, io);
  if (!options.resume) dir.begin(d, manifest);
  dir.updateManifest({ ...facts, plan: manifest.plan, outcome: manifest.outcome });
  const log = dir.log(d);
  const trained = uploadWeights(gpu, modelOfSweep(d), sweep.loaded.weights);
  const began = performance.now();
  try {
    if (log.cut > 0)
      io.note(`${join(dir.path, "results.jsonl")}: ${log.cut} bytes at its end were damaged and are computed again`);
    if (moved) await compareAwake(gpu, d, machineOptions(gpu, { kind, budget }), trained, log.known, io);
    let started = false;
    const outcome = await runOn(gpu, d, trained, log, {
      kind,
      part,
      budget,
      signal: io.signal,
      onCompile: compiling(io),
      audit: (rows) => auditor.look(rows),
      onProgress: (done, total) => {
        if (!started) io.progress.start("sweeping", total, "rollouts");
        started = true;
        io.progress.update(Math.floor(done));
      },
    });
    const seconds = (performance.now() - began) / 1000;
    if (outcome === "completed") dir.finish(d, log.records, shard.of === 1);
    const ended = sweepOutcome(outcome, [...log.known.values()], resumeCommand(dir.path));
    dir.updateManifest({ outcome: ended, audit: auditor.report, seconds, ended: new Date().toISOString() });
    io.progress.done(`${outcome} after ${seconds.toFixed(1)} s`);
    io.note(auditor.summary);
    return tell(dir.path, sweep, ended, log.known.size, io);
  } catch (error) {
    if (error instanceof GpuError) dir.updateManifest({ audit: auditor.report });
    throw error instanceof GpuError ? deviceFailure(error, dir, resumeCommand(dir.path)) : error;
  } finally {
    log.close();
    for (const b of trained.values()) gpu.destroyBuffer(b);
  }
}

const resumeCommand = (path: string): string => `npx reverie sweep --resume --out ${path}`;

function tell(path: string, { shard }: Sweep, outcome: RolloutsEnded, lines: number, io: Io): ExitCode {
  const { kind, diverged, remedy } = outcome;
  if (diverged.some > 0)
    io.note(
      `rollouts diverged in ${diverged.some} of ${diverged.of} lines (a network under a condition), in ${diverged.all} of them all rollouts`,
    );
  if (remedy !== "") io.note(remedy);
  const metricsCsv = shard.of > 1 || kind !== "completed" ? null : join(path, "metrics.csv");
  const next = metricsCsv ?? `part ${shard.index + 1}/${shard.of}; put all parts together with reverie merge`;
  io.out(
    io.json
      ? JSON.stringify({ sweep: path, metricsCsv, outcome, shard, lines })
      : `${path}: ${kind}${kind === "interrupted" ? `, ${lines} lines so far` : `, ${next}`}`,
  );
  return kind === "interrupted" ? EXIT.interrupted : EXIT.ok;
}
