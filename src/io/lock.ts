/**
 * One process per run directory, also when the holder was killed.
 *
 * The lock is the file `run.lock`, made by link(2) from a private file, which succeeds for exactly one process and
 * never shows half-written content. A dead holder's lock is replaced, not deleted, and only by the process that holds
 * that holder's succession `run.lock.after-<id>`, a lock of the same kind. As ids never return, `run.lock` cannot
 * change hands between the check under the succession and the rename, however long a process sleeps in between.
 */
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DiskError, LockedError } from "../errors.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { asDiskError, disk, errorCode, syncDirectory, temporaryName } from "./disk.ts";
import { isAlive, startMark } from "./process.ts";

const LOCK_NAME = "run.lock";

/** What `run.lock` says about the process that holds it. */
export interface LockHolder {
  readonly id: string;
  readonly pid: number;
  /** Boot and start time of the process (`startMark`). */
  readonly mark: string;
  readonly host: string;
  /** When it took the lock, ISO 8601. */
  readonly since: string;
}

export class DirectoryLock {
  readonly directory: string;
  readonly holder: LockHolder;

  /**
   * Takes the lock of an existing directory, from a dead holder too.
   * @throws LockedError naming the holder's pid and start; DiskError
   */
  constructor(directory: string) {
    this.directory = directory;
    this.holder = {
      id: randomBytes(8).toString("hex"),
      pid: process.pid,
      mark: startMark(process.pid) ?? "",
      host: hostname(),
      since: new Date().toISOString(),
    };
    const mine = temporaryName(join(directory, LOCK_NAME));
    writeFileAtomically(mine, `${JSON.stringify(this.holder)}\n`);
    try {
      take(join(directory, LOCK_NAME), mine, directory);
      syncDirectory(directory);
    } catch (error) {
      throw asDiskError(error, directory);
    } finally {
      unlinkIfThere(mine);
    }
  }

  /** Gives the directory back. @throws DiskError */
  release(): void {
    const path = join(this.directory, LOCK_NAME);
    try {
      if (readHolder(path)?.id === this.holder.id) disk.unlink(path);
    } catch (error) {
      throw asDiskError(error, path);
    }
  }
}

/** Whether `name` belongs to a takeover; one that was cut short by a kill leaves it behind. */
export function isSuccession(name: string): boolean {
  return name.startsWith(`${LOCK_NAME}.after-`);
}

/** Makes `path` a link to `mine`, alone among all processes. */
function take(path: string, mine: string, directory: string): void {
  for (;;) {
    if (tryLink(mine, path, directory)) return;
    const holder = readHolder(path);
    // Released between the two calls.
    if (holder === null) continue;
    if (holder.host !== hostname() || isAlive(holder.pid, holder.mark)) throw locked(directory, holder);
    const succession = `${path}.after-${holder.id}`;
    take(succession, mine, directory);
    try {
      if (readHolder(path)?.id === holder.id) {
        // rename(2) does nothing when both names are the same file, and consumes its source: give it a name of its own.
        const replacement = temporaryName(path);
        disk.link(mine, replacement);
        disk.rename(replacement, path);
        return;
      }
    } finally {
      unlinkIfThere(succession);
    }
  }
}

function tryLink(mine: string, path: string, directory: string): boolean {
  try {
    disk.link(mine, path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return false;
    if (["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(code)) {
      throw new DiskError(
        `${directory}: cannot be locked, this file system has no hard links (${code}); choose a folder on another disk`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** The holder that the file names, or null when the file is gone. */
function readHolder(path: string): LockHolder | null {
  let text: string;
  try {
    text = fs.readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
  try {
    const { id, pid, mark, host, since } = JSON.parse(text) as LockHolder;
    const strings = [id, mark, host, since].every((s) => typeof s === "string");
    if (strings && /^[0-9a-f]{16}$/.test(id) && Number.isSafeInteger(pid) && pid > 0)
      return { id, pid, mark, host, since };
  } catch {}
  throw new LockedError(`${path}: not readable as a lock; delete it if no other process uses this folder`);
}

function locked(directory: string, { pid, host, since }: LockHolder): LockedError {
  const away = host !== hostname();
  const who = `process ${pid}${away ? ` on ${host}` : ""}, started ${since}`;
  const remedy = away
    ? `; if it is gone, delete ${join(directory, LOCK_NAME)}`
    : "; wait for it or choose another --out";
  return new LockedError(`${directory}: in use by ${who}${remedy}`);
}

function unlinkIfThere(path: string): void {
  try {
    disk.unlink(path);
  } catch {}
}
