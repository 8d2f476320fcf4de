/**
 * A sweep's directory: manifest.json (written first, updated last), sweep.json (the definition), results.jsonl,
 * shards/, and once it is whole metrics.csv and awake.csv. One process at a time may change it.
 */
import fs from "node:fs";
import { join } from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { asDiskError, disk, makeDirectory, probeWritable, readSmallFile, writeFully } from "../io/disk.ts";
import { canonicalJson, readJson, writeJson } from "../io/json.ts";
import { removeLeftovers } from "../io/leftovers.ts";
import { DirectoryLock } from "../io/lock.ts";
import { NpzWriter } from "../io/npz.ts";
import { savedSteps } from "../replay/plan.ts";
import { parseDefinition, type SweepDefinition } from "./definition.ts";
import { canonicalOrder, type ResultRecord, resultKey, resultLine, soundResults } from "./results.ts";
import type { Shard, SweepSink } from "./sweep.ts";
import { sweepTables } from "./table.ts";

const FORMAT = "reverie-sweep";
const MANIFEST = "manifest.json";
const DEFINITION = "sweep.json";
const RESULTS = "results.jsonl";
export const SHARDS = "shards";
const CONTENT = [SHARDS, "report", "metrics.csv", "awake.csv", RESULTS, DEFINITION, MANIFEST];

/** More than a million conditions' lines. */
const MAX_RESULTS_BYTES = 2 ** 32;

const MAX_PARTS = 2 ** 20;

export interface SweepManifest {
  /** Runs or checkpoints that the networks come from. */
  readonly sources: readonly string[];
  /** Which part of the sweep this directory holds. */
  readonly shard: { readonly index: number; readonly of: number };
  readonly [more: string]: unknown;
}

export const shardFile = (index: number): string => `shard-${String(index).padStart(3, "0")}.npz`;

export class SweepDirectory {
  readonly path: string;
  readonly #lock: DirectoryLock;

  private constructor(path: string, lock: DirectoryLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Opens `path` for a new sweep, or with `resume` for the one that it holds, and locks it.
   * @throws UsageError where something would be overwritten, DataError where there is nothing to resume, LockedError,
   *   DiskError
   */
  static open(path: string, options: { readonly resume?: boolean; readonly force?: boolean } = {}): SweepDirectory {
    const { resume = false, force = false } = options;
    if (resume && force) throw new UsageError("--resume and --force exclude each other; give one of them");
    if (resume) requireSweep(path);
    makeDirectory(path);
    probeWritable(path);
    const lock = new DirectoryLock(path);
    try {
      removeLeftovers([path, join(path, SHARDS)]);
      if (!resume) refuseOrRemove(path, force);
      return new SweepDirectory(path, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  begin(definition: SweepDefinition, manifest: SweepManifest): void {
    this.writeManifest(manifest);
    // Last: a directory that has it can be resumed.
    writeFileAtomically(join(this.path, DEFINITION), `${JSON.stringify(definition)}\n`);
  }

  writeManifest(manifest: Readonly<Record<string, unknown>>): void {
    writeJson(join(this.path, MANIFEST), { ...manifest, format: FORMAT });
  }

  updateManifest(changes: Readonly<Record<string, unknown>>): void {
    this.writeManifest({ ...readSweepManifest(this.path), ...changes });
  }

  /** What is there already, and where more goes. What follows a damaged line is cut off and computed again. */
  log(definition: SweepDefinition): ResultsLog {
    return new ResultsLog(this.path, definition);
  }

  /** The canonical results and, when they are those of the whole sweep, the tables. */
  finish(definition: SweepDefinition, records: readonly ResultRecord[], whole: boolean): void {
    const ordered = canonicalOrder(records);
    writeFileAtomically(join(this.path, RESULTS), ordered.map(resultLine).join(""));
    if (!whole) return;
    const tables = sweepTables(definition, ordered);
    writeFileAtomically(join(this.path, "awake.csv"), tables.awake);
    writeFileAtomically(join(this.path, "metrics.csv"), tables.metrics);
  }

  close(): void {
    this.#lock.release();
  }
}

/** @throws DataError where there is nothing to go on with */
export function requireSweep(path: string): void {
  if (fs.existsSync(join(path, DEFINITION))) return;
  throw new DataError(`${path}: no sweep to resume (sweep.json is missing); check the path or leave out --resume`);
}

/** @throws DataError */
export function readSweepManifest(path: string): SweepManifest {
  const file = join(path, MANIFEST);
  const manifest = readJson(file) as SweepManifest & { format?: unknown };
  if (typeof manifest !== "object" || manifest === null || manifest.format !== FORMAT) {
    throw new DataError(`${file}: not the manifest of a sweep; check the path`);
  }
  const { sources, shard } = manifest;
  const isPart = Number.isSafeInteger(shard?.index) && Number.isSafeInteger(shard?.of);
  if (!isPart || shard.index < 0 || shard.index >= shard.of || shard.of > MAX_PARTS) {
    throw new DataError(`${file}: shard is not part i of n; restore the file as reverie sweep wrote it`);
  }
  if (!Array.isArray(sources) || !sources.every((s) => typeof s === "string")) {
    throw new DataError(`${file}: sources is not a list of paths; restore the file as reverie sweep wrote it`);
  }
  return manifest;
}

/** @throws DataError */
export function readDefinition(path: string): SweepDefinition {
  const file = join(path, DEFINITION);
  return parseDefinition(readJson(file), file);
}

export const sameDefinition = (a: SweepDefinition, b: SweepDefinition): boolean =>
  canonicalJson(a) === canonicalJson(b);

/** Lines of a directory for readers that do not lock it; `torn`: whether the file goes on after them. @throws DataError */
export function readResults(path: string): { records: readonly ResultRecord[]; torn: boolean } {
  const content = readSmallFile(join(path, RESULTS), MAX_RESULTS_BYTES);
  const { records, bytes } = soundResults(content);
  return { records, torn: bytes < content.length };
}

/** Appends lines and files while a sweep runs. Call `close`. */
export class ResultsLog implements SweepSink {
  readonly known: ReadonlyMap<string, ResultRecord>;
  /** Bytes behind the last sound line that were cut off. */
  readonly cut: number;
  readonly #records = new Map<string, ResultRecord>();
  readonly #path: string;
  readonly #definition: SweepDefinition;
  #descriptor: number | null;
  #bytes: number;

  constructor(path: string, definition: SweepDefinition) {
    const file = join(path, RESULTS);
    this.#path = path;
    this.#definition = definition;
    const content = fs.existsSync(file) ? readSmallFile(file, MAX_RESULTS_BYTES) : new Uint8Array();
    const sound = soundResults(content);
    for (const r of sound.records) this.#records.set(resultKey(r), r);
    this.known = this.#records;
    this.cut = content.length - sound.bytes;
    this.#bytes = sound.bytes;
    try {
      this.#descriptor = disk.open(file, "a");
      if (this.cut > 0) disk.truncate(this.#descriptor, sound.bytes);
    } catch (error) {
      throw asDiskError(error, file);
    }
  }

  get records(): ResultRecord[] {
    return [...this.#records.values()];
  }

  hasShard(index: number): boolean {
    return fs.existsSync(join(this.#path, SHARDS, shardFile(index)));
  }

  shard(shard: Shard): void {
    makeDirectory(join(this.#path, SHARDS));
    writeShard(join(this.#path, SHARDS, shardFile(shard.index)), this.#definition, shard);
  }

  /** Lines that do not fit on the disk are taken back. @throws DiskError */
  append(records: readonly ResultRecord[]): void {
    const file = join(this.#path, RESULTS);
    const fresh = records.filter((r) => !this.#records.has(resultKey(r)));
    const bytes = Buffer.from(fresh.map(resultLine).join(""));
    if (this.#descriptor === null) throw new Error(`${file}: written after it was closed`);
    try {
      try {
        writeFully(this.#descriptor, bytes);
        disk.fsync(this.#descriptor);
      } catch (error) {
        disk.truncate(this.#descriptor, this.#bytes);
        throw error;
      }
    } catch (error) {
      throw asDiskError(error, file);
    }
    this.#bytes += bytes.length;
    for (const r of fresh) this.#records.set(resultKey(r), r);
  }

  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) disk.close(descriptor);
  }
}

function writeShard(path: string, d: SweepDefinition, shard: Shard): void {
  const saved = savedSteps(d.steps, d.saveEvery);
  const S = d.networks.length;
  const writer = new NpzWriter(path);
  try {
    const labels = (perCondition: number, prefix: string) => {
      const rows = shard.conditions * perCondition;
      const of = (value: (row: number) => number) => Int32Array.from({ length: rows }, (_, row) => value(row));
      writer.add(`${prefix}condition`, [rows], "int32");
      writer.append(of((row) => shard.condition0 + Math.floor(row / perCondition)));
      writer.add(`${prefix}repeat`, [rows], "int32");
      writer.append(of((row) => row % perCondition));
    };
    labels(d.repeats, "");
    writer.add("positions", [S, saved, shard.conditions * d.repeats, 2]);
    writer.append(shard.positions);
    if (shard.states) {
      labels(d.stateRepeats, "state_");
      writer.add("r", [S, saved, shard.conditions * d.stateRepeats, d.shape.units]);
      writer.append(shard.states);
    }
    writer.close();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

function refuseOrRemove(path: string, force: boolean): void {
  const found = CONTENT.filter((name) => fs.existsSync(join(path, name)));
  if (found.length === 0) return;
  const isSweep = (() => {
    try {
      readSweepManifest(path);
      return true;
    } catch {
      return false;
    }
  })();
  // A start that was killed before there was anything to resume.
  const barren = isSweep && found.length === 1;
  if (!barren && !force) {
    throw new UsageError(
      `${path}: holds ${isSweep ? "a sweep" : "other results"} (${found.join(", ")}); ${isSweep ? "add --resume to go on with it, --force to delete it, or " : ""}choose another --out`,
    );
  }
  if (!isSweep) {
    throw new UsageError(
      `${path}: --force deletes only sweeps, and this holds ${found.join(", ")}; choose another --out`,
    );
  }
  for (const name of found) {
    try {
      disk.remove(join(path, name));
    } catch (error) {
      throw asDiskError(error, join(path, name));
    }
  }
}
