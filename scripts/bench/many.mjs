/**
 * What a network costs among many, beside one alone: both in one process, in turn, so that whatever else the machine does
 * meets both. Adds the ratio to the adapter's file in scripts/bench/results/, for the tables.
 *
 *   npm run bench:many -- [rounds]
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { adapterSpec, choosePlanKind, openGpu } from "../../dist/index.js";
import { makeJob } from "../../dist/profile/jobs.js";
import { quartiles } from "./statistics.mjs";

const rounds = Number(process.argv[2] ?? 15);
const ONE = { work: "train", networks: 1, batch: 48, steps: 100, units: 64, inputs: 4, outputs: 32 };
const MANY = { ...ONE, networks: 64 };

const gpu = await openGpu({ note: (line) => console.error(line) });
console.error(gpu.describe());

async function start(shape, iterations) {
  const kind = choosePlanKind(adapterSpec(gpu), { units: shape.units, rows: 64 * shape.networks });
  const { program, clock } = await makeJob(gpu, shape, kind);
  const run = () => program.run({ label: "bench", clock });
  await run();
  return async () => {
    const [cpu, began] = [process.cpuUsage(), performance.now()];
    for (let i = 0; i < iterations; i++) await run();
    const used = process.cpuUsage(cpu);
    const each = 1000 * iterations * shape.networks;
    return { wall: (performance.now() - began) / each, cpu: (used.user + used.system) / (1000 * each) };
  };
}

const [one, many] = [await start(ONE, MANY.networks), await start(MANY, 1)];
const ratios = [];
for (let round = 0; round < rounds; round++) {
  const [alone, among] = [await one(), await many()];
  ratios.push({ wall: among.wall / alone.wall, cpu: among.cpu / alone.cpu });
}
await gpu.close();

const result = {
  networks: MANY.networks,
  rounds,
  wallQuartiles: quartiles(ratios.map((r) => r.wall)),
  cpuQuartiles: quartiles(ratios.map((r) => r.cpu)),
};
console.log(JSON.stringify(result, null, 1));
const name = gpu.adapter.name
  .toLowerCase()
  .replace(/[^a-z0-9]+/g, "-")
  .replace(/^-|-$/g, "");
const path = fileURLToPath(new URL(`results/${name}.json`, import.meta.url));
if (existsSync(path)) {
  writeFileSync(path, `${JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), many: result }, null, 1)}\n`);
}
