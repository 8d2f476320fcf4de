/**
 * Calls of the file system, with errors that a person can act on. Everything in `src/io` reaches it through `disk`, so that
 * a test can make the n-th call fail.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { dirname } from "node:path";
import { DataError, DiskError } from "../errors.ts";

export const disk = {
  open: (path: string, flags: string | number): number => fs.openSync(path, flags),
  write: (descriptor: number, bytes: Uint8Array, from: number, length: number, position: number | null): number =>
    fs.writeSync(descriptor, bytes, from, length, position),
  read: (descriptor: number, bytes: Uint8Array, to: number, length: number, position: number): number =>
    fs.readSync(descriptor, bytes, to, length, position),
  fsync: (descriptor: number): void => fs.fsyncSync(descriptor),
  close: (descriptor: number): void => fs.closeSync(descriptor),
  truncate: (descriptor: number, length: number): void => fs.ftruncateSync(descriptor, length),
  rename: (from: string, to: string): void => fs.renameSync(from, to),
  link: (from: string, to: string): void => fs.linkSync(from, to),
  unlink: (path: string): void => fs.unlinkSync(path),
  remove: (path: string): void => fs.rmSync(path, { recursive: true, force: true }),
  makeDirectory: (path: string): void => fs.mkdirSync(path),
  /** fdatasync on another thread; `done` is called whatever comes of it. */
  flush: (descriptor: number, done: () => void): void => fs.fdatasync(descriptor, done),
};

const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space or choose another folder",
  EDQUOT: "the disk quota is used up; free some space or choose another folder",
  EACCES: "permission denied; choose a folder that you may write to",
  EPERM: "the system does not permit it; choose a folder that you may write to",
  EROFS: "the file system is read-only; choose another folder",
  ENOTDIR: "a file stands where a folder is needed; choose another path",
  EEXIST: "a file of that name stands in the way; choose another path",
  EISDIR: "a folder stands where a file is needed; choose another path",
  ENOENT: "the folder does not exist; create it or choose another path",
  EIO: "the device reports an input/output error; check the disk",
};

/** The code of a system call's error, or "" for anything else. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "syscall" in error && "code" in error) return String(error.code);
  return "";
}

/** A failed system call on `path` becomes a DiskError of one line; any other error is returned as it is. */
export function asDiskError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code === "") return error;
  return new DiskError(`${path}: ${REMEDIES[code] ?? "cannot be written; choose another path"} (${code})`, {
    cause: error,
  });
}

/**
 * A failed system call while reading `path`: a DiskError where permission is lacking, else a DataError,
 * because what should have been there cannot be had.
 */
export function asReadError(error: unknown, path: string): unknown {
  const code = errorCode(error);
  if (code === "") return error;
  if (code === "EACCES" || code === "EPERM") {
    return new DiskError(`${path}: permission denied; ask for the right to read it (${code})`, { cause: error });
  }
  const why = code === "ENOENT" || code === "ENOTDIR" ? "no such file; check the path" : "cannot be read";
  return new DataError(`${path}: ${why} (${code})`, { cause: error });
}

/** One call moves less than 2 GiB on every platform. */
const MAX_CALL_BYTES = 2 ** 30;

/** A write may take fewer bytes than it was given (a full disk, a signal): go on until all are taken. */
export function writeFully(descriptor: number, bytes: Uint8Array, position: number | null = null): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === null ? null : position + done;
    done += disk.write(descriptor, bytes, done, Math.min(bytes.length - done, MAX_CALL_BYTES), at);
  }
}

/** Fills `bytes` from `position` on; returns how many there were, fewer only at the end of the file. */
export function readFully(descriptor: number, bytes: Uint8Array, position: number): number {
  let done = 0;
  while (done < bytes.length) {
    const got = disk.read(descriptor, bytes, done, Math.min(bytes.length - done, MAX_CALL_BYTES), position + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** Makes a rename, link or new file in `directory` survive a power cut. */
export function syncDirectory(directory: string): void {
  // Windows cannot open a directory, and orders these changes itself.
  if (process.platform === "win32") return;
  const descriptor = disk.open(directory, "r");
  try {
    disk.fsync(descriptor);
  } catch (error) {
    // Some network and user-space file systems do not know the call for directories; nothing more can be done there.
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errorCode(error))) throw error;
  } finally {
    disk.close(descriptor);
  }
}

/** Creates `path` and its parents where they are missing. @throws DiskError */
export function makeDirectory(path: string): void {
  try {
    createWithParents(path);
  } catch (error) {
    throw asDiskError(error, path);
  }
}

/** Node's own recursive mkdir never returns where a parent exists and yet nothing can be made in it, as in /proc. */
function createWithParents(path: string): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  if (parent !== path) createWithParents(parent);
  try {
    disk.makeDirectory(path);
  } catch (error) {
    // Another process may have been faster.
    if (errorCode(error) === "EEXIST" && isDirectory(path)) return;
    throw error;
  }
  syncDirectory(parent);
}

function isDirectory(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** `name.tmp-<pid>-<random>`: the process is in the name so that a later run can tell whether it still lives. */
export function temporaryName(path: string): string {
  return `${path}.tmp-${process.pid}-${randomBytes(4).toString("hex")}`;
}

/** The process that made a temporary file, or null for any other name. */
export function temporaryOwner(name: string): number | null {
  const match = /\.tmp-(\d{1,10})-[0-9a-f]{8}$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** Finds out before hours of work, not after, that `directory` cannot be written. @throws DiskError */
export function probeWritable(directory: string): void {
  const path = temporaryName(`${directory}/probe`);
  try {
    const descriptor = disk.open(path, "wx");
    try {
      writeFully(descriptor, new Uint8Array(1));
    } finally {
      disk.close(descriptor);
      disk.unlink(path);
    }
  } catch (error) {
    throw asDiskError(error, directory);
  }
}

const MEBIBYTE = 1024 * 1024;

/** Refuses to start what the disk cannot hold. `bytes`: what the run will write at most. @throws DiskError */
export function requireFreeSpace(directory: string, bytes: number): void {
  let free: number;
  try {
    const { bavail, bsize } = fs.statfsSync(directory);
    free = bavail * bsize;
  } catch (error) {
    throw asDiskError(error, directory);
  }
  if (free >= bytes) return;
  const [needed, left] = [bytes, free].map((n) => (n / MEBIBYTE).toFixed(1));
  throw new DiskError(`${directory}: needs ${needed} MiB, ${left} MiB are free; free some space or save less`);
}

/** The bytes of a regular file no longer than `limit`. @throws DataError, DiskError */
export function readSmallFile(path: string, limit = 256 * MEBIBYTE): Buffer {
  try {
    const status = fs.statSync(path);
    if (!status.isFile()) throw new DataError(`${path}: not a file; check the path`);
    if (status.size > limit) {
      throw new DataError(`${path}: ${status.size} bytes; at most ${limit} are read; is it the right file?`);
    }
    return fs.readFileSync(path);
  } catch (error) {
    throw asReadError(error, path);
  }
}
