/**
 * What every preset costs on this adapter: node scripts/preset-costs.mjs [NAME …]. A few iterations and a short replay
 * are timed, warm, and taken as many times as the preset asks for. Puts the table into src/config/README.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { formatBytes, planBytes } from "../dist/gpu/plan.js";
import {
  adapterSpec,
  choosePlanKind,
  loadConfig,
  openGpu,
  presets,
  replaySpecOf,
  runReplay,
  Trainer,
  trainSpecOf,
} from "../dist/index.js";
import { replaySize, trainSize } from "../dist/run/experiment.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here("preset-costs.json");
/** Warm CPU-seconds that a sample should take. */
const SAMPLE = 1.5;

async function cpuOf(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function costOf(gpu, name) {
  const { config } = loadConfig({ preset: name });
  const kind = choosePlanKind(adapterSpec(gpu), trainSize(config));
  const trainer = await Trainer.create(gpu, trainSpecOf(config, kind));
  await trainer.warmUp(() => undefined);
  const one = await cpuOf(() => trainer.run({ until: 1 }));
  const more = Math.min(config.train.iterations - 1, Math.max(1, Math.round(SAMPLE / one)));
  const iteration = one > SAMPLE ? one : (await cpuOf(() => trainer.run({ until: 1 + more }))) / more;
  const trainBytes = planBytes(trainer.batch.plan);
  const steps = Math.min(20, config.replay.steps);
  const replayKind = choosePlanKind(adapterSpec(gpu), replaySize(config));
  const short = { ...replaySpecOf(config, replayKind, null), steps, saveEvery: 1 };
  await runReplay(gpu, short, trainer.buffers);
  const replay = ((await cpuOf(() => runReplay(gpu, short, trainer.buffers))) / steps) * config.replay.steps;
  trainer.destroy();
  const size = { networks: config.seeds.length, units: config.rnn.units };
  const train = { batch: config.train.batch, steps: config.task.steps, iterations: config.train.iterations };
  return { ...size, ...train, trainSeconds: iteration * config.train.iterations, replaySeconds: replay, trainBytes };
}

/** As a person would say it. */
const duration = (seconds) =>
  seconds < 90
    ? `${Math.max(1, Math.round(seconds))} s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(seconds < 36000 ? 1 : 0)} h`;

function table({ adapter, date, presets: costs }) {
  const rows = presets().map(({ name, purpose }) => {
    const c = costs[name];
    if (!c) return `| \`${name}\` | ${purpose} | | | | |`;
    const size = `${c.networks} × N = ${c.units}, B = ${c.batch}, T = ${c.steps}, ${c.iterations} iterations`;
    return `| \`${name}\` | ${purpose} | ${size} | ${duration(c.trainSeconds)} | ${duration(c.replaySeconds)} | ${formatBytes(c.trainBytes)} |`;
  });
  return [
    "| preset | what it is for | size | training, CPU time | replay, CPU time | device memory |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    `Measured on ${adapter}, ${date}, from a few iterations. CPU time is that of all cores: on two quiet ones, wait half of it.`,
  ].join("\n");
}

const stored = (() => {
  try {
    return JSON.parse(readFileSync(RESULTS, "utf8"));
  } catch {
    return { presets: {} };
  }
})();
const names = process.argv.length > 2 ? process.argv.slice(2) : presets().map((p) => p.name);
const gpu = await openGpu();
for (const name of names) {
  console.error(`preset ${name}`);
  stored.presets[name] = await costOf(gpu, name);
}
stored.adapter = `${gpu.adapter.name}${gpu.adapter.software ? " (software adapter)" : ""}, ${gpu.adapter.driver}`;
stored.date = new Date().toISOString().slice(0, 10);
await gpu.close();
writeFileSync(RESULTS, `${JSON.stringify(stored, null, 2)}\n`);
const readme = here("../src/config/README.md");
const text = readFileSync(readme, "utf8");
writeFileSync(
  readme,
  text.replace(/(<!-- table: presets -->\n)[\s\S]*?(<!-- \/table -->)/, (_, a, b) => `${a}${table(stored)}\n${b}`),
);
