/**
 * Times the same training step, and the same replay, of ours and of every peer that is here, in one run:
 *
 *   node scripts/bench/compare.mjs [--shapes a,b] [--peers ours,…] [--rounds 7] [--seconds 0.5] [--budget 90] [--python python3]
 *                                  [--adapter NAME] [--quick]
 *
 * A peer that computes something else gets no time. Rounds go through all peers in turn, so that whatever else the
 * machine does meets all of them. Writes scripts/bench/results/<adapter>.json; `--quick` writes nothing.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir, type } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readNpz } from "../../dist/io/npz.js";
import { compare } from "./check.mjs";
import { PEERS, VARIANTS } from "./peers.mjs";
import { writeProblem } from "./problem.mjs";
import { PeerProcess } from "./process.mjs";
import { flopsOf, MODEL, SHAPES, titleOf } from "./shapes.mjs";
import { quartiles } from "./statistics.mjs";

const { values: options } = parseArgs({
  options: {
    shapes: { type: "string", default: Object.keys(SHAPES).join(",") },
    peers: { type: "string", default: Object.keys(PEERS).join(",") },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "0.5" },
    /** Seconds of samples after which a slow peer takes no part in further rounds. */
    budget: { type: "string", default: "90" },
    python: { type: "string", default: "python3" },
    /** A Python of its own for JAX, which may want another NumPy or CUDA than PyTorch. */
    "python-jax": { type: "string" },
    adapter: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const say = (line) => console.error(line);
const scratch = mkdtempSync(join(tmpdir(), "reverie-bench-"));

function start(name, variant, shape, problem) {
  const peer = PEERS[name];
  const { activation, model } = VARIANTS[variant];
  const request = { peer: name, shape, problem, activation, model: { ...MODEL, ...model } };
  if (options.adapter) request.adapter = options.adapter;
  const interpreter = name.startsWith("jax") ? (options["python-jax"] ?? options.python) : options.python;
  return PeerProcess.start(peer.node ? process.execPath : interpreter, [peer.node ?? peer.python], request, {});
}

async function check(running, name) {
  const path = join(scratch, `${name}.npz`);
  rmSync(path, { force: true });
  const answer = await running.ask({ do: "check", out: path });
  if (name.startsWith("exact") && answer.error) throw new Error(`reverie itself fails here: ${answer.error}`);
  return { answer, tensors: answer.error ? null : readNpz(path) };
}

/** Starts and checks the peers of one shape: those that may be timed, and why the others may not. */
async function admit(shape, problem, results) {
  const exact = {};
  const running = {};
  for (const name of options.peers.split(",")) {
    const { variant } = PEERS[name];
    const own = await start(name, variant, shape, problem);
    if (own.first.skip || own.first.error) {
      results[name] = { skipped: own.first.skip ?? own.first.error };
      await own.stop();
    } else {
      exact[variant] ??= name === "ours" ? await check(own, "exact") : await exactly(variant, shape, problem);
      const checked = name === "ours" ? exact[variant] : await check(own, name);
      const verdict = checked.answer.error
        ? { failed: checked.answer.error }
        : compare(shape, variant, checked, exact[variant]);
      results[name] = { about: own.first.about, check: verdict.errors ?? {} };
      if (verdict.failed) {
        results[name].failed = verdict.failed;
        await own.stop();
      } else running[name] = own;
    }
    const { skipped, failed } = results[name];
    say(`  ${name}: ${skipped ? `absent: ${skipped}` : failed ? `no time: ${failed}` : "same result"}`);
  }
  return running;
}

/** Our answer, for a variant of the model or where we are not among those compared. */
async function exactly(variant, shape, problem) {
  const own = await start("ours", variant, shape, problem);
  if (!own.first.about) throw new Error(`reverie itself does not run here: ${JSON.stringify(own.first)}`);
  const out = await check(own, `exact-${variant}`);
  await own.stop();
  return out;
}

/** Rounds in turn, until they are done or a peer has had its time. */
async function time(running, results) {
  const counts = {};
  const spent = {};
  for (const [name, peer] of Object.entries(running)) {
    // The first unit compiles, the second tells how many fit into a sample: what takes long fits once.
    const first = await peer.ask({ do: "time", count: 1 });
    const unit = first.wall > Number(options.budget) / 4 ? first : await peer.ask({ do: "time", count: 1 });
    counts[name] = Math.max(1, Math.min(1000, Math.round(Number(options.seconds) / unit.wall)));
    spent[name] = 0;
    Object.assign(results[name], { count: counts[name], wall: [], cpu: [] });
  }
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, peer] of Object.entries(running)) {
      if (results[name].failed || spent[name] > Number(options.budget)) continue;
      const sample = await peer.ask({ do: "time", count: counts[name] });
      if (sample.error) {
        results[name].failed = sample.error;
        continue;
      }
      spent[name] += sample.wall;
      results[name].wall.push(sample.wall / counts[name]);
      results[name].cpu.push(sample.cpu / counts[name]);
    }
  }
}

async function one(name) {
  const shape = SHAPES[name];
  say(`${titleOf(shape)}`);
  const problem = join(scratch, "problem.npz");
  writeProblem(problem, shape);
  const peers = {};
  const running = await admit(shape, problem, peers);
  const load = loadavg()[0];
  await time(running, peers);
  for (const peer of Object.values(running)) await peer.stop();
  const flops = flopsOf(shape);
  for (const [who, own] of Object.entries(peers)) {
    if (own.failed || !own.wall?.length) continue;
    own.wallQuartiles = quartiles(own.wall);
    own.cpuQuartiles = quartiles(own.cpu);
    const [, wall] = own.wallQuartiles;
    const [, cpu] = own.cpuQuartiles;
    say(
      `  ${who.padEnd(24)} ${(1e3 * wall).toFixed(1).padStart(9)} ms  ${(flops / wall / 1e9).toFixed(1).padStart(7)} GF/s  ${(flops / cpu / 1e9).toFixed(1).padStart(6)} GF per CPU-second`,
    );
  }
  return { title: titleOf(shape), ...shape, flops, loadBefore: load, peers };
}

const packageVersion = () => JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;

function resultOf(shapes) {
  const first = Object.values(shapes)[0]?.peers.ours?.about;
  return {
    format: 1,
    adapter: first?.adapter ?? null,
    reverie: packageVersion(),
    node: process.versions.node,
    system: `${type()} ${release()}`,
    processor: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    date: new Date().toISOString().slice(0, 10),
    rounds: Number(options.rounds),
    model: MODEL,
    shapes,
  };
}

/** Shapes of an earlier run of the same day, version and adapter stay: a shape is what has to be timed in one go. */
function write(result) {
  const folder = fileURLToPath(new URL("results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const name = (result.adapter?.name ?? "no adapter")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const path = join(folder, `${name}.json`);
  const before = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
  const same = ["format", "date", "reverie", "processor"].every((key) => before?.[key] === result[key]);
  const all = { ...(same ? before.shapes : {}), ...result.shapes };
  const inOrder = Object.keys(SHAPES).filter((shape) => all[shape]);
  const shapes = Object.fromEntries(inOrder.map((shape) => [shape, all[shape]]));
  const kept = same && before.many ? { many: before.many } : {};
  writeFileSync(path, `${JSON.stringify({ ...result, shapes, ...kept }, null, 1)}\n`);
}

try {
  const shapes = {};
  for (const name of options.shapes.split(",")) {
    shapes[name] = await one(name);
    // After each shape: whoever has to stop keeps what was measured.
    if (!options.quick) write(resultOf(shapes));
  }
  console.log(JSON.stringify(resultOf(shapes), null, 1));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
