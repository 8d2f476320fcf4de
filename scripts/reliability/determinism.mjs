/**
 * npm run test:determinism: trains a tiny network and sweeps it in processes of their own, and compares what they wrote,
 * bit by bit: weights, moments, losses, results.jsonl.
 *
 * node scripts/reliability/determinism.mjs [--runs 3] [--widths 128,256,512] [--threads 1,2]
 *
 * Vector widths and threads are those of the software adapter (lavapipe). Mesa's shader cache does not tell widths apart,
 * so it is off: each process compiles everything, for about a minute of one core. Other adapters run --runs times.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const { readNpz } = await import(join(ROOT, "dist", "io", "npz.js"));
const option = (name, standard) => {
  const at = process.argv.indexOf(name);
  return (at < 0 ? standard : process.argv[at + 1]).split(",").map(Number);
};
const [runs] = option("--runs", "3");
const widths = option("--widths", "128,256,512");
const threads = option("--threads", "1,2");

function reverie(env, ...argv) {
  const run = spawnSync(process.execPath, [join(ROOT, "dist", "cli", "main.js"), ...argv], { encoding: "utf8", env });
  if (run.status !== 0) throw new Error(`reverie ${argv.join(" ")}: code ${run.status}: ${run.stderr.trim()}`);
}

const hash = (parts) => {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(part);
  return sum.digest("hex").slice(0, 16);
};

/** The numbers of the newest checkpoint: its meta names the adapter, whose name holds the width. */
function checkpointBytes(run) {
  const folder = join(run, "checkpoints");
  const npz = readNpz(join(folder, readdirSync(folder).sort().at(-1)));
  const numbers = [...npz.keys()].filter((name) => !["meta", "sha256"].includes(name)).sort();
  return numbers.map((name) => {
    const { data } = npz.get(name);
    return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  });
}

function once(width, count) {
  const folder = mkdtempSync(join(tmpdir(), "reverie-determinism-"));
  const env = {
    ...process.env,
    NO_COLOR: "1",
    LP_NATIVE_VECTOR_WIDTH: String(width),
    LP_NUM_THREADS: String(count),
    MESA_SHADER_CACHE_DISABLE: "true",
  };
  try {
    const [run, sweep] = [join(folder, "run"), join(folder, "sweep")];
    reverie(env, "train", "--preset", "tiny", "--out", run);
    reverie(
      env,
      "sweep",
      run,
      "--grid",
      "friction=1,0.5",
      "--grid",
      "adaptStrength=0,0.1",
      "--repeats",
      "9",
      "--out",
      sweep,
    );
    const train = hash([...checkpointBytes(run), readFileSync(join(run, "train.jsonl"))]);
    const { adapter, plan } = JSON.parse(readFileSync(join(sweep, "manifest.json"), "utf8"));
    return { train, sweep: hash([readFileSync(join(sweep, "results.jsonl"))]), adapter, plan: plan.kind };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const found = [];
for (const width of widths) {
  for (const count of threads) {
    for (let i = 0; i < runs; i++) {
      const got = once(width, count);
      found.push(got);
      console.log(
        `width ${width}, ${count} threads, run ${i + 1}: train ${got.train}, sweep ${got.sweep} (${got.adapter.name}, plan ${got.plan})`,
      );
    }
  }
}
const most = (of) => Math.max(...found.map((f) => found.filter((g) => of(g) === of(f)).length));
const same = most((f) => `${f.train} ${f.sweep}`);
const plans = [...new Set(found.map((f) => f.plan))].join(", ");
const result = {
  order: 5,
  figure: "Determinism: training and sweep, over repeated runs, vector widths and threads",
  required: "18 of 18",
  result: `${same} of ${found.length} with the same bits (plans ${plans})`,
  command: "npm run test:determinism",
  adapter: found[0].adapter.name,
  driver: found[0].adapter.driver,
  date: new Date().toISOString().slice(0, 10),
};
console.log(result.result);
const RESULTS = join(ROOT, "scripts", "reliability", "results");
mkdirSync(RESULTS, { recursive: true });
if (found.length >= 18) writeFileSync(join(RESULTS, "determinism.json"), `${JSON.stringify(result, null, 2)}\n`);
process.exit(same === found.length ? 0 : 1);
