/** One short script per figure of the reproduction: each names an experiment that there is, and none is forgotten. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { EXPERIMENTS } from "../../src/paper/experiments/index.ts";
import { ROOT } from "../story/command-line.ts";

const FOLDER = join(ROOT, "scripts", "paper");
const calls = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".mjs") && !["draw.mjs", "collect.mjs"].includes(file))
  .map((file) => /await draw\("(\w+)", \/(.+)\/\);\n$/.exec(readFileSync(join(FOLDER, file), "utf8"))?.slice(1));

test("scripts draw figures of experiments, and every experiment has some", () => {
  const drawn = new Set(calls.map((call) => call?.[0]));
  expect([...drawn].sort()).toEqual(EXPERIMENTS.map((e) => e.name).sort());
});
