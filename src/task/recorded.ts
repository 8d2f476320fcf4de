/**
 * Recorded paths as plain data; `shaders/task/recorded_paths.wgsl` cuts trajectories out of them. The samples themselves
 * are kept beside, under their digest, so that a task fits a line of JSON: whoever has read the file adds them here.
 *
 * Draw (Philox as in `paths.ts`): step 0, quad 0, word 0 modulo the number of starts is the start of a trajectory, counted
 * through the trials of the stream: training takes the first `trainTrials`, test and replay the others.
 */
import { DataError } from "../errors.ts";

export interface RecordedTask {
  readonly kind: "recorded";
  /** Of the samples, hexadecimal: the same recording under another name is the same task. */
  readonly digest: string;
  /** T: every trial is longer. */
  readonly steps: number;
  readonly trials: number;
  /** These many of them come first; `trials` where the test draws from all. */
  readonly trainTrials: number;
  /** u_scale: mean length of a step, metres. */
  readonly stepLength: number;
  /** Rectangle that holds every sample, metres. */
  readonly bounds: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

export interface RecordingData {
  /** (samples, 2), trial after trial, metres, `task.dt` apart. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Samples of each trial. */
  readonly trials: Uint32Array;
}

const known = new Map<string, RecordingData>();

export function keepRecording(digest: string, data: RecordingData): void {
  known.set(digest, data);
}

/** @throws DataError where nobody has read the recording */
export function recordingData(digest: string): RecordingData {
  const found = known.get(digest);
  if (!found) throw new DataError(`recording ${digest.slice(0, 12)}… was not read; name its file as task.path`);
  return found;
}
