/**
 * Ornstein–Uhlenbeck paths of the score theory (model.md section 7); witness of `shaders/task/ou_path.wgsl`.
 * The draws are described in `src/task/paths.ts`.
 */
import { inputScale, type OuTask } from "../task/paths.ts";
import { type AwakePaths, maskedInputsReference, type PathRequest } from "./masked-inputs.ts";
import { DEFAULT_ROUNDS, drawWords, normals4 } from "./rng.ts";

/** s_0 = start + startStd·ξ_0 and s_t = (1 − θ) s_{t−1} + q ξ_t, with ξ_t drawn at step t. */
export function ouPathReference(task: OuTask, request: PathRequest): AwakePaths {
  const { T, B, key, stream, epoch, trajectory0, rounds = DEFAULT_ROUNDS } = request;
  const positions = new Float64Array((T + 1) * B * 2);
  for (let t = 0; t <= T; t++) {
    for (let b = 0; b < B; b++) {
      const normals = normals4(drawWords(t, 0, trajectory0 + b, stream, epoch, key, rounds));
      for (let axis = 0; axis < 2; axis++) {
        const at = (t * B + b) * 2 + axis;
        const xi = normals[axis] as number;
        positions[at] =
          t === 0
            ? (task.start[axis] as number) + task.startStd * xi
            : (1 - task.pull) * (positions[at - B * 2] as number) + task.pathStd * xi;
      }
    }
  }
  return maskedInputsReference(positions, inputScale(task), request);
}
