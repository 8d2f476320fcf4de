/**
 * The directory of a reproduction: manifest.json (written first, updated last), networks/ (a run each), sweeps/,
 * results/<experiment>.json, and the report: index.html, figures/, claims.csv, claims.json. One process at a time.
 */
import fs from "node:fs";
import { join } from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { asDiskError, disk, makeDirectory, probeWritable, readSmallFile } from "../io/disk.ts";
import { parseJson, readJson, writeJson } from "../io/json.ts";
import { removeLeftovers } from "../io/leftovers.ts";
import { DirectoryLock } from "../io/lock.ts";
import { fromWords, resultText } from "./result-json.ts";

const FORMAT = "reverie-paper";
const MANIFEST = "manifest.json";
const RESULTS = "results";
const RESULT_FORMAT = "reverie-paper-result";
/** The manifest goes last, so that half a removal is recognised. */
const CONTENT = [
  "figures",
  "report",
  "index.html",
  "claims.csv",
  "claims.json",
  RESULTS,
  "sweeps",
  "networks",
  MANIFEST,
];
/** Learning curves of hundreds of networks take a few of them. */
const MAX_RESULT_BYTES = 2 ** 30;

/** Which protocol something was made under. */
export interface ProtocolMark {
  readonly digest: string;
  readonly quick: boolean;
}

export interface PaperManifest {
  readonly protocol: ProtocolMark;
  /** Seconds of each stage, all sessions together. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly outcome: { readonly kind: string; readonly remedy?: string };
  readonly [more: string]: unknown;
}

export class PaperDirectory {
  readonly path: string;
  readonly #lock: DirectoryLock;

  private constructor(path: string, lock: DirectoryLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Opens `path` for a new reproduction, or with `resume` for the one that it holds, and locks it.
   * @throws UsageError where something would be overwritten, DataError where there is nothing to resume, LockedError,
   *   DiskError
   */
  static open(path: string, options: { readonly resume?: boolean; readonly force?: boolean } = {}): PaperDirectory {
    const { resume = false, force = false } = options;
    if (resume && force) throw new UsageError("--resume and --force exclude each other; give one of them");
    if (resume) requireSomething(path);
    makeDirectory(path);
    probeWritable(path);
    const lock = new DirectoryLock(path);
    try {
      removeLeftovers([path, join(path, RESULTS)]);
      if (!resume) refuseOrRemove(path, force);
      return new PaperDirectory(path, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** @throws DiskError */
  writeManifest(manifest: PaperManifest): void {
    writeJson(join(this.path, MANIFEST), { format: FORMAT, ...manifest });
  }

  /** Replaces or adds members of the manifest, in one step. @throws DiskError, DataError */
  updateManifest(changes: Partial<PaperManifest>): void {
    const { format: _, ...manifest } = readPaperManifest(this.path) as PaperManifest & { format?: unknown };
    this.writeManifest({ ...manifest, ...changes });
  }

  /** @throws DiskError */
  writeResult(experiment: string, mark: ProtocolMark, seconds: number, result: unknown): void {
    makeDirectory(join(this.path, RESULTS));
    const document = { format: RESULT_FORMAT, experiment, protocol: mark, seconds, result };
    writeFileAtomically(resultFile(this.path, experiment), `${resultText(document)}\n`);
  }

  close(): void {
    this.#lock.release();
  }
}

const resultFile = (directory: string, experiment: string): string => join(directory, RESULTS, `${experiment}.json`);

export const hasManifest = (directory: string): boolean => fs.existsSync(join(directory, MANIFEST));

export const isPaper = (directory: string): boolean => {
  try {
    readPaperManifest(directory);
    return true;
  } catch {
    return false;
  }
};

/** @throws DataError */
export function readPaperManifest(directory: string): PaperManifest {
  const file = join(directory, MANIFEST);
  const manifest = readJson(file) as PaperManifest & { format?: unknown };
  if (typeof manifest !== "object" || manifest === null || manifest.format !== FORMAT) {
    throw new DataError(`${file}: not the manifest of a reproduction; check the path`);
  }
  const { protocol } = manifest;
  if (typeof protocol?.digest !== "string" || typeof protocol.quick !== "boolean") {
    throw new DataError(`${file}: names no protocol; restore the file as reverie paper wrote it`);
  }
  return manifest;
}

/**
 * What an experiment measured under this very protocol; undefined where it did not, or under another one.
 * @throws DataError for a file that is not one of ours
 */
export function readResult(directory: string, experiment: string, mark: ProtocolMark): unknown {
  const file = resultFile(directory, experiment);
  if (!fs.existsSync(file)) return undefined;
  const found = parseJson(readSmallFile(file, MAX_RESULT_BYTES).toString("utf8"), file) as {
    format?: unknown;
    experiment?: unknown;
    protocol?: ProtocolMark;
    result?: unknown;
  };
  if (found?.format !== RESULT_FORMAT || found.experiment !== experiment || found.result === undefined) {
    throw new DataError(`${file}: not a result of ${experiment}; delete it, and it is measured anew`);
  }
  const isSame = found.protocol?.digest === mark.digest && found.protocol.quick === mark.quick;
  return isSame ? fromWords(found.result) : undefined;
}

/** @throws UsageError where a full reproduction would go on with a quick one, or the other way round */
export function requireKind(directory: string, { quick }: Pick<ProtocolMark, "quick">): void {
  if (!hasManifest(directory) || readPaperManifest(directory).protocol.quick === quick) return;
  const [found, asked] = quick ? ["full", "quick"] : ["quick", "full"];
  throw new UsageError(`${directory}: holds a ${found} reproduction, not a ${asked} one; choose another --out`);
}

function requireSomething(path: string): void {
  // Networks may have been trained before the first experiment began.
  if (hasManifest(path) || fs.existsSync(join(path, "networks"))) return;
  throw new DataError(`${path}: no reproduction to resume; check the path or leave out --resume`);
}

function refuseOrRemove(path: string, force: boolean): void {
  const found = CONTENT.filter((name) => fs.existsSync(join(path, name)));
  if (found.length === 0) return;
  if (!isPaper(path)) {
    throw new UsageError(
      `${path}: holds other results (${found.join(", ")})${force ? "; --force deletes only reproductions" : ""}; choose another --out`,
    );
  }
  // A start that was killed before there was anything to resume.
  if (!force && found.length > 1) {
    throw new UsageError(
      `${path}: holds a reproduction (${found.join(", ")}); add --resume to go on with it, --force to delete it, or choose another --out`,
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
