/** Every kind of task through every verb, tiny: trained, replayed, measured, swept, and its paths dumped. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readCsv } from "../../src/io/csv.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { hasNumpy, replayDump } from "../unit/numpy.ts";
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
    const { data } = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8"));
    // Where recorded paths lie, for whoever has the run alone.
    if (kind === "file") expect(data).toMatchObject({ kind: "recorded", bounds: { width: expect.closeTo(1, 0) } });
    else expect(data).toBeUndefined();
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

describe("tensors", () => {
  const run = join(folder, "tensors");
  const path = join(ROOT, "scripts/examples/flip-flop.npz");
  const config = ["--preset", "tiny", "--set", "task.kind=tensors", "--set", `task.path=${path}`];

  test("start: trained, replayed, measured as far as it can be, drawn", async () => {
    const told = JSON.parse(await succeed("start", ...config, "--set", "task.maskEvery=2", "--out", run, "--json"));
    expect(told.testError.length).toBe(2);
    for (const row of told.metrics) {
      expect(row.participation).toBeGreaterThan(1);
      expect(row.sw_code).toBeGreaterThanOrEqual(0);
      for (const name of ["reach_rmean", "speed5", "cells", "sw", "code_distance"]) expect(row[name], name).toBeNull();
    }
    const replay = readNpz(join(run, "replay/replay.npz"));
    expect(replay.get("readout_both")?.shape).toEqual([2, 24, 4, 3]);
    // Repeats start where test trials do: the first ones of the file that are.
    expect([...(replay.get("trials")?.data ?? [])]).toEqual([4, 9, 14, 19]);
    expect(replay.get("awake_target")?.shape).toEqual([24, 4, 3]);
    const page = readFileSync(told.report, "utf8");
    for (const text of ["Readout and target", "Trial 4", "are no positions", "readouts, mean squared"])
      expect(page).toContain(text);
    expect(readFileSync(join(run, "report/readouts.csv"), "utf8").split("\n").length).toBe(2 + 4 * 3 * 2 * 24);
    const { data } = JSON.parse(readFileSync(join(run, "manifest.json"), "utf8"));
    expect(data).toMatchObject({ kind: "tensors", trials: 192, trainTrials: 154, mask: "steps" });
  });

  test("dump and paths name the trials, and the inputs are those of the file where they are visible", async () => {
    const [dumped, batch] = [join(folder, "t-dump.npz"), join(folder, "t-paths.npz")];
    await succeed("dump", run, "--fresh", "--include", "awake_*,replay_plain_r", "--out", dumped);
    await succeed("paths", ...config, "--set", "task.maskEvery=2", "--out", batch);
    const [d, p, file] = [readNpz(dumped), readNpz(batch), readNpz(path)];
    const [u, own] = [d.get("awake_u")?.data as Float32Array, p.get("u")?.data as Float32Array];
    expect([...own]).toEqual([...u]);
    const trials = p.get("trials")?.data as Int32Array;
    const manifest = JSON.parse(Buffer.from(d.get("manifest")?.data as Uint8Array).toString());
    expect(manifest.trials).toEqual([[...trials]]);
    const visible = d.get("awake_visible")?.data as Float32Array;
    const given = file.get("u")?.data as Float32Array;
    const [T, B, I] = [24, 8, 3];
    u.forEach((x, i) => {
      const [t, b] = [Math.floor(i / (B * I)) % T, Math.floor(i / I) % B];
      const wanted = given[((trials[b] as number) * T + t) * I + (i % I)] as number;
      if (x !== (visible[Math.floor(i / I)] === 1 ? wanted : 0)) expect.fail(`u at ${i}: ${x}`);
    });
    expect(visible.reduce((sum, v) => sum + v) / visible.length).toBeCloseTo(0.5, 2);
    expect(d.has("awake_positions")).toBe(false);
    const mask = d.get("awake_mask") as { data: Float32Array; shape: readonly number[] };
    expect(mask.shape).toEqual([2, T, B, 1]);
    const weights = file.get("mask")?.data as Float32Array;
    const wanted = Array.from(
      { length: 2 * T * B },
      (_, i) => weights[(trials[i % B] as number) * T + (Math.floor(i / B) % T)],
    );
    expect([...mask.data]).toEqual(wanted);
    expect(new Set(wanted).size).toBeGreaterThan(1);
  });

  test.skipIf(!hasNumpy)("NumPy repeats training on weighted trials, with tanh", async () => {
    const [own, dumped] = [join(folder, "weighted"), join(folder, "weighted.npz")];
    await succeed("train", ...config, "--set", "rnn.activation=tanh", "--set", "train.iterations=1", "--out", own);
    for (const iterations of ["1", "3"]) {
      await succeed("dump", own, "--fresh", "--iterations", iterations, "--out", dumped);
      const { status, stdout, stderr } = replayDump(dumped);
      expect(status, stdout + stderr).toBe(0);
      expect(stdout).toContain(`network 1, ${iterations} training steps: weights`);
    }
  });

  test("resumed: the same bytes; on a changed file: exit 4", async () => {
    const own = join(folder, "resumed");
    const mine = join(folder, "mine.npz");
    copyFileSync(path, mine);
    const set = [...config, "--set", `task.path=${mine}`, "--set", "task.maskEvery=2", "--out", own];
    await succeed("train", ...set);
    const last = (of: string): Float32Array =>
      readNpz(join(of, "checkpoints/iteration-000020.npz")).get("W_rec")?.data as Float32Array;
    expect([...last(own)]).toEqual([...last(run)]);
    rmSync(join(own, "checkpoints/iteration-000020.npz"));
    await succeed("train", "--resume", "--out", own);
    expect([...last(own)]).toEqual([...last(run)]);
    const arrays = Object.fromEntries(readNpz(mine));
    const { data, shape } = arrays.e0 as { data: Float32Array; shape: readonly number[] };
    writeNpz(mine, { ...arrays, e0: { data: data.map((x) => -x), shape } });
    rmSync(join(own, "checkpoints/iteration-000020.npz"));
    const { code, stderr } = await reverie(["train", "--resume", "--out", own]);
    expect(code).toBe(4);
    expect(stderr).toContain("not what the run in");
  });

  test("what needs positions refuses in one line, exit 2", async () => {
    for (const argv of [
      ["sweep", run, "--grid", "friction=1,0.5", "--out", join(folder, "no-sweep")],
      ["metrics", "any.npz", "--config", join(run, "config.json")],
    ]) {
      const { code, stdout, stderr } = await reverie(argv);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("list what to compare as replay.conditions");
    }
    expect(existsSync(join(folder, "no-sweep"))).toBe(false);
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
