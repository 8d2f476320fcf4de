/** Every kind of task through every verb, tiny: trained, replayed, measured, swept, and its paths dumped. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readCsv } from "../../src/io/csv.ts";
import { readNpz } from "../../src/io/npz.ts";
import { ROOT, reverie } from "./command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-tasks-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function succeed(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await reverie(argv);
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

const KINDS: [string, string[], { inputs: number; laps: boolean }][] = [
  ["box", ["task.kind=box", "task.width=0.6", "task.drift=0.05"], { inputs: 2, laps: false }],
  ["headDirection", ["task.kind=headDirection"], { inputs: 1, laps: true }],
  [
    "file",
    ["task.kind=file", `task.path=${join(ROOT, "scripts/examples/recorded-paths.npz")}`],
    { inputs: 2, laps: false },
  ],
];

describe.each(KINDS)("%s", (kind, set, { inputs, laps }) => {
  const run = join(folder, kind);
  const config = ["--preset", "tiny", ...set.flatMap((s) => ["--set", s])];

  test("train and replay: the metrics that the environment defines", async () => {
    await succeed("train", ...config, "--out", run);
    const { metrics } = JSON.parse(await succeed("replay", run, "--json"));
    expect(metrics.map((m: { condition: string }) => m.condition)).toContain("both");
    for (const row of metrics) {
      expect(row.reach_rmean !== null, "reach").toBe(true);
      expect(row.laps !== null, "laps").toBe(laps);
      expect(row.regions).toBeGreaterThanOrEqual(0);
      expect(row.speed5).toBeGreaterThan(0);
    }
    // The recording is found again from anywhere.
    const { task } = JSON.parse(readFileSync(join(run, "config.json"), "utf8"));
    expect(task.path ?? "/").toMatch(/^\//);
  });

  test("sweep, and a finished one resumed", async () => {
    const out = join(folder, `${kind}-sweep`);
    await succeed("sweep", run, "--grid", "friction=1,0.5", "--repeats", "3", "--steps", "20", "--out", out);
    const rows = readCsv(join(out, "metrics.csv"));
    expect(rows.length).toBe(4);
    for (const row of rows) expect(Number(row.reach_rmean)).toBeGreaterThan(0);
    await succeed("sweep", "--resume", "--out", out);
  });

  test("paths: shapes, a summary, and test paths that training does not see", async () => {
    const [a, b] = [join(folder, `${kind}-a.npz`), join(folder, `${kind}-b.npz`)];
    const told = JSON.parse(await succeed("paths", ...config, "--batch", "40", "--out", a, "--json"));
    expect(told.shapes).toEqual({ positions: [2, 13, 40, 2], input: [2, 12, 40, inputs] });
    expect(told.statistics.visible).toBeCloseTo(1 / 5, 1);
    expect(told.statistics.step.mean).toBeGreaterThan(0.005);
    await succeed("paths", ...config, "--batch", "40", "--stream", "test", "--out", b);
    const positions = readNpz(a).get("positions")?.data as Float32Array;
    expect(readNpz(b).get("positions")?.data).not.toEqual(positions);
    expect(positions.every((p) => p >= (laps ? -1 : 0) && p <= 1)).toBe(true);
  });
});

test("a recording that cannot be used: exit 4, one line, file and place", async () => {
  const refused = await reverie([
    "train",
    "--preset",
    "tiny",
    "--set",
    "task.kind=file",
    "--set",
    "task.path=no.csv",
    "--out",
    join(folder, "no"),
  ]);
  expect(refused).toMatchObject({ code: 4, stdout: "" });
  expect(refused.stderr).toMatch(/no\.csv/);
  expect(existsSync(join(folder, "no"))).toBe(false);
});
