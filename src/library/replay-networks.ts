/** Replays and sweeps of trained networks, and what is measured of them, from a program. */
import { join } from "node:path";
import { parseConfig } from "../config/load.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import type { Gpu } from "../gpu/context.ts";
import { loadCheckpoint } from "../io/checkpoint.ts";
import { makeDirectory } from "../io/disk.ts";
import { readJson } from "../io/json.ts";
import type { MetricRecord } from "../metrics/measure.ts";
import { replaySize, trainSpecOf } from "../run/experiment.ts";
import { metricsOf, readReplays } from "../run/measured.ts";
import { planKindFor } from "../run/open.ts";
import { replayInto } from "../run/replay.ts";
import { reportOf } from "../run/report.ts";
import { sweepInto, sweepOf } from "../run/sweep.ts";
import { isSweep, reportOfSweep } from "../run/sweep-report.ts";
import { uploadWeights } from "../run/weights.ts";
import { readResults, SweepDirectory } from "../sweep/directory.ts";
import type { SweepRequest } from "../sweep/networks.ts";
import type { ResultRecord } from "../sweep/results.ts";
import { ioOf, type LibraryOptions, type ProgressListener, planOf, requireDirectory } from "./options.ts";

/** What {@link replayNetworks} may do otherwise than the run says. */
export interface ReplayNetworksOptions extends LibraryOptions {
  /** Other replay settings than the run's: conditions, steps, repeats, … */
  readonly replay?: Partial<ExperimentConfig["replay"]>;
  /** The .npz; `replay/replay.npz` of the run without. */
  readonly out?: string;
  readonly onProgress?: ProgressListener;
}

/** What {@link replayNetworks} wrote and measured. */
export interface ReplayedNetworks {
  readonly kind: "completed" | "interrupted";
  /** numpy.load reads it; axes (network, time, row, unit). */
  readonly path: string;
  /** One record per network and condition, awake included; empty if interrupted. */
  readonly metrics: readonly MetricRecord[];
}

/**
 * Replays the networks of a run without input under every condition, and measures what they do.
 * @param run a run directory
 * @throws DataError, UsageError, GpuError, DiskError
 */
export async function replayNetworks(
  gpu: Gpu,
  run: string,
  options: ReplayNetworksOptions = {},
): Promise<ReplayedNetworks> {
  const io = ioOf(options, options.onProgress);
  const stored = parseConfig(readJson(join(run, "config.json")));
  const config = parseConfig({ ...stored, replay: { ...stored.replay, ...options.replay } });
  const path = options.out ?? join(run, "replay", "replay.npz");
  if (options.out === undefined) makeDirectory(join(run, "replay"));
  const kind = planKindFor(gpu, planOf(options), replaySize(config));
  const checkpoint = loadCheckpoint(run, io.note);
  const trained = uploadWeights(gpu, trainSpecOf(config, kind).model, checkpoint.arrays.weights);
  try {
    const replayed = await replayInto(path, config, gpu, kind, trained, io);
    const metrics = replayed.kind === "completed" ? metricsOf(readReplays(path, config)) : [];
    return { kind: replayed.kind, path, metrics };
  } finally {
    for (const buffer of trained.values()) gpu.destroyBuffer(buffer);
  }
}

/** The grid, and what `reverie sweep` has flags for: repeats, steps, start, save, … */
export interface ReplaySweepOptions extends LibraryOptions, Partial<Omit<SweepRequest, "grid" | "list">> {
  /** Parameter → values, or a range as the command line writes it: `{ friction: [1, 0.6, 0.3], adaptStrength: "0:0.1:11" }`. */
  readonly grid: Readonly<Record<string, readonly number[] | string>>;
  /** The sweep's directory. */
  readonly out: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  /** Device bytes to use at most. */
  readonly budget?: number;
  readonly onProgress?: ProgressListener;
}

/** What {@link replaySweep} wrote. */
export interface SweptReplays {
  readonly kind: "completed" | "interrupted";
  /** The sweep's directory; `metrics.csv` is in it when it is completed. */
  readonly out: string;
  /** One record per network and condition so far. */
  readonly results: readonly ResultRecord[];
}

/**
 * Replays networks over a grid of step parameters and measures every rollout on the GPU while it runs.
 * @param runs run directories or checkpoints of networks of one kind
 * @throws DataError, UsageError, GpuError, DiskError
 */
export async function replaySweep(
  gpu: Gpu,
  runs: string | readonly string[],
  options: ReplaySweepOptions,
): Promise<SweptReplays> {
  const io = ioOf(options, options.onProgress);
  const { grid, out, resume = false, force = false, budget, ...rest } = options;
  const { signal: _, onNote: __, planKind: ___, onProgress: ____, ...request } = rest;
  const axes = Object.entries(grid).map(([name, values]) => {
    return `${name}=${typeof values === "string" ? values : values.join(",")}`;
  });
  const asked = {
    sources: typeof runs === "string" ? [runs] : runs,
    request: { random: null, save: "summary", saveEvery: 1, stateRepeats: 8, ...request, grid: axes, list: null },
    budget: budget ?? null,
    shard: null,
    out: requireDirectory("out", out),
    ...{ resume, force, plan: false, requireGpu: false },
    ...planOf(options),
  } as const;
  const sweep = sweepOf(asked, io);
  const dir = SweepDirectory.open(out, { resume, force });
  try {
    const code = await sweepInto(dir, sweep, gpu, asked, io);
    return { kind: code === 0 ? "completed" : "interrupted", out, results: readResults(out).records };
  } finally {
    dir.close();
  }
}

/**
 * The report of a run or of a sweep: one HTML page, its figures, and the metrics as CSV.
 * @returns path of the page
 * @throws DataError, DiskError
 */
export async function writeRunReport(
  directory: string,
  options: Pick<LibraryOptions, "onNote"> & { readonly out?: string } = {},
): Promise<string> {
  const note = options.onNote ?? (() => undefined);
  const out = options.out ?? join(directory, "report");
  const { written } = isSweep(directory)
    ? await reportOfSweep(directory, out, undefined, note)
    : await reportOf(directory, out, note);
  return written.html;
}
