/** `reverie metrics`: the metrics of model.md section 8 for anybody's positions. */
import { activityReference, measureCloud } from "../code/activity.ts";
import { cellsOf } from "../code/population.ts";
import { codeSpec, pathTask } from "../config/resolve.ts";
import { DataError, EXIT, type ExitCode } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { formatCsv } from "../io/csv.ts";
import { expectArray, type Npz, readNpz } from "../io/npz.ts";
import { activityValues, type CodeMetricValues, NO_CODE } from "../metrics/code.ts";
import { cell } from "../metrics/csv.ts";
import { type Geometry, geometryOf } from "../metrics/geometry.ts";
import { AWAKE, awakeReference, measure } from "../metrics/measure.ts";
import { SPREAD_METRICS, type SpreadMetric, spreadOverRows } from "../metrics/row-spread.ts";
import { METRIC_NAMES, METRICS, type MetricName, type MetricValues } from "../metrics/table.ts";
import type { States, Trajectories } from "../metrics/trajectories.ts";
import { spreadText } from "../report/format.ts";
import { extentOf } from "../task/extent.ts";
import { replaySettings } from "./measured.ts";
import { openForVerb, planKindFor } from "./open.ts";
import { prepareOutput } from "./output.ts";
import type { Io, MetricsOptions } from "./types.ts";

/** One file's arrays. Rows that are not finite are data: they diverged. */
interface Recording {
  readonly path: string;
  /** "replay", or what a run calls the condition. */
  readonly condition: string;
  readonly replay: Trajectories;
  readonly awake: Trajectories | null;
  readonly states: States | null;
  readonly activity: Activity | null;
}

/** Activity of place cells, (rows × steps, cells), and the awake one that it is compared with. */
interface Activity {
  readonly cells: number;
  readonly replay: Float32Array;
  readonly awake: Float32Array | null;
}

/** Replay, then awake, in activity space. */
type MeasuredActivity = readonly [CodeMetricValues, CodeMetricValues];

/** A line of the table: the replays of a file, or its awake paths. */
export interface MeasuredFile {
  readonly file: string;
  /** "replay", "awake", or a run's condition. */
  readonly condition: string;
  readonly rows: number;
  readonly steps: number;
  readonly values: MetricValues;
  /** Standard deviation over rows. */
  readonly sd: Readonly<Record<SpreadMetric, number>>;
}

const NAMES = ["positions", "awake", "states", "activity", "awake_activity"];

function activityOf(npz: Npz): Activity | null {
  if (!npz.has("activity")) {
    if (!npz.has("awake_activity")) return null;
    throw new DataError(`${npz.path}: awake_activity: there is no activity (rows, T, cells) to compare with it`);
  }
  const sizes: Record<string, number> = {};
  const read = (name: string) =>
    expectArray(npz, name, { dtype: "float32", shape: ["rows", "T", "cells"], sizes, finite: false });
  const replay = read("activity");
  const cells = sizes.cells as number;
  if (replay.length === 0) throw new DataError(`${npz.path}: activity: holds nothing; leave it out`);
  // Awake paths have rows and steps of their own.
  for (const axis of ["rows", "T"]) delete sizes[axis];
  return { cells, replay, awake: npz.has("awake_activity") ? read("awake_activity") : null };
}

function trajectories(npz: Npz, name: string, every: number): Trajectories {
  const shape = npz.get(name)?.shape ?? [];
  const positions = expectArray(npz, name, { dtype: "float64", shape: ["rows", "T", 2], finite: false });
  const [rows = 0, steps = 0] = shape;
  if (rows === 0 || steps === 0) {
    throw new DataError(`${npz.path}: ${name}: shape (${shape.join(", ")}) has no positions; at least one is needed`);
  }
  return { positions, rows, steps, every };
}

/** Memory of the rows that are finite in states and positions; the others have diverged. */
function finiteStates(npz: Npz, replay: Trajectories, every: number): States {
  const { rows, steps } = replay;
  const values = expectArray(npz, "states", {
    dtype: "float64",
    shape: ["rows", "T", "N"],
    sizes: { rows, T: steps },
    finite: false,
  });
  const units = npz.get("states")?.shape[2] ?? 0;
  if (units === 0) throw new DataError(`${npz.path}: states: there are no units; leave the array out`);
  const width = steps * units;
  const keep = Array.from({ length: rows }, (_, r) => r).filter(
    (r) =>
      values.subarray(r * width, (r + 1) * width).every(Number.isFinite) &&
      replay.positions.subarray(r * steps * 2, (r + 1) * steps * 2).every(Number.isFinite),
  );
  const kept = new Float64Array(keep.length * width);
  keep.forEach((r, i) => {
    kept.set(values.subarray(r * width, (r + 1) * width), i * width);
  });
  return { values: kept, rows: keep.length, steps, units, every };
}

const OF_CONDITION = "positions_";

/** An array (network, time, row, 2) of a run as rows of all its networks. */
function pooled(npz: Npz, name: string, every: number): Trajectories {
  const values = expectArray(npz, name, { dtype: "float64", shape: ["networks", "T", "rows", 2], finite: false });
  const [S = 0, steps = 0, B = 0] = npz.get(name)?.shape ?? [];
  if (values.length === 0) throw new DataError(`${npz.path}: ${name}: there are no positions`);
  const positions = new Float64Array(values.length);
  for (let from = 0; from < values.length; from += 2) {
    const [s, t, b] = [Math.floor(from / 2 / B / steps), Math.floor(from / 2 / B) % steps, (from / 2) % B];
    positions.set(values.subarray(from, from + 2), ((s * B + b) * steps + t) * 2);
  }
  return { positions, rows: S * B, steps, every };
}

/** Steps between two positions of a run's replay file; what the caller says where the file does not. */
function savedEvery(npz: Npz, every: number): number {
  try {
    const found: unknown = (replaySettings(npz) as { saveEvery?: unknown } | undefined)?.saveEvery;
    return Number.isInteger(found) && (found as number) > 0 ? (found as number) : every;
  } catch {
    return every;
  }
}

/** The conditions of a file that `reverie replay` wrote; awake is what the networks made of awake paths. */
function ofRun(npz: Npz, every: number): Recording[] {
  const awake = npz.has("awake_readout") ? pooled(npz, "awake_readout", 1) : null;
  return [...npz.keys()]
    .filter((name) => name.startsWith(OF_CONDITION))
    .map((name) => ({
      path: npz.path,
      condition: name.slice(OF_CONDITION.length),
      replay: pooled(npz, name, savedEvery(npz, every)),
      awake,
      states: null,
      activity: null,
    }));
}

/** What a file has to be measured: one replay, or the conditions of a run. @throws DataError naming what is expected */
function readRecordings(path: string, every: number): Recording[] {
  const others: string[] = [];
  const npz = readNpz(path, {
    only: (name) => {
      const wanted =
        NAMES.includes(name) || name.startsWith(OF_CONDITION) || ["awake_readout", "manifest"].includes(name);
      if (!wanted) others.push(name);
      return wanted;
    },
  });
  if (!npz.has("positions")) {
    const conditions = ofRun(npz, every);
    if (conditions.length > 0) return conditions;
    const found = [...npz.keys(), ...others].join(", ") || "no arrays";
    throw new DataError(
      `${path}: positions: missing; the file has ${found}; save the decoded paths as positions (rows, T, 2)`,
    );
  }
  const replay = trajectories(npz, "positions", every);
  const awake = npz.has("awake") ? trajectories(npz, "awake", 1) : null;
  if (awake && !awake.positions.some(Number.isFinite)) {
    throw new DataError(`${path}: awake: no value is finite, so nothing can be compared with it; leave the array out`);
  }
  const states = npz.has("states") ? finiteStates(npz, replay, every) : null;
  return [{ path, condition: "replay", replay, awake, states, activity: activityOf(npz) }];
}

const NO_PATHS: Trajectories = { positions: new Float64Array(0), rows: 0, steps: 0 };
const UNDEFINED = Object.fromEntries(METRIC_NAMES.map((name) => [name, Number.NaN])) as Record<MetricName, number>;

/**
 * Metrics of a file's replays and, where it has any, of its awake paths.
 * @param first the replays that `compression_reference` and `compression_laps` compare with; null for none
 */
export function measureRecording(
  { path, condition, replay, awake, states }: Recording,
  geometry: Geometry,
  first: MetricValues | null,
  code?: MeasuredActivity,
): MeasuredFile[] {
  const reference = awakeReference(awake ?? NO_PATHS, geometry);
  const record = (name: string, t: Trajectories, values: MetricValues): MeasuredFile => ({
    file: path,
    condition: name,
    rows: t.rows,
    steps: t.steps,
    values,
    sd: spreadOverRows(t, geometry),
  });
  const values = measure(replay, reference, geometry, awake?.steps ?? replay.steps, {
    reference: first ?? UNDEFINED,
    ...(states === null || states.rows === 0 ? {} : { states }),
    ...(code ? { code: code[0] } : {}),
  });
  const records = [record(condition, replay, values)];
  if (awake) {
    const extra = { reference: UNDEFINED, ...(code ? { code: code[1] } : {}) };
    records.push(record(AWAKE, awake, measure(awake, reference, geometry, awake.steps, extra)));
  }
  return records;
}

const isSpread = (name: MetricName): name is SpreadMetric => SPREAD_METRICS.includes(name as SpreadMetric);

/** One line per file and condition; a metric that is a mean over rows is followed by its standard deviation. */
export function measuredCsv(measured: readonly MeasuredFile[]): string {
  const columns = METRIC_NAMES.flatMap((name) => (isSpread(name) ? [name, `${name}_sd`] : [name]));
  const rows = measured.map(({ file, condition, rows: count, steps, values, sd }) => ({
    file,
    condition,
    rows: count,
    steps,
    ...Object.fromEntries(METRIC_NAMES.map((name) => [name, cell(values[name])])),
    ...Object.fromEntries(SPREAD_METRICS.map((name) => [`${name}_sd`, cell(sd[name])])),
  }));
  return formatCsv(["file", "condition", "rows", "steps", ...columns], rows);
}

/** Metrics down, files across; what no file defines is left out. */
export function measuredTable(measured: readonly MeasuredFile[]): string {
  const shown = METRICS.filter((m) => measured.some((f) => !Number.isNaN(f.values[m.name])));
  const several = new Set(measured.map((f) => f.file)).size > 1;
  const head = measured.map((f) => (several ? `${f.file} ${f.condition}` : f.condition));
  const rows = [
    ["metric", "unit", ...head],
    ["rows × steps", "", ...measured.map((f) => `${f.rows} × ${f.steps}`)],
    ...shown.map((m) => [
      m.name,
      m.unit === m.name ? "" : m.unit,
      ...measured.map((f) =>
        spreadText({ mean: f.values[m.name], sd: isSpread(m.name) ? f.sd[m.name] : Number.NaN, n: f.rows }),
      ),
    ]),
  ];
  const widths = (rows[0] as string[]).map((_, c) => Math.max(...rows.map((r) => [...(r[c] as string)].length)));
  const lines = rows.map((r) =>
    r
      .map((text, c) => {
        const blank = " ".repeat((widths[c] as number) - [...text].length);
        return c < 2 ? text + blank : blank + text;
      })
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, "─".repeat(widths.reduce((a, b) => a + b + 2, -2)));
  return `${lines.join("\n")}\n± standard deviation over rows; ∞: half of the rows or more never arrive; –: not defined\n`;
}

/** JSON has no NaN and no infinity: null and "inf", as in the CSV. */
function measuredJson(measured: readonly MeasuredFile[]): string {
  return JSON.stringify(measured, (_, value) => (typeof value === "number" ? cell(value) : value));
}

/** On the GPU, as the activity of our own replays. `code_distance` needs cells in the configuration, as many as there are. */
async function measuredActivity(
  { path, activity }: Recording,
  { config }: MetricsOptions,
  openGpu: () => Promise<Gpu>,
  note: Io["note"],
): Promise<MeasuredActivity | undefined> {
  if (activity === null) return undefined;
  const { cells, replay, awake } = activity;
  const own = codeSpec(config);
  const code = own && cellsOf(own.population) === cells ? own.population : null;
  if (code === null) note(`${path}: no code_distance: the configuration has no task.cells with count ${cells}`);
  const gpu = await openGpu();
  const kind = planKindFor(gpu, {}, { units: cells, rows: 32 });
  const reference = awake && (await activityReference(gpu, kind, cells, awake));
  const measured = code && { population: code, extent: extentOf(pathTask(config)) };
  const of = async (cloud: Float32Array | null): Promise<CodeMetricValues> =>
    cloud === null ? NO_CODE : activityValues(await measureCloud(gpu, kind, cells, measured, cloud, reference));
  return [await of(replay), await of(awake)];
}

export async function runMetrics(options: MetricsOptions, io: Io): Promise<ExitCode> {
  const geometry = geometryOf(pathTask(options.config));
  if (options.out !== undefined) prepareOutput(options.out);
  const measured: MeasuredFile[] = [];
  let first: MetricValues | null = null;
  let gpu: Gpu | null = null;
  const openGpu = async (): Promise<Gpu> => {
    gpu ??= await openForVerb({ requireGpu: false }, io);
    return gpu;
  };
  try {
    // One file at a time: states are large, and results are small.
    for (const path of options.files) {
      const recordings = readRecordings(path, options.every);
      for (const [i, recording] of recordings.entries()) {
        const code = await measuredActivity(recording, options, openGpu, io.note);
        const records = measureRecording(recording, geometry, first, code);
        const { diverged } = (records[0] as MeasuredFile).values;
        if (diverged > 0) {
          io.note(
            `${path}: ${Math.round(diverged * recording.replay.rows)} of ${recording.replay.rows} rows diverged; ` +
              "rows with NaN or infinity count for reach times and diverged alone",
          );
        }
        first ??= options.files.length > 1 || recordings.length > 1 ? (records[0] as MeasuredFile).values : null;
        // Awake paths are those of the file, not of a condition.
        measured.push(...(i + 1 < recordings.length ? records.slice(0, 1) : records));
      }
      io.signal.throwIfAborted();
    }
  } finally {
    await (gpu as Gpu | null)?.close();
  }
  if (options.out !== undefined) {
    writeFileAtomically(options.out, measuredCsv(measured));
    io.note(`wrote ${options.out}`);
  }
  io.out(io.json ? measuredJson(measured) : measuredTable(measured));
  return EXIT.ok;
}
