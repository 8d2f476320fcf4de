/**
 * Trajectories cut out of recorded paths; witness of `shaders/task/recorded_paths.wgsl`. The draw is described in
 * `src/task/recorded.ts`.
 */
import { STREAM } from "../model/streams.ts";
import { type RecordedTask, recordingData } from "../task/recorded.ts";
import { type AwakePaths, maskedInputsReference, type PathRequest } from "./masked-inputs.ts";
import { DEFAULT_ROUNDS, drawWords } from "./rng.ts";

export function recordedPathsReference(task: RecordedTask, request: PathRequest): AwakePaths {
  const { T, B, key, stream, epoch, trajectory0, rounds = DEFAULT_ROUNDS } = request;
  const { samples, trials } = recordingData(task.digest);
  // Every sample from which a whole trajectory can start, in order.
  const starts: number[] = [];
  let first = 0;
  trials.forEach((length, i) => {
    const isTraining = i < task.trainTrials;
    const isWanted = task.trainTrials === task.trials || isTraining === (stream === STREAM.trainPaths);
    for (let s = 0; isWanted && s + task.steps < length; s++) starts.push(first + s);
    first += length;
  });
  const positions = new Float64Array((T + 1) * B * 2);
  for (let b = 0; b < B; b++) {
    const [word] = drawWords(0, 0, trajectory0 + b, stream, epoch, key, rounds);
    const start = starts[word % starts.length] as number;
    for (let t = 0; t <= T; t++) {
      positions.set(samples.subarray(2 * (start + t), 2 * (start + t) + 2), (t * B + b) * 2);
    }
  }
  return maskedInputsReference(positions, task.stepLength, request);
}
