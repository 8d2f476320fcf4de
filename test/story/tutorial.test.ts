/** The tutorial from its second page on, command after command in one folder, with networks and grids that take seconds. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT, reverie } from "./command-line.ts";

const text = readFileSync(join(ROOT, "src", "cli", "README.md"), "utf8");
const before = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "reverie-tutorial-"));
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** Of the same kind, but small. */
const SMALL: readonly [RegExp, string][] = [
  [/--preset tmaze --set 'seeds=\[[\d,]+\]'/, "--preset tiny"],
  [/(0\.25:1|0:0\.15):31/g, "$1:2"],
  [/--repeats 32/, "--repeats 3"],
];

const commands = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap((m) => (m[1] as string).split("\n"))
  .filter((line) => /^npx reverie (train|replay|report|inspect|metrics|sweep) /.test(line))
  .map((line) => SMALL.reduce((out, [from, to]) => out.replace(from, to), line));

test("every command of it does what the next one needs", async () => {
  process.chdir(folder);
  expect(commands.length).toBeGreaterThan(12);
  for (const line of commands) {
    expect(line, "is small").not.toMatch(/tmaze '|:31|'/);
    const { code, stderr } = await reverie(line.split(/\s+/).slice(2));
    expect(code, `${line}: ${stderr}`).toBe(0);
  }
  for (const path of ["runs/tiny/report/index.html", "comparison.csv", "runs/phase-map/report/index.html"]) {
    expect(existsSync(join(folder, path)), path).toBe(true);
  }
}, 180_000);

test("a replay under conditions of its own takes the place of the run's, and is reported", async () => {
  for (const argv of [
    ["replay", "runs/tiny", "--friction", "0.5", "--steps", "20"],
    ["report", "runs/tiny"],
  ]) {
    const { code, stderr } = await reverie(argv);
    expect(code, stderr).toBe(0);
  }
  expect(readFileSync(join(folder, "runs/tiny/metrics.csv"), "utf8")).toMatch(/,custom,/);
});
