/**
 * Puts the tables of scripts/bench/results/*.json between the markers of README.md and of this folder's README.md:
 *   node scripts/bench/table.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { section } from "./section.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const MARKERS = /(<!-- table: peers -->\n)[\s\S]*?(<!-- \/table -->)/;

const folder = here("results/");
const sections = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .sort()
  .map((name) => section(JSON.parse(readFileSync(`${folder}${name}`, "utf8"))));
const text = sections.join("\n\n");
for (const path of [here("README.md"), here("../../README.md")]) {
  const readme = readFileSync(path, "utf8");
  if (MARKERS.test(readme))
    writeFileSync(
      path,
      readme.replace(MARKERS, (_, open, close) => `${open}${text}\n${close}`),
    );
}
