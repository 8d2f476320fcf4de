/**
 * Head directions (model.md section 7) in float64; witness of `shaders/task/head_direction.wgsl`. The draws are described
 * in `src/task/head-direction.ts`.
 */
import { type HeadDirectionTask, meanTurn, turnPerStep } from "../task/head-direction.ts";
import { type AwakePaths, isVisibleReference, maskOffsetsReference, type PathRequest } from "./masked-inputs.ts";
import { DEFAULT_ROUNDS, drawWords, normals4, uniform } from "./rng.ts";

/** `u` is (T, B): one turn a step. */
export function headDirectionPathReference(task: HeadDirectionTask, request: PathRequest): AwakePaths {
  const { T, B, key, stream, epoch, trajectory0, maskEvery, rounds = DEFAULT_ROUNDS } = request;
  const positions = new Float64Array((T + 1) * B * 2);
  const u = new Float64Array(T * B);
  const offsets = maskOffsetsReference(request);
  for (let b = 0; b < B; b++) {
    const draw = (step: number) => drawWords(step, 0, trajectory0 + b, stream, epoch, key, rounds);
    let theta = 2 * Math.PI * (uniform(draw(0)[0]) - 0.5);
    for (let t = 0; t <= T; t++) {
      if (t > 0) {
        const normal = normals4(draw(t))[0];
        const turn = turnPerStep(task) * (task.directions === "oneWay" ? Math.abs(normal) : normal);
        theta += turn;
        const visible = isVisibleReference(t - 1, maskEvery, offsets[b] as number);
        u[(t - 1) * B + b] = visible ? turn / meanTurn(task) : 0;
      }
      positions.set([Math.cos(theta), Math.sin(theta)], (t * B + b) * 2);
    }
  }
  return { positions, u, e0: positions.slice(0, B * 2), offsets };
}
