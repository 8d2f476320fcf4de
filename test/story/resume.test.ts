/** Going on: on another adapter, with another configuration, after a lost device, from next to nothing; and full disks. */
import fs, { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../src/cli/program.ts";
import { EXIT } from "../../src/errors.ts";
import { type CheckpointMeta, loadCheckpoint, saveCheckpoint } from "../../src/io/checkpoint.ts";
import { readJson, writeJson } from "../../src/io/json.ts";
import { Capture, ONE_LINE, type Outcome, reverie } from "./command-line.ts";

let folder: string;
const inside = (...parts: string[]): string => join(folder, ...parts);
const CONFIG = ["--preset", "tiny", "--set", "train.iterations=12", "--set", "test.trajectories=8"];

/** Runs a command line; `at` is done once stderr says `word`. */
async function runWith(word: string, at: () => void, ...argv: string[]): Promise<Outcome> {
  let done = false;
  const stderr = new (class extends Capture {
    override _write(chunk: Buffer | string, encoding: string, next: () => void): void {
      super._write(chunk, encoding, next);
      if (done || !this.text.includes(word)) return;
      done = true;
      at();
    }
  })();
  const stdout = new Capture();
  const code = await main(argv, { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

async function succeed(...argv: string[]): Promise<Outcome> {
  const outcome = await reverie(argv);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

const manifest = (run: string) => readJson(inside(run, "manifest.json")) as Record<string, never>;
const newest = (run: string): Buffer => {
  const names = readdirSync(inside(run, "checkpoints")).sort();
  return readFileSync(inside(run, "checkpoints", names.at(-1) as string));
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reverie-resume-"));
  await succeed("train", ...CONFIG, "--out", inside("whole"));
  const stop = () => void process.emit("SIGINT");
  expect((await runWith("\ntraining\n", stop, "train", ...CONFIG, "--out", inside("stopped"))).code).toBe(130);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A copy of the run that was stopped, its checkpoint changed as another machine would have written it. */
function copyOf(name: string, change: (meta: CheckpointMeta) => Partial<CheckpointMeta> = () => ({})): string {
  cpSync(inside("stopped"), inside(name), { recursive: true });
  const { arrays, meta } = loadCheckpoint(inside(name));
  saveCheckpoint(inside(name), { arrays, meta: { ...meta, ...change(meta) } });
  return inside(name);
}

describe("the stored step", () => {
  test("is not told of on the adapter that stored it", async () => {
    const { stderr } = await succeed("train", "--resume", "--out", copyOf("same"));
    expect(stderr).not.toMatch(/stored step|comes from/);
    expect(newest("same")).toEqual(newest("whole"));
  });

  test("on another driver: a warning, and how far the two are from one another", async () => {
    const run = copyOf("driver", () => ({ driver: "Mesa 1.0" }));
    const { stderr } = await succeed("train", "--resume", "--out", run);
    expect(stderr).toMatch(/the checkpoint comes from \S+ \(Mesa 1\.0\): on another adapter or driver the same seed/);
    expect(stderr).toMatch(/the stored step, computed again here, deviates by loss 0, gradient norm 0 \(relative\)/);
    expect(stderr.indexOf("stored step")).toBeLessThan(stderr.indexOf("\ntraining\n"));
  });

  const shifted = ({ nextStep }: CheckpointMeta): Partial<CheckpointMeta> => {
    if (!nextStep) throw new Error("no stored step");
    return { nextStep: { ...nextStep, loss: nextStep.loss.map((x) => (x ?? 0) * 1.001) } };
  };

  test("on another adapter that computes something else", async () => {
    const run = copyOf("adapter", (meta) => ({ adapter: "Voodoo 2", ...shifted(meta) }));
    const { stderr } = await succeed("train", "--resume", "--out", run);
    expect(stderr).toMatch(/comes from Voodoo 2 .*\n.*deviates by loss (9\.99e-4|1\.0e-3), gradient norm 0/s);
  });

  test("that this very adapter does not repeat", async () => {
    const { stderr } = await succeed("train", "--resume", "--out", copyOf("unsound", shifted));
    expect(stderr).toMatch(/this adapter does not repeat the stored step to the bit: loss (9\.99e-4|1\.0e-3)/);
  });
});

test("losses that were changed since the checkpoint are told of", async () => {
  const run = copyOf("losses");
  const lines = readFileSync(join(run, "train.jsonl"), "utf8").replace(/"loss":\[0\.\d/, (m) => `${m.slice(0, -1)}9`);
  writeFileSync(join(run, "train.jsonl"), lines);
  const { lossHistoryLength } = loadCheckpoint(run).meta;
  const { stderr } = await succeed("train", "--resume", "--out", run);
  if (lossHistoryLength > 0) expect(stderr).toMatch(/train\.jsonl: changed since its checkpoint was written/);
  cpSync(inside("whole"), inside("shorter"), { recursive: true });
  writeFileSync(inside("shorter", "train.jsonl"), "");
  const shorter = await succeed("train", "--resume", "--out", inside("shorter"));
  expect(shorter.stderr).toMatch(/train\.jsonl: only 0 of 12 lines are sound, the rest is lost/);
});

describe("another configuration", () => {
  test("is refused with the keys that differ, and what to do (4)", async () => {
    const line = ["--quiet", "train", "--resume", "--out", inside("whole"), "--set", "rnn.leak=0.3"];
    const { code, stderr } = await reverie([...line, "--set", "train.clipNorm=2"]);
    expect(code).toBe(EXIT.badData);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toMatch(/another configuration \(rnn\.leak, train\.clipNorm differ\): .*--fork \S+whole --out DIR/);
  });

  test("--fork: a new run that begins with these networks", async () => {
    const { stderr } = await succeed(
      "train",
      "--fork",
      inside("whole"),
      "--set",
      "rnn.leak=0.3",
      "--out",
      inside("fork"),
    );
    expect(stderr).toMatch(/forked from \S+iteration-000012\.npz, iteration 12: its networks, with fresh moments/);
    const [source, begun] = [inside("whole"), inside("fork", "checkpoints", "iteration-000000.npz")].map((path) =>
      loadCheckpoint(path),
    );
    expect(begun?.arrays.weights).toEqual(source?.arrays.weights);
    expect(Math.max(...(begun?.arrays.m[0]?.W_rec ?? [1]))).toBe(0);
    expect(manifest("fork")).toMatchObject({ forkedFrom: { path: inside("whole"), iteration: 12 } });
    expect(readJson(inside("fork", "config.json"))).toMatchObject({ rnn: { leak: 0.3 }, train: { iterations: 12 } });
  });

  test.each<[string[], RegExp]>([
    [["--set", "rnn.units=9"], /holds other networks \(units 8 instead of 9\): give rnn\.units and seeds/],
    [["--set", "seeds=[1]"], /holds other networks \(networks 2 instead of 1\)/],
    [["--resume"], /--resume and --fork exclude each other/],
  ])("--fork refuses %s (2)", async (more, pattern) => {
    const { code, stderr } = await reverie([
      "--quiet",
      "train",
      "--fork",
      inside("whole"),
      "--out",
      inside("no"),
      ...more,
    ]);
    expect(stderr).toMatch(pattern);
    expect(code).toBe(EXIT.usage);
  });
});

describe("a run that was stopped before its first checkpoint", () => {
  test.each([["--resume"], []])("is begun anew %s", async (...resume: string[]) => {
    const run = inside(`barren${resume.length}`);
    cpSync(inside("whole"), run, { recursive: true });
    rmSync(join(run, "checkpoints"), { recursive: true });
    rmSync(join(run, "train.jsonl"));
    writeJson(join(run, "manifest.json"), { ...manifest("whole"), outcome: { kind: "running" } });
    await succeed("train", ...CONFIG, ...resume, "--out", run);
    expect(readFileSync(join(run, "train.jsonl"), "utf8")).toBe(readFileSync(inside("whole", "train.jsonl"), "utf8"));
  });
});

test("a device lost on the way: 7, the last checkpoint, the command that goes on, and the same bytes in the end", async () => {
  const lose = () => {
    const pinned = (globalThis as unknown as { reverieGpu: unknown[] }).reverieGpu;
    (pinned.at(-1) as GPUDevice).destroy();
  };
  const run = inside("lost");
  const { code, stdout, stderr } = await runWith("\ntraining\n", lose, "train", ...CONFIG, "--out", run);
  expect({ code, stdout }).toEqual({ code: EXIT.gpu, stdout: "" });
  expect(stderr).toMatch(
    /\nreverie: \S+: the device was lost \(\w+\): .*; last checkpoint iteration-000000\.npz; go on with: npx reverie train --resume --out \S+lost\n$/,
  );
  expect(manifest("lost").outcome).toMatchObject({ kind: "deviceLost", checkpoint: "iteration-000000.npz" });
  await succeed("train", "--resume", "--out", run);
  expect(newest("lost")).toEqual(newest("whole"));
});

describe("a sweep", () => {
  const GRID = ["--grid", "friction=1,0.5", "--repeats", "4", "--steps", "12"];

  test("on another driver says how far the networks awake are from what was measured", async () => {
    await succeed("sweep", inside("whole"), ...GRID, "--out", inside("sweep"));
    const old = readJson(inside("sweep", "manifest.json")) as { adapter: object };
    writeJson(inside("sweep", "manifest.json"), { ...old, adapter: { ...old.adapter, driver: "Mesa 1.0" } });
    const { stderr } = await succeed("sweep", "--resume", "--out", inside("sweep"));
    expect(stderr).toMatch(/the sweep began on \S+ \(Mesa 1\.0\): another adapter or driver gives other bits/);
    expect(stderr).toMatch(/the networks awake, measured again here, are the same to the bit/);
  });

  test("a lost device: 7, and the command that goes on", async () => {
    const lose = () => {
      const pinned = (globalThis as unknown as { reverieGpu: unknown[] }).reverieGpu;
      (pinned.at(-1) as GPUDevice).destroy();
    };
    const { code, stderr } = await runWith("compiling", lose, "sweep", inside("whole"), ...GRID, "--out", inside("s2"));
    expect(code).toBe(EXIT.gpu);
    expect(stderr).toMatch(
      /the device was lost .*; what is done is saved; go on with: npx reverie sweep --resume --out/,
    );
    expect(manifest("s2").outcome).toMatchObject({ kind: "deviceLost" });
  });
});

describe("a disk without room is found before the work (8)", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  test.each([
    ["start", "start --preset tiny --out @/full"],
    ["train", "train --preset tiny --out @/full"],
    ["replay", "replay @/whole --out @/full.npz"],
    ["paths", "paths --preset tiny --out @/full.npz"],
    ["sweep", "sweep @/whole --grid friction=1,0.5 --out @/full"],
  ])("%s", async (_, line) => {
    vi.spyOn(fs, "statfsSync").mockReturnValue({ bavail: 1, bsize: 1024 } as never);
    syncBuiltinESMExports();
    const { code, stdout, stderr } = await reverie(line.split(" ").map((word) => word.replace("@", folder)));
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toMatch(/needs [\d.]+ MiB, 0\.0 MiB are free; free some space or save less/);
    expect({ code, stdout }).toEqual({ code: EXIT.disk, stdout: "" });
    expect(existsSync(inside("full.npz"))).toBe(false);
    rmSync(inside("full"), { recursive: true, force: true });
  });

  test("a replay that no .npz could hold is refused, too (2)", async () => {
    const more = ["--steps", "10000000", "--repeats", "100"];
    const { code, stderr } = await reverie(["replay", inside("whole"), "--out", inside("big.npz"), ...more]);
    expect(stderr).toMatch(/the replay's positions come to \d+ GiB, a \.npz holds 4 GiB: raise replay\.saveEvery/);
    expect(code).toBe(EXIT.usage);
  });
});
