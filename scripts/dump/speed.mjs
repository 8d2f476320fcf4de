// How fast `reverie dump` writes beside plain sequential writes of as many bytes into the same folder, with fsync, through
// the system's cache as anybody writes and past it, in turns:
//
//   npm run bench:dump -- [--gib 1] [--rounds 3] [--only "r, v, c"] [--folder DIR]
//
// On a software adapter it is the processor that takes the time: so the same with pretended slower disks, where it should be
// the disk, and the writer by itself. Prints a table and writes it to scripts/dump/result.json; whatever it wrote is deleted
// again. Needs twice the size of free disk.
import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import {
  closeSync,
  constants,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DIRECT_BYTES } from "../../dist/io/direct.js";
import { ShardWriter } from "../../dist/io/shards.js";

const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    folder: { type: "string", default: tmpdir() },
  },
});
const [gib, rounds] = [Number(values.gib), Number(values.rounds)];
const folder = mkdtempSync(join(values.folder, "reverie-dump-speed-"));
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const result = fileURLToPath(new URL("result.json", import.meta.url));

const ROWS = 1024;
const MIB = 2 ** 20;
const UNITS = 32;
/** Steps of a rollout whose r, v and c are so large. */
const stepsOf = (size) => Math.ceil((size * 2 ** 30) / (3 * 4 * ROWS * UNITS));
/** A pretended disk needs its time, and is no other for more. */
const PRETENDED_GIB = 2;

const slowDisk = new URL("slow-disk.mjs", import.meta.url).href;

/**
 * @param {number} limit MiB/s of a pretended disk; 0: the disk that is there
 * @returns {Promise<{ stdout: string, peakMib: number }>} peakMib: of the process's memory
 */
function reverie(limit, ...argv) {
  const command = limit > 0 ? ["--import", slowDisk, main, ...argv] : [main, ...argv];
  const env = { ...process.env, REVERIE_DISK_MIB: String(limit) };
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "ignore"], env });
  let stdout = "";
  let peak = 0;
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  const watch = setInterval(() => {
    try {
      peak = Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? peak);
    } catch {}
  }, 100);
  return new Promise((resolve, reject) => {
    child.on("close", (code) => {
      clearInterval(watch);
      if (code === 0) resolve({ stdout, peakMib: peak / 1024 });
      else reject(new Error(`reverie ${argv[0]}: exit ${code}`));
    });
  });
}

const block = new Float32Array((16 * MIB) / 4);
randomFillSync(new Uint8Array(block.buffer));
const removeAll = () => rmSync(join(folder, "out"), { recursive: true, force: true });
const fresh = () => mkdtempSync(join(folder, "out"));
const seconds = (work) => {
  const began = performance.now();
  work();
  return (performance.now() - began) / 1000;
};

/** Seconds to write so many bytes: in the ordinary way, unless flags say how else. */
function plainWrite(bytes, flags = 0, memory = new Uint8Array(block.buffer)) {
  const path = join(folder, "plain");
  const time = seconds(() => {
    const descriptor = openSync(path, constants.O_CREAT | constants.O_WRONLY | flags);
    for (let done = 0; done < bytes; done += memory.length) writeSync(descriptor, memory);
    fsyncSync(descriptor);
    closeSync(descriptor);
  });
  rmSync(path);
  return time;
}

/** The same past the cache, in pieces as long as the dump's. */
function directWrite(bytes) {
  const memory = new Uint8Array(new WebAssembly.Memory({ initial: DIRECT_BYTES / 65536 }).buffer);
  return plainWrite(bytes, constants.O_DIRECT, memory);
}

/** What a dump does with a window: cuts it into members with checksums; the same data each time. */
async function writerAlone(blocks, dtype) {
  const out = fresh();
  const arrays = { x: { axes: ["network", "time", "unit"], shape: [1, blocks, block.length] } };
  const began = performance.now();
  const writer = new ShardWriter(join(out, "x.npz"), arrays, {}, { dtype, oneFileBytes: 0 });
  for (let i = 0; i < blocks; i++) {
    writer.put({ array: "x", origin: [0, i, 0], shape: [1, 1, block.length], data: block });
    // As between two windows.
    await new Promise(setImmediate);
  }
  writer.close();
  const time = (performance.now() - began) / 1000;
  rmSync(out, { recursive: true });
  return time;
}

const STATES = "replay_both_r,replay_both_v,replay_both_c";
/** What is dumped, and the pretended disk's MiB/s. */
const DUMPS = {
  "r, v, c": [STATES, 0],
  "r, v, c, a disk of 300 MiB/s": [STATES, 300],
  "r, v, c, a disk of 100 MiB/s": [STATES, 100],
  r: ["replay_both_r", 0],
  everything: ["replay_both_*", 0],
};

const rows = [];
try {
  const run = join(folder, "run");
  const set = [
    `rnn.units=${UNITS}`,
    "seeds=[0]",
    "train.iterations=1",
    `replay.repeats=${ROWS}`,
    `replay.steps=${stepsOf(gib)}`,
  ];
  await reverie(0, "train", "--preset", "tiny", ...set.flatMap((s) => ["--set", s]), "--out", run);
  for (let round = 0; round < rounds; round++) {
    for (const [name, [include, limit]] of Object.entries(DUMPS)) {
      if (!name.startsWith(values.only)) continue;
      const out = fresh();
      const argv = ["dump", run, "--conditions", "both", "--include", include, "--out", join(out, "d.npz"), "--json"];
      if (limit > 0) argv.push("--set", `replay.steps=${stepsOf(Math.min(gib, PRETENDED_GIB))}`);
      const { stdout, peakMib } = await reverie(limit, ...argv);
      rmSync(out, { recursive: true });
      const told = JSON.parse(stdout);
      const mib = told.bytes / MIB;
      const plain = limit > 0 ? mib / limit : plainWrite(told.bytes);
      rows.push({
        what: name,
        round,
        mib,
        ...told.seconds,
        plain,
        ...(limit > 0 ? {} : { direct: directWrite(told.bytes) }),
        peakMib,
        files: told.files.length,
      });
      console.error(
        `${name}: ${told.seconds.total.toFixed(1)} s, plain ${plain.toFixed(1)} s, ${peakMib.toFixed(0)} MiB`,
      );
    }
    const blocks = (gib * 1024) / 16;
    for (const dtype of values.only ? ["float32"] : ["float32", "float16"]) {
      const total = await writerAlone(blocks, dtype);
      const mib = 16 * (dtype === "float16" ? blocks / 2 : blocks);
      const [plain, direct] = [plainWrite(mib * MIB), directWrite(mib * MIB)];
      rows.push({ what: `writer alone, ${dtype}`, round, mib, total, plain, direct });
      console.error(`writer alone, ${dtype}: ${total.toFixed(1)} s, plain ${plain.toFixed(1)} s`);
    }
  }
} finally {
  removeAll();
  rmSync(folder, { recursive: true, force: true });
}

const median = (xs) => xs.toSorted((a, b) => a - b)[Math.floor(xs.length / 2)];
const summary = [...new Set(rows.map((r) => r.what))].map((what) => {
  const own = rows.filter((r) => r.what === what);
  const of = (key) => median(own.map((r) => r[key] ?? 0));
  const mib = own[0].mib;
  return {
    what,
    mib: Math.round(mib),
    mibPerSecond: Math.round(mib / of("total")),
    plainMibPerSecond: Math.round(mib / of("plain")),
    ...(own[0].direct === undefined ? {} : { directMibPerSecond: Math.round(mib / of("direct")) }),
    share: Number(median(own.map((r) => r.plain / r.total)).toFixed(2)),
    seconds: Object.fromEntries(
      ["compute", "readback", "write", "finish"]
        .filter((k) => own[0][k] !== undefined)
        .map((k) => [k, Number(of(k).toFixed(2))]),
    ),
    peakMib: Math.round(Math.max(...own.map((r) => r.peakMib ?? 0))),
  };
});
writeFileSync(
  result,
  `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), gib, rounds, summary }, null, 2)}\n`,
);
console.table(summary.map(({ seconds: s, ...rest }) => ({ ...rest, ...s })));
