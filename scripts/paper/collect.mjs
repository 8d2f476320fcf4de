// Copies the results and verdicts of a finished reproduction into scripts/paper/results, to be committed: numbers to six
// digits, which is finer than any interval. Usage: node scripts/paper/collect.mjs runs/paper
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const run = process.argv[2] ?? "runs/paper";
const folder = "scripts/paper/results";
const rounded = (_, x) => (typeof x === "number" && !Number.isInteger(x) ? Number(x.toPrecision(6)) : x);
const copy = (from, to) =>
  writeFileSync(join(folder, to), `${JSON.stringify(JSON.parse(readFileSync(from, "utf8")), rounded)}\n`);

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(join(run, "results")).filter((f) => f.endsWith(".json"))) {
  copy(join(run, "results", name), name);
}
copy(join(run, "claims.json"), "claims.json");
copy(join(run, "manifest.json"), "manifest.json");
writeFileSync(join(folder, "claims.csv"), readFileSync(join(run, "claims.csv"), "utf8"));
