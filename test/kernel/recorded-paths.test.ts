/** shaders/task/recorded_paths.wgsl against its twin: which samples, from which trials, and windows. */
import { beforeAll, describe, expect, test } from "vitest";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import type { PathRequest } from "../../src/reference/masked-inputs.ts";
import { recordedPathsReference } from "../../src/reference/recorded-paths.ts";
import { keepRecording, type RecordedTask } from "../../src/task/recorded.ts";
import { gpuHygiene } from "../gpu.ts";
import { launchPaths } from "./path-launch.ts";
import { within, worst } from "./run-kernel.ts";

gpuHygiene();

const T = 7;
/** Trials of odd lengths; the shortest leaves one start. x counts samples, y trials: both exact in float32. */
const LENGTHS = [8, 30, 9, 8, 101, 12, 8];

const recording = (trials: number, trainTrials: number): RecordedTask => ({
  kind: "recorded",
  digest: `test ${trials}`,
  steps: T,
  trials,
  trainTrials,
  stepLength: 0.25,
  bounds: { x: 0, y: 0, width: 256, height: 8 },
});

beforeAll(() => {
  for (const trials of [1, LENGTHS.length]) {
    const own = LENGTHS.slice(0, trials);
    let sample = 0;
    const samples = own.flatMap((length, i) => Array.from({ length }, () => [sample++, i]).flat());
    keepRecording(`test ${trials}`, { samples: Float32Array.from(samples), trials: Uint32Array.from(own) });
  }
});

const request = (own: Partial<PathRequest>): PathRequest => ({
  T,
  B: 70,
  key: [11, 3],
  stream: STREAM.trainPaths,
  epoch: 2,
  trajectory0: 0,
  maskEvery: 3,
  maskOffset: "random",
  ...own,
});

describe.each<[string, RecordedTask, PathRequest, number[]]>([
  ["training", recording(7, 5), request({}), [0, 1, 2, 3, 4]],
  ["test", recording(7, 5), request({ stream: STREAM.testPaths, epoch: TEST_EPOCH }), [5, 6]],
  ["starts of replays", recording(7, 5), request({ stream: STREAM.replayStarts, epoch: 0 }), [5, 6]],
  ["test without a split", recording(7, 7), request({ stream: STREAM.testPaths, B: 300 }), [0, 1, 2, 3, 4, 5, 6]],
  ["one trial, one start", recording(1, 1), request({ B: 3 }), [0]],
])("%s", (_, task, r, allowed) => {
  test("the twin's samples, bit for bit, from whole trials of its own", async () => {
    const paths = await launchPaths(task, r);
    const exact = recordedPathsReference(task, r);
    expect(paths.positions).toEqual(Float32Array.from(exact.positions));
    expect(paths.padding.every((x) => x === 0)).toBe(true);
    // Differences of whole numbers over a power of 2.
    within(
      "inputs",
      worst(exact.u.length, (i) => Math.abs((paths.input[i] as number) - (exact.u[i] as number))).error,
      0,
    );
    const used = new Set<number>();
    for (let b = 0; b < r.B; b++) {
      const trial = paths.positions[2 * b + 1] as number;
      used.add(trial);
      for (let t = 1; t <= T; t++) expect(paths.positions[2 * (t * r.B + b) + 1]).toBe(trial);
    }
    expect([...used].every((trial) => allowed.includes(trial))).toBe(true);
    // Trials with one start among 118 may miss out.
    expect(used.size).toBeGreaterThanOrEqual(Math.min(2, allowed.length));
  });

  test("where windows are cut changes no bit", async () => {
    const { dispatches: _one, ...whole } = await launchPaths(task, r);
    const { dispatches, ...cut } = await launchPaths(task, r, 2);
    expect(dispatches).toBe(4);
    expect(cut).toEqual(whole);
  });
});
