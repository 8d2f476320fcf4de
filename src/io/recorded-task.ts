/** A recording made ready to train on: resampled, split into training and test trials, known by its digest. */
import { createHash } from "node:crypto";
import { DataError } from "../errors.ts";
import { keepRecording, type RecordedTask } from "../task/recorded.ts";
import { type ResampleOptions, resample } from "../task/resample.ts";
import { type Recording, readRecording } from "./recording.ts";

/** How a recording is read, resampled and split. */
export interface RecordedOptions extends ResampleOptions {
  readonly path: string;
  /** T */
  readonly steps: number;
  /** Share of the trials that training never sees. */
  readonly testShare: number;
  /** What happens to trials of less than T + 1 samples. */
  readonly shortTrials: "refuse" | "skip";
  /** u_scale, metres; null: mean length of a step of the training trials. */
  readonly stepLength: number | null;
}

/** A task of recorded paths, for {@link generatePaths} or training. */
export interface LoadedRecording {
  readonly task: RecordedTask;
  /** What was done to the file's samples, in a sentence. */
  readonly note: string;
}

const loaded = new Map<string, LoadedRecording>();

/** Reads a file once per process. @throws DataError naming file and trial */
export function loadRecording(options: RecordedOptions): LoadedRecording {
  const key = JSON.stringify(options);
  const before = loaded.get(key);
  if (before) return before;
  const made = prepare(readRecording(options.path), options);
  loaded.set(key, made);
  return made;
}

interface Resampled {
  readonly name: string;
  readonly samples: Float64Array;
}

/** Trial i of n is for the test where the number of test trials, share · (i + 1), passes a whole number: evenly spread. */
export const isTestTrial = (i: number, share: number): boolean =>
  Math.floor(share * (i + 1) + 1e-9) > Math.floor(share * i + 1e-9);

function prepare(recording: Recording, options: RecordedOptions): LoadedRecording {
  const { path, steps, testShare } = options;
  const all = recording.trials.map(({ name, positions, times }): Resampled => {
    return { name, samples: resample(positions, times, `${path}: ${name}`, options) };
  });
  const isLong = ({ samples }: Resampled): boolean => samples.length / 2 > steps;
  const short = all.find((trial) => !isLong(trial));
  if (short && options.shortTrials === "refuse") {
    const count = short.samples.length / 2;
    throw new DataError(
      `${path}: ${short.name} has ${count} samples ${options.dt} s apart, and task.steps = ${steps} needs ${steps + 1}: use fewer steps, or task.shortTrials=skip`,
    );
  }
  const kept = all.filter(isLong);
  if (kept.length === 0) throw new DataError(`${path}: no trial has ${steps + 1} samples ${options.dt} s apart`);
  const test = kept.filter((_, i) => isTestTrial(i, testShare));
  const train = kept.filter((_, i) => !isTestTrial(i, testShare));
  if (testShare > 0 && (test.length === 0 || train.length === 0)) {
    throw new DataError(
      `${path}: ${kept.length} trials cannot be split with task.testShare = ${testShare}; change it, or set 0 to test on the trials of training`,
    );
  }
  const trials = [...train, ...test];
  const lengths = Uint32Array.from(trials, (t) => t.samples.length / 2);
  const samples = new Float32Array(2 * lengths.reduce((sum, n) => sum + n, 0));
  let at = 0;
  for (const trial of trials) {
    samples.set(trial.samples, at);
    at += trial.samples.length;
  }
  const digest = createHash("sha256")
    .update(JSON.stringify([[...lengths], train.length, steps]))
    .update(new Uint8Array(samples.buffer))
    .digest("hex");
  keepRecording(digest, { samples, trials: lengths });
  const stepLength = options.stepLength ?? meanStep(train);
  if (!(stepLength > 0)) throw new DataError(`${path}: nothing moves in the training trials; set task.stepLength`);
  return {
    task: {
      kind: "recorded",
      digest,
      steps,
      trials: trials.length,
      trainTrials: train.length,
      stepLength,
      bounds: boundsOf(samples),
    },
    note: describe(recording, all.length - kept.length, train.length, test.length, samples.length / 2, options),
  };
}

function describe(r: Recording, skipped: number, train: number, test: number, samples: number, o: RecordedOptions) {
  const before = r.trials.reduce((sum, t) => sum + t.positions.length / 2, 0);
  const testTrials = test === 0 ? "all of them for the test too" : `${test} for the test`;
  return (
    `${r.path}: ${r.trials.length} trials of ${before} samples, resampled to ${samples} samples ${o.dt} s apart by straight lines; ` +
    `${train} trials for training, ${testTrials}${skipped > 0 ? `; ${skipped} trials of less than ${o.steps + 1} samples left out` : ""}`
  );
}

function meanStep(trials: readonly Resampled[]): number {
  let [sum, count] = [0, 0];
  for (const { samples } of trials) {
    for (let i = 2; i < samples.length; i += 2) {
      const [dx, dy] = [
        (samples[i] as number) - (samples[i - 2] as number),
        (samples[i + 1] as number) - (samples[i - 1] as number),
      ];
      sum += Math.hypot(dx, dy);
      count++;
    }
  }
  return sum / count;
}

function boundsOf(samples: Float32Array): RecordedTask["bounds"] {
  const range = (axis: 0 | 1): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = axis; i < samples.length; i += 2) {
      low = Math.min(low, samples[i] as number);
      high = Math.max(high, samples[i] as number);
    }
    return [low, high];
  };
  const [[x0, x1], [y0, y1]] = [range(0), range(1)];
  // A path along one axis still has a field around it.
  const least = 1e-3;
  return { x: x0, y: y0, width: Math.max(x1 - x0, least), height: Math.max(y1 - y0, least) };
}
