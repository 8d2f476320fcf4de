/** One JSON value per line, appended while a run goes on; a kill or a full disk can damage only the last line. */

import { createHash } from "node:crypto";
import fs from "node:fs";
import { DataError } from "../errors.ts";
import { asDiskError, disk, readSmallFile, writeFully } from "./disk.ts";
import { jsonLine } from "./json.ts";

interface SoundLines {
  readonly values: unknown[];
  /** Bytes up to and including the last line kept. */
  readonly bytes: number;
  /** Whether the file goes on after them. */
  readonly torn: boolean;
}

/** The leading lines that are whole and parse, at most `limit` of them. */
function soundLines(content: Buffer, limit = Number.POSITIVE_INFINITY): SoundLines {
  const values: unknown[] = [];
  let bytes = 0;
  while (values.length < limit) {
    const end = content.indexOf("\n", bytes);
    if (end < 0) break;
    try {
      values.push(JSON.parse(content.toString("utf8", bytes, end)));
    } catch {
      break;
    }
    bytes = end + 1;
  }
  return { values, bytes, torn: bytes < content.length && values.length < limit };
}

/**
 * All sound lines. A torn end is what a killed run leaves: it is skipped, and `notice` is told.
 * @throws DataError for a missing file, and for a broken line that is not the last
 */
export function readJsonl(path: string, notice: (message: string) => void = () => {}): unknown[] {
  const content = readSmallFile(path);
  const { values, bytes, torn } = soundLines(content);
  if (torn) {
    const line = values.length + 1;
    const end = content.indexOf("\n", bytes);
    if (end >= 0 && end < content.length - 1) {
      throw new DataError(`${path}: line ${line} is not JSON; remove it or restore the file`);
    }
    notice(`${path}: line ${line} is incomplete and was skipped`);
  }
  return values;
}

/** Appends records to a .jsonl file. Call `close`. */
export class JsonlAppender {
  readonly path: string;
  /** Lines in the file, those found at the start included. */
  lines: number;
  #descriptor: number | null;
  #bytes: number;
  readonly #hash = createHash("sha256");

  /**
   * Opens or creates the file. What follows the first `keepLines` sound lines is cut off: the torn line of a killed
   * run, and lines newer than the checkpoint that it resumes from.
   * @throws DiskError, DataError
   */
  constructor(path: string, keepLines: number = Number.POSITIVE_INFINITY) {
    this.path = path;
    const content = fs.existsSync(path) ? readSmallFile(path) : null;
    const kept = content === null ? null : soundLines(content, keepLines);
    if (content !== null && kept !== null) this.#hash.update(content.subarray(0, kept.bytes));
    try {
      const descriptor = disk.open(path, "a");
      this.#descriptor = descriptor;
      if (kept !== null) disk.truncate(descriptor, kept.bytes);
    } catch (error) {
      throw asDiskError(error, path);
    }
    this.lines = kept?.values.length ?? 0;
    this.#bytes = kept?.bytes ?? 0;
  }

  /** A line that does not fit on the disk is taken back. @throws DiskError */
  append(record: unknown): void {
    const line = Buffer.from(jsonLine(record));
    this.#attempt((descriptor) => {
      try {
        writeFully(descriptor, line);
      } catch (error) {
        disk.truncate(descriptor, this.#bytes);
        throw error;
      }
    });
    this.#bytes += line.length;
    this.lines++;
    this.#hash.update(line);
  }

  /** SHA-256 in hex of the lines in the file. */
  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Waits until the lines are on the disk; call it before a checkpoint that counts them. @throws DiskError */
  sync(): void {
    this.#attempt((descriptor) => disk.fsync(descriptor));
  }

  /** @throws DiskError */
  close(): void {
    if (this.#descriptor === null) return;
    this.#attempt((descriptor) => {
      this.#descriptor = null;
      disk.close(descriptor);
    });
  }

  #attempt(action: (descriptor: number) => void): void {
    if (this.#descriptor === null) throw new Error(`${this.path}: written after it was closed`);
    try {
      action(this.#descriptor);
    } catch (error) {
      throw asDiskError(error, this.path);
    }
  }
}
