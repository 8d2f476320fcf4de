/** Files that are there whole or not at all. */
import fs from "node:fs";
import { dirname } from "node:path";
import { DirectWriter } from "./direct.ts";
import { asDiskError, disk, syncDirectory, temporaryName, writeFully } from "./disk.ts";

/** Bytes that may wait for the disk before it is told to begin with them. */
const FLUSH_BYTES = 64 * 2 ** 20;

/**
 * Sends what is appended to a file on its way to the disk while the process goes on, so that the last fsync has little
 * left to wait for. On a descriptor of its own: an error is told to each descriptor once, and it is the writer's fsync
 * that reports it.
 */
class Flusher {
  readonly #path: string;
  #until = FLUSH_BYTES;
  #running = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** After every append: how long the file is. */
  reached(length: number): void {
    if (this.#running || length < this.#until) return;
    this.#until = length + FLUSH_BYTES;
    try {
      const descriptor = disk.open(this.#path, "r+");
      this.#running = true;
      disk.flush(descriptor, () => {
        this.#running = false;
        fs.close(descriptor, () => undefined);
      });
    } catch {
      // Only a head start is lost.
    }
  }
}

/**
 * A file that appears under its name only when `commit` has succeeded; until then whatever bore the name stays
 * untouched. Temporary file → fsync → rename → fsync of the directory. Every failure removes the temporary file
 * and is thrown as a DiskError.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #flusher: Flusher;
  #descriptor: number | null = null;
  #direct: DirectWriter | null = null;
  #length = 0;

  /** @param o.large hundreds of megabytes, which nobody reads soon: written past the system's cache where that can be */
  constructor(path: string, { large = false }: { readonly large?: boolean } = {}) {
    this.path = path;
    this.#temporary = temporaryName(path);
    this.#flusher = new Flusher(this.#temporary);
    try {
      this.#descriptor = disk.open(this.#temporary, "wx");
    } catch (error) {
      throw asDiskError(error, path);
    }
    if (large) this.#attempt((descriptor) => (this.#direct = DirectWriter.open(this.#temporary, descriptor)));
  }

  /** Bytes appended so far. */
  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    const direct = this.#direct;
    this.#attempt((descriptor) => (direct ? direct.append(bytes) : writeFully(descriptor, bytes, this.#length)));
    this.#length += bytes.length;
    if (!direct) this.#flusher.reached(this.#length);
  }

  /** Overwrites bytes that were appended before. */
  patch(bytes: Uint8Array, position: number): void {
    const direct = this.#direct;
    this.#attempt((descriptor) => (direct ? direct.patch(bytes, position) : writeFully(descriptor, bytes, position)));
  }

  commit(): void {
    this.#attempt((descriptor) => {
      this.#direct?.finish();
      disk.fsync(descriptor);
      // The descriptor is gone even when close reports an error.
      this.#descriptor = null;
      disk.close(descriptor);
      disk.rename(this.#temporary, this.path);
      syncDirectory(dirname(this.path));
    });
  }

  /** Gives up: nothing is left behind. Harmless after `commit` or a failure. */
  abort(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    // The first error is the one to report; what fails during the clean-up is removed by the next run.
    for (const cleanUp of [
      () => this.#direct?.close(),
      () => descriptor !== null && disk.close(descriptor),
      () => disk.unlink(this.#temporary),
    ]) {
      try {
        cleanUp();
      } catch {}
    }
  }

  #attempt(action: (descriptor: number) => void): void {
    if (this.#descriptor === null) throw new Error(`${this.path}: written after it was closed`);
    try {
      action(this.#descriptor);
    } catch (error) {
      this.abort();
      throw asDiskError(error, this.path);
    }
  }
}

/** Replaces `path` by `content` in one step. @throws DiskError */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  const file = new AtomicFile(path);
  file.append(typeof content === "string" ? Buffer.from(content) : content);
  file.commit();
}
