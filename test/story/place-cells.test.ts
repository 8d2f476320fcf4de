/** Place cells through every verb, tiny: changes of their rates in, rates out, decoded positions shown. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCsv } from "../../src/io/csv.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
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

test("sweep --activity: the numbers of replay, the same bytes in smaller launches", async () => {
  const [whole, cut] = [join(folder, "activity"), join(folder, "activity-cut")];
  const grid = ["sweep", run, "--grid", "friction=1,0.6", "--activity"];
  await succeed(...grid, "--out", whole);
  await succeed(...grid, "--budget", "600KiB", "--out", cut);
  const lines = (out: string): string => readFileSync(join(out, "results.jsonl"), "utf8");
  expect(lines(cut)).toBe(lines(whole));
  const { plan } = JSON.parse(readFileSync(join(cut, "manifest.json"), "utf8"));
  expect(plan.launches).toBeGreaterThan(1);
  const distances = readNpz(join(run, "replay", "replay.npz"));
  for (const row of readCsv(join(whole, "metrics.csv"))) {
    const condition = Number(row.friction) === 1 ? "plain" : "momentum";
    const of = distances.get(`distances_${condition}`)?.data.subarray(3 * Number(row.network)) as Float32Array;
    // A sweep is compared with more awake paths than a replay, so that only what needs none is the same.
    expect(Number(row.sw_code)).toBeGreaterThan(0);
    expect(Math.fround(Number(row.participation))).toBe(of[1]);
    expect(Math.fround(Number(row.code_distance))).toBe(of[2]);
  }
  for (const row of readCsv(join(whole, "awake.csv"))) expect(row.sw_code).toBe("0");
});

test("metrics of somebody's activity: that of a replay has the replay's numbers", async () => {
  const npz = readNpz(join(run, "replay", "replay.npz"));
  /** (network, time, row, …) → (row, time, …) of network 0. */
  const rows = (name: string): { data: Float32Array; shape: number[] } => {
    const { data, shape } = npz.get(name) as { data: Float32Array; shape: readonly number[] };
    const [, time = 0, count = 0, width = 0] = shape;
    const out = new Float32Array(time * count * width);
    for (let i = 0; i < out.length; i++) {
      const [b, t, x] = [Math.floor(i / (time * width)), Math.floor(i / width) % time, i % width];
      out[i] = data[(t * count + b) * width + x] as number;
    }
    return { data: out, shape: [count, time, width] };
  };
  const path = join(folder, "activity.npz");
  const activity = { activity: rows("activity_plain"), awake_activity: rows("activity_awake") };
  writeNpz(path, { positions: rows("positions_plain"), awake: rows("awake_readout"), ...activity });
  const told = JSON.parse(await succeed("metrics", path, "--config", join(run, "config.json"), "--json"));
  const of = npz.get("distances_plain")?.data as Float32Array;
  // The same cloud in another order: sums differ by their rounding.
  ["sw_code", "participation", "code_distance"].forEach((name, i) => {
    expect(told[0].values[name] / (of[i] as number), name).toBeCloseTo(1, 5);
  });
  expect(told[1].values.sw_code).toBe(0);
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
