/** Gets an adapter where there is none: the scripts that a clone's `npm run setup` uses, with the user's own folder. */
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { EXIT, type ExitCode, GpuUnavailable } from "../errors.ts";
import { driverHome } from "../gpu/local-driver.ts";
import type { Io } from "./types.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/adapter.sh", import.meta.url));

export async function runSetup(io: Io): Promise<ExitCode> {
  if (process.platform !== "linux") {
    io.out(io.json ? "{}" : `nothing to set up on ${process.platform}: its own GPU API is used; see reverie doctor`);
    return EXIT.ok;
  }
  const home = driverHome();
  mkdirSync(home, { recursive: true });
  let adapter = "";
  const child = spawn("bash", [SCRIPT, home, join(home, "setup.log")], { stdio: ["ignore", "ignore", "pipe"] });
  const code = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  io.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  for await (const line of createInterface({ input: child.stderr })) {
    io.note(line);
    adapter = /^setup: ready: (.*)$/.exec(line)?.[1] ?? adapter;
  }
  if ((await code) !== 0) {
    io.signal.throwIfAborted();
    throw new GpuUnavailable(`no adapter computes on this machine; what was tried is in ${join(home, "setup.log")}`);
  }
  io.out(io.json ? JSON.stringify({ adapter, home }) : `ready: ${adapter}`);
  return EXIT.ok;
}
