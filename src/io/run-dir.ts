/**
 * A run directory: config.json, manifest.json (written first, updated last), train.jsonl, checkpoints/, replay/,
 * metrics.csv, report/. One process at a time may change it.
 */
import fs from "node:fs";
import { dirname, join } from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { asDiskError, disk, makeDirectory, probeWritable, temporaryOwner } from "./disk.ts";
import { readJson, writeJson } from "./json.ts";
import { JsonlAppender } from "./jsonl.ts";
import { removeLeftovers } from "./leftovers.ts";
import { DirectoryLock } from "./lock.ts";

const MANIFEST = "manifest.json";
const CONFIG = "config.json";
const TRAIN_LOG = "train.jsonl";
const FORMAT = "reverie-run";

/** Everything that a run may leave in its directory; the manifest goes last, so that half a removal is recognised. */
const CONTENT = [
  "checkpoints",
  "replay",
  "report",
  "metrics.csv",
  "metrics-summary.csv",
  TRAIN_LOG,
  CONFIG,
  MANIFEST,
] as const;
const FOLDERS = [".", "checkpoints", "replay", "report"] as const;

export interface RunDirectoryOptions {
  /** Go on with the run that is there. */
  readonly resume?: boolean;
  /** Delete the run that is there, and nothing else. */
  readonly force?: boolean;
}

/** An open, locked run directory. Call `close`. */
export class RunDirectory {
  readonly path: string;
  readonly #lock: DirectoryLock;

  constructor(path: string, lock: DirectoryLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Path of a file inside, its folder created where it is missing: `file("replay", "replay.npz")`. */
  file(...parts: readonly string[]): string {
    const path = join(this.path, ...parts);
    makeDirectory(dirname(path));
    return path;
  }

  /** @throws DiskError */
  writeConfig(config: unknown): void {
    writeJson(join(this.path, CONFIG), config);
  }

  /** @throws DataError */
  readConfig(): unknown {
    return readJson(join(this.path, CONFIG));
  }

  /** Writes what a later reader needs to know about this run; the first file of a run. @throws DiskError */
  writeManifest(manifest: Readonly<Record<string, unknown>>): void {
    writeJson(join(this.path, MANIFEST), Object.assign({ format: "" }, manifest, { format: FORMAT }));
  }

  /** Replaces or adds members of the manifest, in one step. @throws DiskError, DataError */
  updateManifest(changes: Readonly<Record<string, unknown>>): void {
    this.writeManifest({ ...this.readManifest(), ...changes });
  }

  /** @throws DataError */
  readManifest(): Record<string, unknown> {
    return readManifest(this.path);
  }

  /**
   * The training log, for appending. `keepLines`: the loss history of the checkpoint that is resumed from; later
   * lines are cut off, as they will be written again.
   * @throws DiskError
   */
  trainLog(keepLines?: number): JsonlAppender {
    return new JsonlAppender(join(this.path, TRAIN_LOG), keepLines);
  }

  /** Unlocks the directory. @throws DiskError */
  close(): void {
    this.#lock.release();
  }
}

/** The manifest of a run directory, for readers that do not lock it. @throws DataError */
export function readManifest(directory: string): Record<string, unknown> {
  const path = join(directory, MANIFEST);
  const manifest = readJson(path);
  if (typeof manifest !== "object" || manifest === null || !("format" in manifest) || manifest.format !== FORMAT) {
    throw new DataError(`${path}: not the manifest of a reverie run; check the path`);
  }
  return manifest as Record<string, unknown>;
}

/**
 * Opens `path` for a new run (created where it is missing), or with `resume` for the run that it holds. Checks that
 * it can be written, locks it, and removes temporary files of processes that were killed.
 * @throws UsageError where a run would be overwritten, DataError where there is none to resume, LockedError, DiskError
 */
export function openRunDirectory(path: string, options: RunDirectoryOptions = {}): RunDirectory {
  const { resume = false, force = false } = options;
  if (resume && force) throw new UsageError("--resume and --force exclude each other; give one of them");
  if (resume && !fs.existsSync(path)) throw nothingToResume(path);
  makeDirectory(path);
  probeWritable(path);
  const lock = new DirectoryLock(path);
  try {
    removeLeftovers(FOLDERS.map((folder) => join(path, folder)));
    const found = CONTENT.filter((name) => fs.existsSync(join(path, name)));
    if (resume && !found.includes(MANIFEST)) throw nothingToResume(path);
    if (!resume && found.length > 0) {
      if (!force && !isBarren(path)) {
        throw new UsageError(
          `${path}: holds a run (${found.join(", ")}); add --resume to go on with it, --force to delete it, or choose another --out`,
        );
      }
      removeRun(path, found);
    }
    return new RunDirectory(path, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Whether a run was begun and stopped before its first checkpoint: there is nothing in it that could be lost. */
export function isBarren(path: string): boolean {
  try {
    readManifest(path);
  } catch {
    return false;
  }
  const checkpoints = join(path, "checkpoints");
  const saved = fs.existsSync(checkpoints) ? fs.readdirSync(checkpoints) : [];
  if (!saved.every((name) => temporaryOwner(name) !== null)) return false;
  return CONTENT.every((name) => {
    if ([MANIFEST, CONFIG, "checkpoints"].includes(name)) return true;
    const found = fs.statSync(join(path, name), { throwIfNoEntry: false });
    // The log of losses is opened before the first checkpoint, which counts its lines.
    return found === undefined || (name === TRAIN_LOG && found.size === 0);
  });
}

function nothingToResume(path: string): DataError {
  let found: string[] = [];
  try {
    found = fs.readdirSync(path);
  } catch {}
  const what = found.length === 0 ? "nothing is there" : `found ${found.slice(0, 8).join(", ")}`;
  return new DataError(`${path}: no run to resume (${what}); check the path or leave out --resume`);
}

function removeRun(path: string, found: readonly string[]): void {
  try {
    readManifest(path);
  } catch (error) {
    throw new UsageError(
      `${path}: --force deletes only runs, and ${found.join(", ")} come without a run's manifest.json; choose another --out`,
      { cause: error },
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
