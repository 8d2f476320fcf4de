/** Place cells through every verb, tiny: changes of their rates in, rates out, decoded positions shown. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCsv } from "../../src/io/csv.ts";
import { readNpz } from "../../src/io/npz.ts";
import { reverie } from "./command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-place-cells-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function succeed(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await reverie(argv);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

const [CELLS, T, SAVED, ROWS] = [17, 12, 24, 4];
const run = join(folder, "run");
const centres = Array.from({ length: CELLS }, (_, i) => [(i % 5) / 4, Math.floor(i / 5) / 3]);
const file = join(folder, "centres.csv");
writeFileSync(file, centres.map((c) => `${c.join(",")}\n`).join(""));
const config = ["task.kind=box", "task.cells.layout=file", `task.cells.file=${file}`, "task.input=codeDelta"].flatMap(
  (s) => ["--set", s],
);

test("train and replay: decoded positions, distances in activity space, the activity itself", async () => {
  await succeed("train", "--preset", "tiny", ...config, "--set", "replay.saveCode=true", "--out", run);
  const manifest = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8"));
  expect(manifest.decodingError.length).toBe(2);
  for (const error of manifest.decodingError) expect(error > 0 && error < 1).toBe(true);
  // The run does not need the file again.
  const { cells } = JSON.parse(readFileSync(join(run, "config.json"), "utf8")).task;
  expect(cells).toMatchObject({ layout: "list", file: "", count: CELLS, centres });
  rmSync(file);

  const { metrics } = JSON.parse(await succeed("replay", run, "--json"));
  for (const row of metrics) {
    if (row.condition === "awake") expect(row.sw_code).toBe(0);
    else expect(row.sw_code).toBeGreaterThan(0);
    expect(row.participation).toBeGreaterThan(1);
    expect(row.participation).toBeLessThanOrEqual(CELLS);
    expect(row.code_distance).toBeGreaterThan(0);
  }
  const npz = readNpz(join(run, "replay", "replay.npz"));
  const shape = (name: string) => npz.get(name)?.shape;
  expect(shape("positions_plain")).toEqual([2, SAVED, ROWS, 2]);
  expect(shape("awake_readout")).toEqual([2, T, ROWS, 2]);
  expect(shape("activity_plain")).toEqual([2, SAVED, ROWS, CELLS]);
  expect(shape("activity_awake")).toEqual([2, T, ROWS, CELLS]);
  expect(shape("distances_both")).toEqual([2, 3]);
  expect(npz.get("cell_centres")?.data).toEqual(Float32Array.from(centres.flat()));
});

test("sweep: decoded positions too", async () => {
  const out = join(folder, "sweep");
  await succeed(
    "sweep",
    run,
    "--grid",
    "friction=1,0.5",
    "--repeats",
    "3",
    "--steps",
    "20",
    "--save",
    "decoded",
    "--out",
    out,
  );
  const rows = readCsv(join(out, "metrics.csv"));
  expect(rows.length).toBe(4);
  for (const row of rows) expect(Number(row.speed5)).toBeGreaterThan(0);
});

test("paths: rates, and what the network sees", async () => {
  const out = join(folder, "paths.npz");
  const cells = JSON.stringify({ count: CELLS });
  const set = ["--set", "task.kind=box", "--set", `task.cells=${cells}`, "--set", "task.input=codeDelta"];
  const told = JSON.parse(await succeed("paths", "--preset", "tiny", ...set, "--batch", "5", "--out", out, "--json"));
  expect(told.shapes).toMatchObject({ rates: [2, T + 1, 5, CELLS], code_input: [2, T, 5, CELLS] });
  const rates = readNpz(out).get("rates")?.data as Float32Array;
  expect(rates.every((r) => r >= 0 && r <= 1)).toBe(true);
});
