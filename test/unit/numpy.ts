/** The system's Python with NumPy, its own or Debian's unpacked beside us; CI fetches that before the tests. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const found = spawnSync("bash", [join(ROOT, "scripts/unpack-numpy.sh"), "--offline"], { encoding: "utf8" });
const [command, ...before] = found.stdout.split("\n").filter((word) => word !== "");

/** Where it is false, tests of scripts/python are skipped. */
export const hasNumpy = command !== undefined;
if (!hasNumpy) console.warn(`skipped: ${found.stderr.trim()}`);

export const python = (...argv: string[]): SpawnSyncReturns<string> =>
  spawnSync(command as string, [...before, ...argv], { encoding: "utf8" });

/** Computes a dump again: exit 0 where NumPy agrees. */
export const replayDump = (path: string): SpawnSyncReturns<string> =>
  python(join(ROOT, "scripts/python/replay_dump.py"), path);
