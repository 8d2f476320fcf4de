/** The command line itself: killed at any moment and resumed, split by the budget, in parts and merged: the same bytes. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNpz } from "../../src/io/npz.ts";
import { readSweepManifest } from "../../src/sweep/directory.ts";
import {
  type BuiltCommandLine,
  buildProduct,
  freshEnvironment,
  runChild,
  withoutNativeWarnings,
} from "../story/command-line.ts";

let product: BuiltCommandLine;
let folder: string;
let run: string;

beforeAll(async () => {
  product = buildProduct();
  folder = mkdtempSync(join(tmpdir(), "reverie-sweep-"));
  run = join(folder, "run");
  await reverie("train", "--preset", "tiny", "--set", "train.iterations=5", "--out", run);
  await reverie(...GRID, "--out", at("whole"));
}, 120_000);
afterAll(() => {
  product?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);

/** A file with two conditions a shard, and launches of one condition under the small budget. */
const GRID = [
  "sweep",
  "RUN",
  "--grid",
  "friction=1,0.8,0.6",
  "--grid",
  "adaptStrength=0:0.2:4",
  "--repeats",
  "30",
  "--steps",
  "60",
];
const SMALL = ["--budget", "350kB"];

async function reverie(...argv: string[]): Promise<{ stdout: string; stderr: string }> {
  const options = { cwd: product.folder, environment: freshEnvironment() };
  const args = argv.map((a) => (a === "RUN" ? run : a));
  const { code, stdout, stderr } = await runChild(product.script, ["--quiet", ...args], options);
  expect(withoutNativeWarnings(stderr)).toBe("");
  expect(code).toBe(0);
  return { stdout, stderr };
}

const FILES = ["results.jsonl", "metrics.csv", "awake.csv", "sweep.json"];

function expectSameSweep(name: string, like = "whole"): void {
  for (const file of FILES) {
    expect(
      readFileSync(join(at(name), file), "utf8") === readFileSync(join(at(like), file), "utf8"),
      `${name}/${file}`,
    ).toBe(true);
  }
  const leftovers = readdirSync(at(name), { recursive: true, encoding: "utf8" }).filter((f) =>
    /tmp-|run\.lock/.test(f),
  );
  expect(leftovers).toEqual([]);
  expect(readSweepManifest(at(name))).toMatchObject({ outcome: { kind: "completed" } });
}

/** Starts a child and kills it after some milliseconds, unless it was faster; null: killed. */
function shortLived(argv: readonly string[], milliseconds: number) {
  return new Promise<number | null>((resolve) => {
    const child: ChildProcess = spawn(process.execPath, [product.script, "--quiet", ...argv], {
      cwd: product.folder,
      env: freshEnvironment(),
      stdio: "ignore",
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}

/** The same moments in every run of the test. */
function* moments(): Generator<number> {
  for (let state = 12345; ; ) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield state / 2 ** 32;
  }
}

test("the budget splits it, and nothing else changes", async () => {
  await reverie(...GRID, ...SMALL, "--out", at("split"));
  expectSameSweep("split");
  const plan = readSweepManifest(at("split")).plan as { launches: number; deviceBytes: number };
  expect(plan.launches).toBeGreaterThan(10);
  expect(plan.deviceBytes).toBeLessThanOrEqual(350_000);
});

test("20 kills at random moments, each resumed", async () => {
  const whole = readFileSync(join(at("whole"), "results.jsonl"), "utf8").length;
  const next = moments();
  const start = [...GRID.map((a) => (a === "RUN" ? run : a)), ...SMALL];
  // From the first import to the end, as long as it takes on this machine.
  const began = performance.now();
  await reverie(...start, "--out", at("timed"));
  const length = performance.now() - began;
  let [kills, completed, midway, rounds] = [0, 0, 0, 0];
  while (kills < 20 && rounds < 100) {
    rounds++;
    const name = `killed-${completed}`;
    const resume = existsSync(join(at(name), "sweep.json")) ? ["sweep", "--resume", ...SMALL] : start;
    const moment = (0.1 + 0.9 * (next.next().value as number)) * length;
    const code = await shortLived([...resume, "--out", at(name)], moment);
    if (code !== null) {
      expect(code).toBe(0);
      expectSameSweep(name);
      completed++;
      continue;
    }
    kills++;
    const lines = join(at(name), "results.jsonl");
    const bytes = existsSync(lines) ? readFileSync(lines).length : 0;
    if (bytes > 0 && bytes < whole) midway++;
  }
  const name = `killed-${completed}`;
  await reverie(...(existsSync(join(at(name), "sweep.json")) ? ["sweep", "--resume"] : start), "--out", at(name));
  expectSameSweep(name);
  expect(kills).toBe(20);
  // Kills that come before the first line or after the last one prove little.
  expect(midway).toBeGreaterThan(3);
}, 300_000);

/** Starts a child, sends SIGINT once its results have grown beyond the awake lines; milliseconds until it was gone. */
function interrupted(argv: readonly string[], lines: string): Promise<{ code: number | null; took: number }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [product.script, "--quiet", ...argv], {
      cwd: product.folder,
      env: freshEnvironment(),
      stdio: "ignore",
    });
    let sent = 0;
    const timer = setInterval(() => {
      const count = existsSync(lines) ? readFileSync(lines, "utf8").split("\n").length - 1 : 0;
      if (sent > 0 || count <= 2) return;
      sent = performance.now();
      child.kill("SIGINT");
    }, 5);
    child.on("exit", (code) => {
      clearInterval(timer);
      resolve({ code, took: performance.now() - sent });
    });
  });
}

test("Ctrl-C stops within a second with code 130; resumed without any flag it ends the same", async () => {
  const start = [...GRID.map((a) => (a === "RUN" ? run : a)), ...SMALL];
  let fastest = Number.POSITIVE_INFINITY;
  // The fastest of three counts: other work on the machine may hold up one of them.
  for (let i = 0; i < 3 && fastest > 1000; i++) {
    rmSync(at("stopped"), { recursive: true, force: true });
    const { code, took } = await interrupted([...start, "--out", at("stopped")], join(at("stopped"), "results.jsonl"));
    expect(code).toBe(130);
    fastest = took;
  }
  expect(fastest).toBeLessThan(1000);
  expect(readSweepManifest(at("stopped"))).toMatchObject({ outcome: { kind: "interrupted" } });
  await reverie("sweep", "--resume", "--out", at("stopped"));
  expectSameSweep("stopped");
}, 120_000);

describe("parts", () => {
  test("two parts, merged in any order", async () => {
    for (const i of [0, 1]) await reverie(...GRID, "--shard", `${i + 1}/2`, "--out", at(`part-${i}`));
    expect(existsSync(join(at("part-0"), "metrics.csv"))).toBe(false);
    await reverie("merge", at("part-1"), at("part-0"), "--out", at("merged"));
    expectSameSweep("merged");
  });

  test("positions too", async () => {
    const decoded = [...GRID, "--save", "decoded", "--save-every", "7"];
    await reverie(...decoded, "--out", at("decoded"));
    await reverie(...decoded, "--out", at("decoded-0"), "--shard", "1/1", ...SMALL);
    await reverie("merge", at("decoded-0"), "--out", at("decoded-merged"));
    expectSameSweep("decoded-merged", "decoded");
    const file = join("shards", "shard-000.npz");
    expect(readFileSync(join(at("decoded-merged"), file)).equals(readFileSync(join(at("decoded"), file)))).toBe(true);
    const npz = readNpz(join(at("decoded"), file));
    expect(npz.get("positions")?.shape).toEqual([2, 8, 12 * 30, 2]);
    const labels = (name: string) => Array.from((npz.get(name)?.data as Int32Array | undefined) ?? []).slice(29, 31);
    expect([labels("condition"), labels("repeat")]).toEqual([
      [0, 1],
      [29, 0],
    ]);
  });

  const refusals: [string, () => string[], number, RegExp][] = [
    ["a part that is missing", () => ["merge", at("part-0"), "--out", at("x")], 2, /part 2\/2 is missing/],
    ["a part twice", () => ["merge", at("part-0"), at("part-0"), "--out", at("x")], 2, /both part 1\/2/],
    ["another sweep's part", () => ["merge", at("part-0"), at("decoded"), "--out", at("x")], 4, /different sweeps/],
    ["no sweep at all", () => ["merge", folder, "--out", at("x")], 4, /sweep\.json/],
    ["a sweep in the way", () => [...GRID, "--out", at("whole")], 2, /holds a sweep .* --resume/],
    ["a run in the way", () => [...GRID, "--out", run, "--force"], 2, /deletes only sweeps/],
    ["nothing to resume", () => ["sweep", "--resume", "--out", at("nowhere")], 4, /no sweep to resume/],
    [
      "other flags",
      () => [...GRID.slice(0, -1), "61", "--resume", "--out", at("whole")],
      4,
      /another sweep \(steps differ\)/,
    ],
    ["no network", () => ["sweep", at("nowhere"), "--grid", "leak=1", "--out", at("x")], 4, /nowhere/],
    ["a budget too small", () => [...GRID, "--budget", "1kB", "--out", at("x")], 2, /larger --budget/],
    ["nonsense for a budget", () => [...GRID, "--budget", "much", "--out", at("x")], 2, /--budget much/],
    ["part 3 of 2", () => [...GRID, "--shard", "3/2", "--out", at("x")], 2, /from 1 to n/],
    ["repeats below 1", () => [...GRID, "--repeats", "0", "--out", at("x")], 2, /--repeats 0/],
  ];
  test.each(refusals)("refuses %s", async (_, argv, code, message) => {
    const args = argv().map((a) => (a === "RUN" ? run : a));
    const child = await runChild(product.script, ["--quiet", ...args], {
      cwd: product.folder,
      environment: freshEnvironment(),
    });
    const stderr = withoutNativeWarnings(child.stderr);
    expect(stderr).toMatch(/^reverie: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(child.code).toBe(code);
  });
});

test("--plan runs nothing", async () => {
  const { stdout } = await reverie(...GRID, "--plan", "--out", at("planned"));
  expect(stdout).toMatch(/12 conditions × 2 networks × 30 repeats = 720 rollouts of 60 steps/);
  expect(stdout).toMatch(/1 launches/);
  expect(existsSync(at("planned"))).toBe(false);
});
