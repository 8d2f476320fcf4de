/** Files of given trials: what is read, what is refused and in which words; their order in training. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { networkShape, pathTask, taskNote } from "../../src/config/resolve.ts";
import { DataError, UsageError } from "../../src/errors.ts";
import { type ArrayToWrite, writeNpz } from "../../src/io/npz.ts";
import { loadTrials, TrialFile } from "../../src/io/trial-file.ts";
import { shuffled, TrialOrder } from "../../src/task/tensors.ts";
import { ROOT } from "../story/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-trial-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function npz(arrays: Record<string, ArrayToWrite>): string {
  const path = join(folder, `${++files}.npz`);
  writeNpz(path, arrays);
  return path;
}

/** Every number says where it stands: trial, step, place. */
const array = (...shape: number[]): ArrayToWrite & { data: Float32Array } => ({
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i),
  shape,
});
const sound = () => ({ u: array(5, 4, 2), e0: array(5, 3), target: array(5, 4, 6) });
const options = { steps: null, testShare: 0.4 };

describe("a file", () => {
  test("trials are read where they stand, the first steps alone where fewer are asked for", () => {
    const file = new TrialFile({ ...options, path: npz({ ...sound(), mask: array(5, 4) }), steps: 3 });
    const out = new Float32Array(20).fill(-1);
    file.read("target", 2, out, 1);
    expect([...out.subarray(0, 20)]).toEqual([-1, ...Array.from({ length: 18 }, (_, i) => 48 + i), -1]);
    file.read("mask", 4, out, 0);
    expect([...out.subarray(0, 4)]).toEqual([16, 17, 18, 50]);
    file.read("e0", 1, out, 0);
    expect([...out.subarray(0, 3)]).toEqual([3, 4, 5]);
    expect([...file.train, -1, ...file.test]).toEqual([0, 1, 3, -1, 2, 4]);
    expect([...file.check()].at(-1)).toBe(file.bytes);
  });

  test("float64 and float16 are float32 to who reads them", () => {
    const wide = { ...sound(), u: { data: Float64Array.from(sound().u.data), shape: [5, 4, 2] } };
    const path = npz(wide);
    const out = new Float32Array(8);
    new TrialFile({ ...options, path }).read("u", 3, out, 0);
    expect([...out]).toEqual([24, 25, 26, 27, 28, 29, 30, 31]);
    expect(loadTrials({ ...options, path }).note).toContain("float64 rounded to float32: u");
    const half = new TrialFile({ ...options, path: join(ROOT, "scripts/examples/flip-flop.npz") });
    half.read("u", 0, new Float32Array(72), 0);
    expect([...half.check()].at(-1)).toBe(half.bytes);
  });

  test("its digest is that of what it holds and how it is used", () => {
    const digest = (path: string, steps: number | null = null) => new TrialFile({ ...options, path, steps }).digest;
    const path = npz(sound());
    expect(digest(npz(sound()))).toBe(digest(path));
    expect(digest(path, 3)).not.toBe(digest(path));
    const other = sound();
    other.target.data[7] = 1;
    expect(digest(npz(other))).not.toBe(digest(path));
  });

  const withNaN = (name: "u" | "e0" | "target") => {
    const arrays = sound();
    arrays[name].data[9] = Number.NaN;
    return { ...arrays, mask: array(5, 4) };
  };
  test.each<[string, () => Record<string, ArrayToWrite>, string]>([
    ["NaN in u", () => withNaN("u"), "u: NaN at (1,0,1), trial 1, step 0; every value must be a finite float32"],
    ["NaN in e0", () => withNaN("e0"), "e0: NaN at (3,0), trial 3;"],
    [
      "NaN in target",
      () => withNaN("target"),
      "target: NaN at (0,1,3), trial 0, step 1; every value must be a finite number; where mask is 0",
    ],
    [
      "a negative weight",
      () => ({ ...sound(), mask: { data: Float32Array.of(...Array(19).fill(1), -1), shape: [5, 4] } }),
      "mask: -1 at (4,3), trial 4; a weight must be a finite number ≥ 0",
    ],
    [
      "more than float32 holds",
      () => ({ ...sound(), e0: { data: new Float64Array(15).fill(1e39), shape: [5, 3] } }),
      "e0: Infinity at (0,0)",
    ],
    [
      "no target",
      () => ({ u: array(5, 4, 2), e0: array(5, 3), y: array(1) }),
      "target (trials,T,O): missing; the file has u, e0, y",
    ],
    [
      "whole numbers",
      () => ({ ...sound(), e0: { data: new Int32Array(15), shape: [5, 3] } }),
      "e0: expected float32 (trials,E), found int32; save e0.astype('f4')",
    ],
    [
      "another T",
      () => ({ ...sound(), target: array(5, 3, 6) }),
      "target: expected (trials,T,O), trials = 5 and T = 4 as in u, found (5,3,6)",
    ],
    ["another number of trials", () => ({ ...sound(), e0: array(4, 3) }), "e0: expected (trials,E), trials = 5"],
    [
      "a mask of another width",
      () => ({ ...sound(), mask: array(5, 4, 2) }),
      "mask: expected (trials,T) or (trials,T,O)",
    ],
    ["one axis too few", () => ({ ...sound(), u: array(5, 4) }), "u: expected (trials,T,I), found (5,4)"],
    [
      "nothing in it",
      () => ({ ...sound(), u: { data: new Float32Array(0), shape: [5, 4, 0] } }),
      "every size must be at least 1",
    ],
    [
      "one trial",
      () => ({ u: array(1, 4, 2), e0: array(1, 3), target: array(1, 4, 6) }),
      "1 trials cannot be split with task.testShare = 0.4",
    ],
  ])("%s is refused", (_, arrays, message) => {
    const path = npz(arrays());
    const all = () => [...new TrialFile({ ...options, path }).check()];
    expect(all).toThrow(DataError);
    expect(all).toThrow(message);
    expect(all).toThrow(path);
  });

  test("a bit that fell over is found by the checksum, and what is cut off by its end", () => {
    const path = npz(sound());
    const bytes = readFileSync(path);
    const at = bytes.indexOf(Buffer.from(Float32Array.of(7, 8).buffer));
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(() => [...new TrialFile({ ...options, path }).check()]).toThrow("u: damaged (its CRC-32 does not match)");
    writeFileSync(path, bytes.subarray(0, bytes.length - 40));
    expect(() => new TrialFile({ ...options, path })).toThrow(DataError);
  });

  test("compressed arrays cannot be read piece by piece", () => {
    const path = join(ROOT, "test/fixtures/numpy-compressed-trials.npz");
    expect(() => new TrialFile({ ...options, path })).toThrow(
      "compressed, and it is read piece by piece; save it with numpy.savez",
    );
  });
});

describe("the order of training", () => {
  test("every pass has every trial once, in an order of its own that the root seed decides", () => {
    const one = shuffled(100, 7, 3);
    expect([...one].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([...one]).not.toEqual([...shuffled(100, 7, 4)]);
    expect([...one]).not.toEqual([...shuffled(100, 8, 3)]);
    expect([...shuffled(100, 7, 3)]).toEqual([...one]);
    expect([...shuffled(100, 7, 3 + 2 ** 32)]).not.toEqual([...one]);
  });

  test("all places are as likely: χ² of where trial 0 of 8 comes to lie", () => {
    const counts = new Array(8).fill(0);
    for (let pass = 0; pass < 4000; pass++) counts[shuffled(8, 1, pass).indexOf(0)]++;
    const chi2 = counts.reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
    // 24.3 is exceeded once in a thousand.
    expect(chi2).toBeLessThan(24.3);
  });

  test("batches follow one another across passes, from any iteration on", () => {
    const { task } = loadTrials({ ...options, path: npz(sound()) });
    const order = new TrialOrder(task, 5);
    const trials = Array.from({ length: 6 }, (_, i) => [...order.training(i, 2)]).flat();
    for (let pass = 0; pass < 4; pass++) expect(trials.slice(3 * pass, 3 * pass + 3).sort()).toEqual([0, 1, 3]);
    expect([...new TrialOrder(task, 5).training(4, 2)]).toEqual(trials.slice(8, 10));
    expect([...order.test(5)]).toEqual([2, 4, 2, 4, 2]);
  });
});

describe("the configuration", () => {
  const example = `task.path=${join(ROOT, "scripts/examples/flip-flop.npz")}`;
  test("steps are the file's, inputs are visible, and nothing of the preset's maze is left", () => {
    const { config } = loadConfig({ preset: "tmaze", set: ["task.kind=tensors", example] });
    expect(config.task).toMatchObject({ kind: "tensors", steps: 24, maskEvery: 1, cells: null, testShare: 0.2 });
    expect(networkShape(config)).toEqual({ units: 64, inputs: 3, outputs: 3, encoderInputs: 3 });
    expect(taskNote(config)).toContain("192 trials of 24 steps, 3 inputs, 3 readouts");
    const fewer = loadConfig({ set: ["task.kind=tensors", example, "task.steps=10"] }).config;
    expect(taskNote(fewer)).toContain("the first 10 of 24 steps");
  });

  test("the committed configuration of the example", () => {
    const { config } = loadConfig({ file: join(ROOT, "scripts/examples/flip-flop.json") });
    expect(config.task).toMatchObject({ path: join(ROOT, "scripts/examples/flip-flop.npz"), steps: 24 });
  });

  test("what makes no sense is refused", () => {
    const load = (...set: string[]) => loadConfig({ set: ["task.kind=tensors", ...set] });
    expect(() => load(example, 'task.cells={"count":16}')).toThrow("task.cells is");
    expect(() => load()).toThrow("task.path is missing");
    expect(() => load("task.path=none.npz")).toThrow(DataError);
    expect(() => networkShape(load(example, "task.steps=25").config)).toThrow(
      "its trials have 24 steps, and task.steps = 25",
    );
    expect(() => pathTask(load(example).config)).toThrow(UsageError);
  });
});
