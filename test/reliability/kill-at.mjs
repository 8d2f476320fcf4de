// Preloaded into a process of the command line (node --import): its clock runs so fast that checkpoints fall due all the
// time, and at the n-th call of the disk the process kills itself, a write half done. With --expose-gc the collector runs
// all the time.
//
// REVERIE_DIST: folder of the compiled product. REVERIE_KILL_AT: n; 0 or unset: never.
// REVERIE_CALLS: file that says in the end how many calls there were.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const { REVERIE_DIST, REVERIE_KILL_AT, REVERIE_CALLS } = process.env;
const { disk } = await import(pathToFileURL(`${REVERIE_DIST}/io/disk.js`).href);
const at = Number(REVERIE_KILL_AT ?? 0);
let calls = 0;

function die(name, args, call) {
  if (name === "write") call(args[0], args[1], args[2], Math.floor(args[3] / 2), args[4]);
  process.kill(process.pid, "SIGKILL");
  for (;;);
}

for (const [name, call] of Object.entries(disk)) {
  disk[name] = (...args) => (++calls === at ? die(name, args, call) : call(...args));
}
if (REVERIE_CALLS) process.on("exit", () => fs.writeFileSync(REVERIE_CALLS, String(calls)));

const now = performance.now.bind(performance);
let asked = 0;
performance.now = () => now() + 2000 * asked++;

if (globalThis.gc) setInterval(globalThis.gc, 25).unref();
