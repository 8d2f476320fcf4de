/** `reverie report`: the page, the figures and the tables of a run or a sweep, at any stage of it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../config/load.ts";
import { codeSpec, pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError, EXIT, type ExitCode, UsageError } from "../errors.ts";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { readJson } from "../io/json.ts";
import { readJsonl } from "../io/jsonl.ts";
import { readManifest } from "../io/run-dir.ts";
import { metricsCsv, summarise, summaryCsv } from "../metrics/csv.ts";
import { geometryOf } from "../metrics/geometry.ts";
import type { MetricRecord } from "../metrics/measure.ts";
import type { RateMaps } from "../metrics/rate-maps.ts";
import { NO_PATHS } from "../metrics/readouts.ts";
import { isPaper } from "../paper/directory.ts";
import { describeCondition, type ReportBase, type ReportInput } from "../report/input.ts";
import { type ReadoutReport, writeReadoutReport } from "../report/readout-report.ts";
import { writeReport } from "../report/write.ts";
import type { WrittenReport } from "../report/write-page.ts";
import { errorUnit } from "./experiment.ts";
import { metricsOf, type Replays, readReplays } from "./measured.ts";
import { rateGrid, replayRates } from "./rates.ts";
import { isSweep, reportOfSweep } from "./sweep-report.ts";
import type { Io, ReportOptions } from "./types.ts";

interface LogLine {
  readonly iteration: number;
  readonly loss: readonly number[];
}

function lossOf(run: string, note: (line: string) => void): ReportInput["loss"] {
  const path = join(run, "train.jsonl");
  if (!existsSync(path)) return undefined;
  const lines = readJsonl(path, note);
  const bad = lines.findIndex((line) => !isLogLine(line));
  if (bad >= 0) throw new DataError(`${path}: line ${bad + 1} holds no iteration and losses; restore the file`);
  const log = lines as LogLine[];
  const networks = log[0]?.loss.length ?? 0;
  if (networks === 0) return undefined;
  return {
    iterations: log.map((l) => l.iteration),
    // JSON has no NaN: a loss that was not finite reads as null.
    perNetwork: Array.from({ length: networks }, (_, s) => log.map((l) => l.loss[s] ?? Number.NaN)),
  };
}

const isText = (v: unknown): v is string => typeof v === "string";
const isNumber = (v: unknown): v is number => typeof v === "number";
const listOf = <T>(value: unknown, is: (v: unknown) => v is T): T[] => (Array.isArray(value) ? value.filter(is) : []);

function isLogLine(line: unknown): boolean {
  const { iteration, loss } = (line ?? {}) as { iteration?: unknown; loss?: unknown };
  return isNumber(iteration) && Array.isArray(loss) && loss.every((x) => x === null || isNumber(x));
}

/** A manifest may be anybody's: what is not as we write it is left out. */
function noticesOf(manifest: Readonly<Record<string, unknown>>): string[] {
  const notices = listOf(manifest.givenUp, isText);
  const { kind, remedy } = (manifest.outcome ?? {}) as { kind?: unknown; remedy?: unknown };
  if (isText(kind) && kind !== "completed") {
    notices.push(`Training: ${kind}${isText(remedy) && remedy !== "" ? `; ${remedy}` : ""}.`);
  }
  return notices;
}

/** A mean over networks that differ in more than their seed is one of unlike things: the page says so. */
export function differenceNotice({ networks }: Pick<ExperimentConfig, "networks">): string[] {
  const own = networks.map((n) =>
    Object.entries(n)
      .map(([key, value]) => `${key} ${value}`)
      .join(", "),
  );
  if (new Set(own).size < 2) return [];
  const each = own.map((text, i) => `network ${i}: ${text === "" ? "as configured" : text}`);
  return [
    `The networks differ in more than their seed, and means and spreads here are over all of them (${each.join("; ")}). A sweep tells kinds of training apart.`,
  ];
}

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

/** Awake, and in the first condition whose states were kept. */
function ratesOf(
  config: ExperimentConfig,
  networks: readonly RateMaps[],
  replays: Replays,
): NonNullable<ReportInput["rates"]> {
  const kept = replays.conditions.find((c) => c.states !== undefined);
  const replay = kept?.states && {
    label: kept.name,
    networks: replayRates(config, kept.positions, kept.states),
  };
  return { grid: rateGrid(config), networks, ...(replay ? { replay } : {}) };
}

/** What reports of all tasks show. */
function baseOf(
  run: string,
  config: ExperimentConfig,
  replays: Replays | null,
  records: MetricRecord[],
  note: (line: string) => void,
): ReportBase {
  const manifest = readManifest(run);
  const loss = lossOf(run, note);
  const testError = listOf(manifest.testError, isNumber);
  const decodingError = manifest.decodingError as number[] | null | undefined;
  return {
    title: `Replay of ${config.seeds.length === 1 ? "one network" : `${config.seeds.length} networks`}: ${config.name}`,
    manifest,
    config: config as unknown as Record<string, unknown>,
    ...(loss ? { loss } : {}),
    errorUnit: errorUnit(config),
    errorOf: config.task.kind === "tensors" ? "readouts" : "rates",
    ...(testError.length > 0 ? { testError } : {}),
    ...(decodingError ? { decodingError } : {}),
    conditions: (replays?.conditions ?? []).map((c) => ({
      name: c.name,
      label: capital(c.name),
      detail: describeCondition(config.replay.conditions[c.name] ?? {}),
      positions: c.positions,
    })),
    records,
    every: config.replay.saveEvery,
    notices: [...noticesOf(manifest), ...differenceNotice(config)],
  };
}

function inputOf(base: ReportBase, config: ExperimentConfig, replays: Replays | null): ReportInput {
  const code = codeSpec(config);
  const positions = replays?.awakePositions;
  return {
    ...base,
    ...(code === null ? {} : { surroundings: { centres: code.population.centres } }),
    ...(replays && positions ? { awake: { positions, readout: replays.awakeReadout } } : {}),
    ...(replays?.rates ? { rates: ratesOf(config, replays.rates, replays) } : {}),
    geometry: geometryOf(pathTask(config)),
  };
}

/** Of given tensors: readouts, which are no positions. */
function readoutsOf(base: ReportBase, replays: Replays | null): ReadoutReport {
  const target = replays?.awakeTarget;
  const trials = replays?.trials ?? [];
  return {
    ...base,
    notices: [...base.notices, `${NO_PATHS}.`],
    ...(replays && target ? { awake: { target, readout: replays.awakeReadout, trials } } : {}),
  };
}

export interface Reported {
  readonly written: WrittenReport;
  readonly records: readonly MetricRecord[];
}

/** Makes report and metrics.csv from what the directory holds. */
export async function reportOf(run: string, out: string, note: (line: string) => void): Promise<Reported> {
  if (!existsSync(join(run, "config.json")))
    throw new DataError(`${run}: no run or sweep here (config.json is missing); check the path`);
  const trained = parseConfig(readJson(join(run, "config.json")));
  const path = join(run, "replay", "replay.npz");
  const replays = existsSync(path) ? readReplays(path, trained) : null;
  const config = replays?.config ?? trained;
  const records = replays ? metricsOf(replays) : [];
  if (replays) {
    writeFileAtomically(join(run, "metrics.csv"), metricsCsv(records));
    writeFileAtomically(join(run, "metrics-summary.csv"), summaryCsv(summarise(records)));
  }
  const base = baseOf(run, config, replays, records, note);
  const written =
    config.task.kind === "tensors"
      ? await writeReadoutReport(readoutsOf(base, replays), out)
      : await writeReport(inputOf(base, config, replays), out);
  if (written.pngSkipped) note(written.pngSkipped);
  return { written, records };
}

async function ofRun(options: ReportOptions, io: Io): Promise<{ written: WrittenReport; conditions: number }> {
  if (options.metrics !== undefined)
    throw new UsageError("--metrics chooses what is drawn of a sweep, and this is a run");
  const { written, records } = await reportOf(options.run, options.out, io.note);
  return { written, conditions: new Set(records.map((r) => r.condition)).size };
}

async function ofPaper(options: ReportOptions, io: Io): Promise<ExitCode> {
  if (options.metrics !== undefined)
    throw new UsageError("--metrics chooses what is drawn of a sweep, and this is a reproduction");
  const { reportOfPaper } = await import("./paper.ts");
  const { written, findings } = await reportOfPaper(options.run, options.out, io.note);
  const { claims, missing } = findings;
  io.out(
    io.json
      ? JSON.stringify({ report: written.html, figures: written.figures, claims: claims.length, missing })
      : written.html,
  );
  return EXIT.ok;
}

export async function runReport(options: ReportOptions, io: Io): Promise<ExitCode> {
  if (isPaper(options.run)) return ofPaper(options, io);
  const { written, conditions } = isSweep(options.run)
    ? await reportOfSweep(options.run, options.out, options.metrics, io.note)
    : await ofRun(options, io);
  io.out(io.json ? JSON.stringify({ report: written.html, figures: written.figures, conditions }) : written.html);
  return EXIT.ok;
}
