/** A disk whose n-th call fails, or after which there is nobody left to write. */
import fs from "node:fs";
import { join } from "node:path";
import { disk } from "../../src/io/disk.ts";
import { systemError } from "../unit/io-helpers.ts";

/** `kill`: the process is gone from this call on, a write half done; the others: this call fails, or each from it on. */
export type Blow = "kill" | "ENOSPC" | "EIO" | "short write" | "ENOSPC for ever";

export interface Struck {
  /** The call that was hit; null where there were fewer. */
  readonly call: string | null;
  /** Calls in all. */
  readonly calls: number;
}

/** What a dead process throws in its own memory, which nobody else sees. */
export class Killed extends Error {}

/** Runs `action` while the n-th call of the disk is hit (n from 1; 0: none). What it throws is given to `caught`. */
export async function strike(
  n: number,
  blow: Blow,
  action: () => Promise<unknown>,
  caught: (error: unknown) => void,
): Promise<Struck> {
  const real = { ...disk };
  const open = new Set<number>();
  let [calls, call] = [0, null as string | null];
  const hit = (name: string, args: unknown[]): never => {
    call ??= name;
    if (name === "write" && (blow === "kill" || blow === "short write") && calls === n) {
      const [descriptor, bytes, from, length, position] = args as Parameters<typeof disk.write>;
      real.write(descriptor, bytes, from, Math.floor(length / 2), position);
    }
    if (blow === "kill") throw new Killed(`killed at call ${n}`);
    // A close that reports an error has closed all the same.
    if (name === "close") real.close(args[0] as number);
    throw systemError(blow === "EIO" ? "EIO" : "ENOSPC", name);
  };
  for (const name of Object.keys(real) as (keyof typeof disk)[]) {
    // What cannot be read is another story: the older checkpoint, or a DataError (io-checkpoint.test.ts).
    if (name === "read") continue;
    const original = real[name] as (...args: unknown[]) => unknown;
    Object.assign(disk, {
      [name]: (...args: unknown[]) => {
        calls++;
        const lasting = blow === "kill" || blow === "ENOSPC for ever";
        if (n > 0 && (calls === n || (lasting && calls > n))) hit(name, args);
        const result = original(...args);
        if (name === "open") open.add(result as number);
        if (name === "close") open.delete(args[0] as number);
        return result;
      },
    });
  }
  try {
    await action();
  } catch (error) {
    caught(error);
  } finally {
    Object.assign(disk, real);
    // The system closes the files of a dead process.
    if (blow === "kill") for (const descriptor of open) fs.closeSync(descriptor);
  }
  return { call, calls };
}

/** No process has this id. */
const DEAD = 2 ** 22 + 1;

/** The locks of this process in a directory become those of a dead one. */
export function bury(directory: string): void {
  if (!fs.existsSync(directory)) return;
  for (const name of fs.readdirSync(directory)) {
    // A lock that was not finished is nobody's.
    if (!name.startsWith("run.lock") || name.includes(".tmp-")) continue;
    const path = join(directory, name);
    fs.writeFileSync(path, JSON.stringify({ ...JSON.parse(fs.readFileSync(path, "utf8")), pid: DEAD }));
  }
}
