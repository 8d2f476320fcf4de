/** The command line as processes of their own, that live as long as a test lets them. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuiltCommandLine, freshEnvironment } from "../story/command-line.ts";

const PRELOAD = fileURLToPath(new URL("kill-at.mjs", import.meta.url));

export interface Life {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** How long it lived, ms. */
  readonly lived: number;
}

export interface Fate {
  /** SIGKILL after so many milliseconds … */
  readonly afterMs?: number;
  /** … or by itself at its n-th call of the disk. */
  readonly atCall?: number;
  /** Sent one after another once its run directory is there and training has begun. */
  readonly signals?: readonly NodeJS.Signals[];
  /** Collect garbage all the time. */
  readonly collect?: boolean;
  /** File that its number of calls goes to. */
  readonly calls?: string;
}

/** Runs one command line, and ends it where fate says so. */
export function live(product: BuiltCommandLine, argv: readonly string[], fate: Fate = {}): Promise<Life> {
  const environment = {
    ...freshEnvironment(),
    REVERIE_DIST: join(product.folder, "dist"),
    REVERIE_KILL_AT: String(fate.atCall ?? 0),
    ...(fate.calls === undefined ? {} : { REVERIE_CALLS: fate.calls }),
  };
  const began = performance.now();
  const node = [...(fate.collect ? ["--expose-gc"] : []), "--import", PRELOAD];
  const child = spawn(process.execPath, [...node, product.script, ...(fate.signals ? [] : ["--quiet"]), ...argv], {
    cwd: product.folder,
    env: environment,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  const pending = [...(fate.signals ?? [])];
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
    // Each at a later sign of life: at work, then told to stop.
    const sign = pending.length === fate.signals?.length ? /^(training|sweeping|compiling)/m : /finishing the current/;
    if (pending.length > 0 && sign.test(stderr)) child.kill(pending.shift());
  });
  const timer = fate.afterMs === undefined ? null : setTimeout(() => child.kill("SIGKILL"), fate.afterMs);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (timer) clearTimeout(timer);
      resolve({ code, signal, stderr, lived: performance.now() - began });
    });
  });
}

/** Calls of the disk that a run told in its file. */
export const callsIn = (file: string): number => (existsSync(file) ? Number(readFileSync(file, "utf8")) : 0);
