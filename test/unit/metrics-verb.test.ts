import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/program.ts";
import { EXIT } from "../../src/errors.ts";
import { readCsv } from "../../src/io/csv.ts";
import { type ArrayToWrite, writeNpz } from "../../src/io/npz.ts";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { measureRun } from "../../src/metrics/measure.ts";
import { SPREAD_METRICS, spreadOverRows } from "../../src/metrics/row-spread.ts";
import { METRIC_NAMES } from "../../src/metrics/table.ts";
import { tmazeTask } from "../../src/task/paths.ts";
import { Capture } from "../story/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-metrics-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** (row, step, 2): runs up the stem and to either end, with a wobble that differs between rows. */
function walks(rows: number, steps: number, speed: number): Float64Array {
  const out = new Float64Array(rows * steps * 2);
  for (let r = 0; r < rows; r++) {
    for (let t = 0; t < steps; t++) {
      const q = Math.min(2.5, speed * (1 + 0.1 * Math.sin(r)) * (t + 1));
      const at = (r * steps + t) * 2;
      out[at] = (q <= 1.5 ? 0 : (q - 1.5) * (r % 2 === 0 ? 1 : -1)) + 0.03 * Math.sin(1.7 * t + r);
      out[at + 1] = (q <= 1.5 ? q - 1 : 0.5) + 0.03 * Math.cos(2.3 * t + 2 * r);
    }
  }
  return out;
}

const [ROWS, STEPS, AWAKE_ROWS, AWAKE_STEPS, UNITS] = [12, 90, 10, 60, 9];
const positions = walks(ROWS, STEPS, 0.04);
const awake = walks(AWAKE_ROWS, AWAKE_STEPS, 0.055);
const states = Float64Array.from({ length: ROWS * STEPS * UNITS }, (_, i) => Math.sin(i * 0.7) + 0.3 * Math.sin(i * i));

let files = 0;
function file(arrays: Record<string, ArrayToWrite>): string {
  const path = join(folder, `${files++}.npz`);
  writeNpz(path, arrays);
  return path;
}

const POSITIONS = { data: positions, shape: [ROWS, STEPS, 2] };
const AWAKE = { data: awake, shape: [AWAKE_ROWS, AWAKE_STEPS, 2] };
const STATES = { data: states, shape: [ROWS, STEPS, UNITS] };

async function reverie(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = [new Capture(), new Capture()];
  const code = await main(argv, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

interface Measured {
  readonly file: string;
  readonly condition: string;
  readonly rows: number;
  readonly values: Readonly<Record<string, number | string | null>>;
}

async function measured(...argv: string[]): Promise<Measured[]> {
  const { code, stdout } = await reverie("metrics", ...argv, "--json");
  expect(code).toBe(EXIT.ok);
  return JSON.parse(stdout) as Measured[];
}

/** (row, step, k) as (network 1, step, row, k), which is how a run's own file has it. */
function asRun(data: Float64Array, rows: number, steps: number, width: number) {
  const out = new Float64Array(data.length);
  for (let r = 0; r < rows; r++) {
    for (let t = 0; t < steps; t++) {
      for (let k = 0; k < width; k++) {
        out[(t * rows + r) * width + k] = data[(r * steps + t) * width + k] as number;
      }
    }
  }
  return { data: out, shape: [1, steps, rows, width] };
}

const plain = (x: number): number | string | null =>
  Number.isNaN(x) ? null : x === Number.POSITIVE_INFINITY ? "inf" : x;

describe("reverie metrics", () => {
  test("gives the numbers of a run's report for the same positions and states", async () => {
    const path = file({ positions: POSITIONS, awake: AWAKE, states: STATES });
    const [replay, awakeLine] = await measured(path, "--task", "tmaze");
    const [awakeRecord, record] = measureRun({
      seeds: [0],
      geometry: geometryOf(tmazeTask()),
      awake: asRun(awake, AWAKE_ROWS, AWAKE_STEPS, 2),
      conditions: [
        { name: "plain", positions: asRun(positions, ROWS, STEPS, 2), states: asRun(states, ROWS, STEPS, UNITS) },
      ],
    });
    expect([replay?.condition, awakeLine?.condition, replay?.rows]).toEqual(["replay", "awake", ROWS]);
    // Only one condition here: there is nothing to compare it with but the awake paths.
    const compares = ["compression_reference", "compression_laps"];
    for (const name of METRIC_NAMES.filter((n) => !compares.includes(n))) {
      expect([name, replay?.values[name]]).toEqual([name, plain(record?.values[name] as number)]);
      expect([name, awakeLine?.values[name]]).toEqual([name, plain(awakeRecord?.values[name] as number)]);
    }
    for (const name of compares) expect(replay?.values[name]).toBeNull();
    expect(typeof replay?.values.cmi1).toBe("number");
  });

  test("a run's replay file is measured condition by condition, its networks pooled", async () => {
    const half = asRun(positions, ROWS, STEPS, 2);
    const two = { data: Float64Array.of(...half.data, ...half.data), shape: [2, STEPS, ROWS, 2] };
    const replay = JSON.stringify({ config: { replay: { saveEvery: 3 } } });
    const path = file({
      positions_plain: two,
      positions_both: two,
      awake_readout: asRun(awake, AWAKE_ROWS, AWAKE_STEPS, 2),
      awake_positions: asRun(awake, AWAKE_ROWS, AWAKE_STEPS, 2),
      manifest: { data: new TextEncoder().encode(replay) },
    });
    const own = await measured(path, "--task", "tmaze");
    expect(own.map(({ condition, rows }) => [condition, rows])).toEqual([
      ["plain", 2 * ROWS],
      ["both", 2 * ROWS],
      ["awake", AWAKE_ROWS],
    ]);
    const alone = file({ positions: POSITIONS, awake: AWAKE });
    const [single] = await measured(alone, "--task", "tmaze", "--every", "3");
    // Each row twice: means are the same.
    for (const name of ["reach_median", "reach_fraction", "reach_rmean"]) {
      expect(own[0]?.values[name], name).toBeCloseTo(single?.values[name] as number, 9);
    }
  });

  test("awake paths and states are optional; what needs them is not defined", async () => {
    const [replay, ...others] = await measured(file({ positions: POSITIONS }), "--task", "tmaze");
    expect(others).toEqual([]);
    for (const name of ["sw", "kde_kl", "compression_reach", "compression_speed", "cmi1"]) {
      expect(replay?.values[name]).toBeNull();
    }
    for (const name of ["reach_rmean", "track", "speed5", "offpath"])
      expect(typeof replay?.values[name]).toBe("number");
  });

  test("float32 is measured as float64 is, to its rounding", async () => {
    const [a] = await measured(file({ positions: POSITIONS }), "--task", "tmaze");
    const [b] = await measured(
      file({ positions: { ...POSITIONS, data: Float32Array.from(positions) } }),
      "--task",
      "tmaze",
    );
    for (const name of ["speed5", "path_length", "offpath", "output_variance"]) {
      // Positions of a metre have an error of 6e−8, distances of 0.03 m one of 4e−6 relative.
      expect(b?.values[name] as number).toBeCloseTo(a?.values[name] as number, 5);
    }
  });

  test("a row with NaN has diverged: it counts as that and never arrives, the rest is of the others", async () => {
    const broken = positions.slice();
    broken.fill(Number.NaN, 3 * STEPS * 2 + 4, 4 * STEPS * 2);
    const both = { data: broken, shape: [ROWS, STEPS, 2] };
    const { stderr } = await reverie("metrics", file({ positions: both }), "--task", "tmaze");
    expect(stderr).toContain(`1 of ${ROWS} rows diverged`);
    const [all] = await measured(file({ positions: both, states: STATES }), "--task", "tmaze");
    const kept = Float64Array.from(positions.filter((_, i) => Math.floor(i / (STEPS * 2)) !== 3));
    const keptStates = states.filter((_, i) => Math.floor(i / (STEPS * UNITS)) !== 3);
    const [others] = await measured(
      file({
        positions: { data: kept, shape: [ROWS - 1, STEPS, 2] },
        states: { data: keptStates, shape: [ROWS - 1, STEPS, UNITS] },
      }),
      "--task",
      "tmaze",
    );
    // Neither is the memory of states that are not finite, whatever was decoded from them.
    const lost = states.slice();
    lost[3 * STEPS * UNITS + 7] = Number.POSITIVE_INFINITY;
    const [decoded] = await measured(
      file({ positions: POSITIONS, states: { ...STATES, data: lost } }),
      "--task",
      "tmaze",
    );
    expect(decoded?.values.cmi1).toBe(others?.values.cmi1);
    expect(all?.values.diverged).toBe(1 / ROWS);
    expect(all?.values.reach_fraction).toBeCloseTo((others?.values.reach_fraction as number) * (1 - 1 / ROWS), 14);
    for (const name of ["speed5", "track", "offpath", "cmi1"]) expect(all?.values[name]).toBe(others?.values[name]);
  });

  test("of several files the first is the reference", async () => {
    const slow = file({ positions: POSITIONS });
    const fast = file({ positions: { data: walks(ROWS, STEPS, 0.08), shape: [ROWS, STEPS, 2] } });
    const [a, b] = await measured(slow, fast, "--task", "tmaze");
    expect(a?.values.compression_reference).toBeNull();
    expect(b?.values.compression_reference).toBe(
      (a?.values.reach_median as number) / (b?.values.reach_median as number),
    );
  });

  test("samples some steps apart keep times in steps", async () => {
    const path = file({ positions: POSITIONS });
    const [one] = await measured(path, "--task", "tmaze");
    const [five] = await measured(path, "--task", "tmaze", "--every", "5");
    expect(five?.values.reach_median).toBe(5 * (one?.values.reach_median as number));
  });

  test("the table is a CSV that names its files, with spreads over rows", async () => {
    const path = file({ positions: POSITIONS, awake: AWAKE });
    const out = join(folder, "tables", "out.csv");
    const { code, stdout, stderr } = await reverie("metrics", path, "--task", "tmaze", "--out", out);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/reach_rmean +steps +\d/);
    expect(stderr).toContain(out);
    const rows = readCsv(out);
    expect(rows.map((r) => [r.file, r.condition, r.rows, r.steps])).toEqual([
      [path, "replay", String(ROWS), String(STEPS)],
      [path, "awake", String(AWAKE_ROWS), String(AWAKE_STEPS)],
    ]);
    const spread = spreadOverRows({ positions, rows: ROWS, steps: STEPS }, geometryOf(tmazeTask()));
    for (const name of SPREAD_METRICS.filter((n) => !n.includes("laps"))) {
      expect([name, Number(rows[0]?.[`${name}_sd`])]).toEqual([name, spread[name]]);
    }
    expect(rows[0]?.laps_sd).toBe("");
    expect(readFileSync(out, "utf8")).not.toContain("NaN");
  });

  test("a maze of one's own comes from a configuration", async () => {
    const config = join(folder, "own.json");
    await reverie("init", config, "--preset", "triangle");
    const [replay] = await measured(file({ positions: POSITIONS }), "--config", config);
    expect(typeof replay?.values.abs_laps).toBe("number");
  });
});

describe("what is wrong is said in one line", () => {
  const shape = [ROWS, STEPS, 2];
  test.each<readonly [why: string, arrays: Record<string, ArrayToWrite>, says: RegExp]>([
    ["no positions", { awake: AWAKE }, /positions: missing; the file has awake/],
    [
      "arrays of a run with other axes",
      { positions_plain: POSITIONS },
      /positions_plain: expected float64 \(networks,T,rows,2\), found float64 \(12,90,2\)/,
    ],
    [
      "axes in another order",
      { positions: { data: positions, shape: [ROWS, 2, STEPS] } },
      /\(rows,T,2\), found float64/,
    ],
    ["whole numbers", { positions: { data: new Int32Array(8), shape: [2, 2, 2] } }, /found int32/],
    ["no rows", { positions: { data: new Float32Array(0), shape: [0, 5, 2] } }, /has no positions/],
    [
      "states of other rows",
      { positions: POSITIONS, states: { ...STATES, shape: [STEPS, ROWS, UNITS] } },
      /states: expected float64 \(rows=12,T=90,N\)/,
    ],
    [
      "no units",
      { positions: POSITIONS, states: { data: new Float32Array(0), shape: [ROWS, STEPS, 0] } },
      /there are no units/,
    ],
    [
      "awake all NaN",
      { positions: POSITIONS, awake: { data: positions.map(() => Number.NaN), shape } },
      /awake: no value is finite/,
    ],
  ])("%s", async (_, arrays, says) => {
    const { code, stdout, stderr } = await reverie("metrics", file(arrays), "--task", "tmaze");
    expect({ code, stdout }).toEqual({ code: EXIT.badData, stdout: "" });
    expect(stderr).toMatch(/^reverie: [^\n]+\n$/);
    expect(stderr).toMatch(says);
  });

  test.each([
    [["x.npz"], /--task/],
    [["x.npz", "--task", "maze"], /tmaze, triangle, ou/],
    [["x.npz", "--task", "ou", "--config", "c.json"], /either --task/],
    [["x.npz", "--task", "ou", "--every", "0"], /--every 0/],
    [[], /missing required argument/],
  ])("%j", async (argv, says) => {
    const { code, stderr } = await reverie("metrics", ...argv);
    expect(code).toBe(EXIT.usage);
    expect(stderr).toMatch(says);
  });
});
