/** The command line itself: stopped and resumed, split by the budget, in parts and merged: the same bytes. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/program.ts";
import { readNpz } from "../../src/io/npz.ts";
import { readSweepManifest } from "../../src/sweep/directory.ts";
import {
  type BuiltCommandLine,
  buildProduct,
  Capture,
  freshEnvironment,
  ONE_LINE,
  type Outcome,
  reverie,
} from "../story/command-line.ts";

let product: BuiltCommandLine;
let folder: string;
let run: string;

beforeAll(async () => {
  product = buildProduct();
  folder = mkdtempSync(join(tmpdir(), "reverie-sweep-"));
  run = join(folder, "run");
  await succeed("train", "--preset", "tiny", "--set", "train.iterations=5", "--out", run);
  await succeed(...GRID, "--out", at("whole"));
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

/** In this process: what a child would add is its start. */
async function succeed(...argv: string[]): Promise<Outcome> {
  const outcome = await reverie(["--quiet", ...argv.map((a) => (a === "RUN" ? run : a))]);
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  return outcome;
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

test("the budget splits it, and nothing else changes", async () => {
  await succeed(...GRID, ...SMALL, "--out", at("split"));
  expectSameSweep("split");
  const plan = readSweepManifest(at("split")).plan as { launches: number; deviceBytes: number };
  expect(plan.launches).toBeGreaterThan(10);
  expect(plan.deviceBytes).toBeLessThanOrEqual(350_000);
});

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
  await succeed("sweep", "--resume", "--out", at("stopped"));
  expectSameSweep("stopped");
}, 120_000);

test("Ctrl-C at the first kernel of the networks awake: within a second, nothing measured, and resumed the same", async () => {
  const argv = [...GRID.map((a) => (a === "RUN" ? run : a)), "--out", at("early")];
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && fastest > 1000; i++) {
    rmSync(at("early"), { recursive: true, force: true });
    let sent = 0;
    const stderr = new (class extends Capture {
      override _write(chunk: Buffer | string, encoding: string, done: () => void): void {
        super._write(chunk, encoding, done);
        if (sent > 0 || !String(chunk).includes("compiling")) return;
        sent = performance.now();
        process.emit("SIGINT");
      }
    })();
    expect(await main(argv, { stdout: new Capture(), stderr })).toBe(130);
    fastest = performance.now() - sent;
  }
  expect(fastest).toBeLessThan(1000);
  expect(readFileSync(join(at("early"), "results.jsonl"), "utf8")).toBe("");
  expect(readSweepManifest(at("early"))).toMatchObject({ outcome: { kind: "interrupted" } });
  await succeed("sweep", "--resume", "--out", at("early"));
  expectSameSweep("early");
});

describe("parts", () => {
  test("two parts, merged in any order", async () => {
    for (const i of [0, 1]) await succeed(...GRID, "--shard", `${i + 1}/2`, "--out", at(`part-${i}`));
    expect(existsSync(join(at("part-0"), "metrics.csv"))).toBe(false);
    await succeed("merge", at("part-1"), at("part-0"), "--out", at("merged"));
    expectSameSweep("merged");
  });

  test("positions too", async () => {
    const decoded = [...GRID, "--save", "decoded", "--save-every", "7"];
    await succeed(...decoded, "--out", at("decoded"));
    await succeed(...decoded, "--out", at("decoded-0"), "--shard", "1/1", ...SMALL);
    await succeed("merge", at("decoded-0"), "--out", at("decoded-merged"));
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
    const refused = await reverie(["--quiet", ...args]);
    expect(refused.stderr).toMatch(ONE_LINE);
    expect(refused.stderr).toMatch(message);
    expect(refused.code).toBe(code);
  });
});

test("--plan runs nothing", async () => {
  const { stdout } = await succeed(...GRID, "--plan", "--out", at("planned"));
  expect(stdout).toMatch(/12 conditions × 2 networks × 30 repeats = 720 rollouts of 60 steps/);
  expect(stdout).toMatch(/1 launch,/);
  expect(existsSync(at("planned"))).toBe(false);
});
