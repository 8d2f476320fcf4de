/** People's own recordings: what is read, what is made of it, and what is refused, by name and place. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { pathTask, taskNote } from "../../src/config/resolve.ts";
import { DataError } from "../../src/errors.ts";
import { type ArrayToWrite, writeNpz } from "../../src/io/npz.ts";
import { loadRecording } from "../../src/io/recorded-task.ts";
import { readRecording } from "../../src/io/recording.ts";
import { recordingData } from "../../src/task/recorded.ts";
import { resample } from "../../src/task/resample.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-recordings-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function npz(arrays: Record<string, ArrayToWrite>): string {
  const path = join(folder, `${++files}.npz`);
  writeNpz(path, arrays);
  return path;
}
function csv(text: string): string {
  const path = join(folder, `${++files}.csv`);
  writeFileSync(path, text);
  return path;
}

/** x runs along, y is the trial: so a sample says where it comes from. */
const line = (trial: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => [i / 100, trial]).flat();
const block = (trials: number, samples: number): ArrayToWrite => ({
  data: Float64Array.from(Array.from({ length: trials }, (_, i) => line(i, samples)).flat()),
  shape: [trials, samples, 2],
});

describe("files", () => {
  test("whole trials, with times for all or for each", () => {
    const times = { data: Float64Array.of(0, 1, 2, 10, 12, 14), shape: [2, 3] };
    const own = readRecording(npz({ positions: block(2, 3), timestamps: times }));
    expect(own.trials.map((t) => [...(t.times as Float64Array)])).toEqual([
      [0, 1, 2],
      [10, 12, 14],
    ]);
    expect([...(own.trials[1]?.positions ?? [])]).toEqual([0, 1, 0.01, 1, 0.02, 1]);
    const shared = readRecording(npz({ positions: block(2, 3), timestamps: { data: Float64Array.of(0, 1, 2) } }));
    expect([...(shared.trials[1]?.times ?? [])]).toEqual([0, 1, 2]);
    expect(readRecording(npz({ positions: block(2, 3) })).trials[0]?.times).toBeNull();
  });

  test("ragged trials by lengths or by offsets, float32 too", () => {
    const positions = { data: Float32Array.from([...line(0, 2), ...line(1, 3)]), shape: [5, 2] };
    const timestamps = { data: Float64Array.of(0, 1, 0, 1, 2) };
    for (const borders of [
      { lengths: { data: Int32Array.of(2, 3) } },
      { offsets: { data: Int32Array.of(0, 2) } },
      { offsets: { data: Int32Array.of(0, 2, 5) } },
    ]) {
      const { trials } = readRecording(npz({ positions, timestamps, ...borders }));
      expect(trials.map((t) => t.positions.length / 2)).toEqual([2, 3]);
      expect([...(trials[1]?.times ?? [])]).toEqual([0, 1, 2]);
      expect(trials[1]?.positions[3]).toBe(1);
    }
    expect(readRecording(npz({ positions })).trials.length).toBe(1);
  });

  test("CSV: columns in any order, a mark at the beginning, quoted names", () => {
    const { trials } = readRecording(csv('\uFEFFt,y,x,trial\n0,1,2,"a, b"\n0.5,3,4,"a, b"\n0,5,6,c\n'));
    expect(trials.map((t) => t.name)).toEqual(["trial a, b", "trial c"]);
    expect([...(trials[0]?.positions ?? [])]).toEqual([2, 1, 4, 3]);
    expect([...(trials[0]?.times ?? [])]).toEqual([0, 0.5]);
    expect(readRecording(csv("x,y\n0,1\n")).trials[0]).toMatchObject({ name: "trial 0", times: null });
  });

  const positions = block(2, 3);
  const withNaN = block(2, 3);
  withNaN.data[9] = Number.NaN;
  test.each<[string, () => string, string]>([
    ["NaN", () => npz({ positions: withNaN }), "positions: NaN at (1,1,1); every value must be a finite number"],
    ["no positions", () => npz({ x: positions }), "positions: missing; the file has x"],
    [
      "three coordinates",
      () => npz({ positions: { data: new Float64Array(12), shape: [2, 2, 3] } }),
      "expected float64",
    ],
    ["no trials", () => npz({ positions: { data: new Float64Array(0), shape: [0, 5, 2] } }), "no trials"],
    ["no samples", () => npz({ positions: { data: new Float64Array(0), shape: [1, 0, 2] } }), "trial 0 has no samples"],
    ["lengths of whole trials", () => npz({ positions, lengths: { data: Int32Array.of(3, 3) } }), "are whole trials"],
    [
      "lengths that leave samples over",
      () => npz({ positions: { data: new Float64Array(10), shape: [5, 2] }, lengths: { data: Int32Array.of(2, 2) } }),
      "lengths: trials end at 4 of 5 samples",
    ],
    [
      "offsets that fall",
      () =>
        npz({ positions: { data: new Float64Array(10), shape: [5, 2] }, offsets: { data: Int32Array.of(0, 4, 2) } }),
      "must begin at 0, rise",
    ],
    ["too few times", () => npz({ positions, timestamps: { data: new Float64Array(2) } }), "timestamps: expected"],
    [
      "times that stand still",
      () => npz({ positions, timestamps: { data: Float64Array.of(0, 1, 1) } }),
      "trial 0: sample 2 at 1 s comes after one at 1 s; times must rise",
    ],
    ["an empty CSV", () => csv("trial,t,x,y\n"), "no samples"],
    ["no column y", () => csv("t,x,z\n0,1,2\n"), "no column y; found t, x, z"],
    ["words", () => csv("x,y\n0,1\n0,lost\n"), 'row 2: y is "lost"; must be a finite number'],
    ["NaN in CSV", () => csv("x,y\n0,1\nnan,2\n"), 'row 2: x is "nan"'],
    ["an empty field", () => csv("x,y\n,1\n"), 'row 1: x is ""'],
    ["a short row", () => csv("x,y\n0,1\n2\n"), "row 2: expected 2 fields, found 1"],
    ["scattered trials", () => csv("trial,x,y\na,0,0\nb,0,0\na,1,1\n"), "row 3: trial a goes on after another one"],
  ])("%s is refused", (_, path, message) => {
    const file = path();
    expect(() => readRecording(file)).toThrow(DataError);
    expect(() => readRecording(file)).toThrow(message);
    expect(() => readRecording(file)).toThrow(file);
  });
});

describe("resampling", () => {
  const options = { dt: 0.1, rate: null, largestGap: 1 };
  test("straight lines between neighbours, at the first time and every dt after it, up to the last", () => {
    const out = resample(Float64Array.of(0, 0, 1, 10, 3, 10), Float64Array.of(5, 5.2, 5.55), "here", options);
    expect([...out].map((x) => Math.round(x * 1e9) / 1e9)).toEqual([
      0, 0, 0.5, 5, 1, 10, 1.571428571, 10, 2.142857143, 10, 2.714285714, 10,
    ]);
  });

  test("at its own rate nothing changes", () => {
    const positions = Float64Array.from({ length: 200 }, (_, i) => Math.sin(i));
    const out = resample(positions, null, "here", { ...options, rate: 10 });
    expect(out.length).toBe(200);
    for (const [i, x] of out.entries()) expect(x).toBeCloseTo(positions[i] as number, 12);
  });

  test("gaps and missing times are refused", () => {
    const two = Float64Array.of(0, 0, 1, 1);
    expect(() => resample(two, Float64Array.of(0, 1.5), "f: trial 7", options)).toThrow(
      "f: trial 7: 1.50 s from sample 0 to 1 are more than task.largestGap = 1 s",
    );
    expect(() => resample(two, null, "f: trial 7", options)).toThrow("no times; give timestamps");
    expect(resample(Float64Array.of(4, 5), null, "one sample", { ...options, rate: 10 })).toEqual(
      Float64Array.of(4, 5),
    );
  });
});

describe("the task", () => {
  const options = {
    dt: 0.1,
    rate: 10,
    largestGap: 1,
    steps: 3,
    testShare: 0.4,
    shortTrials: "refuse",
    stepLength: null,
  } as const;

  test("training trials come first; every second or third one is the test's", () => {
    const { task, note } = loadRecording({ ...options, path: npz({ positions: block(5, 6) }) });
    const { samples, trials } = recordingData(task.digest);
    const trialOf = Array.from({ length: 5 }, (_, i) => samples[12 * i + 1]);
    expect(trialOf).toEqual([0, 1, 3, 2, 4]);
    expect([...trials]).toEqual([6, 6, 6, 6, 6]);
    expect(task).toMatchObject({ trials: 5, trainTrials: 3, bounds: { x: 0, y: 0, height: 4 } });
    expect(task.stepLength).toBeCloseTo(0.01, 12);
    expect(note).toMatch(
      /5 trials of 30 samples, resampled to 30 samples 0.1 s apart.*3 trials for training, 2 for the/,
    );
  });

  test("the same samples are the same task, whatever the file", () => {
    const digest = (trials: number) =>
      loadRecording({ ...options, path: npz({ positions: block(trials, 6) }) }).task.digest;
    expect(digest(5)).toBe(digest(5));
    expect(digest(5)).not.toBe(digest(6));
  });

  test("short trials are refused by name, or left out and told", () => {
    const positions = { data: Float64Array.from([...line(0, 6), ...line(1, 3), ...line(2, 4)]), shape: [13, 2] };
    const path = npz({ positions, lengths: { data: Int32Array.of(6, 3, 4) } });
    expect(() => loadRecording({ ...options, path, testShare: 0.5 })).toThrow(
      "trial 1 has 3 samples 0.1 s apart, and task.steps = 3 needs 4",
    );
    const { task, note } = loadRecording({ ...options, path, testShare: 0.5, shortTrials: "skip" });
    expect(task).toMatchObject({ trials: 2, trainTrials: 1 });
    expect(note).toContain("1 trials of less than 4 samples left out");
    expect(() => loadRecording({ ...options, path, testShare: 0.5, steps: 9, shortTrials: "skip" })).toThrow(
      "no trial has 10 samples",
    );
  });

  test("one trial cannot be split", () => {
    const path = npz({ positions: block(1, 6) });
    expect(() => loadRecording({ ...options, path })).toThrow("1 trials cannot be split with task.testShare = 0.4");
    expect(loadRecording({ ...options, path, testShare: 0 }).task).toMatchObject({ trials: 1, trainTrials: 1 });
  });

  test.each(["npz", "csv"])("the example in scripts/examples, .%s", (ending) => {
    const set = [`task.kind=file`, `task.path=scripts/examples/recorded-paths.${ending}`, "task.testShare=0.34"];
    const { config } = loadConfig({ set: [...set, "task.steps=20"] });
    expect(pathTask(config)).toMatchObject({ kind: "recorded", bounds: { width: expect.closeTo(1, 0) } });
    expect(taskNote(config)).toMatch(/trials for training/);
  });

  test("paths in a configuration count from its own folder, those of the command line from where it runs", () => {
    const file = join(folder, "c.json");
    writeFileSync(file, JSON.stringify({ task: { kind: "file", path: "mine.npz" } }));
    expect(loadConfig({ file }).config.task).toMatchObject({ path: join(folder, "mine.npz") });
    const set = ["task.path=mine.npz"];
    expect(loadConfig({ file, set }).config.task).toMatchObject({ path: join(process.cwd(), "mine.npz") });
  });
});
