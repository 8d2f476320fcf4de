/**
 * Head direction (predecessor's task), as plain data; `shaders/task/head_direction.wgsl` generates it. The input is the
 * turn, one number; the direction itself is the point (cos, sin) of the unit circle, so that whatever asks for a
 * position in the plane has one. On the circle a Gaussian of the chord with w = 1/√κ is the von Mises tuning
 * exp(κ (cos δ − 1)).
 *
 * Draws (Philox as in `paths.ts`): step 0, quad 0, word 0 the first direction; step t + 1, quad 0, normal 0 the turn
 * from t to t + 1.
 */
export interface HeadDirectionTask {
  readonly kind: "headDirection";
  /** Seconds of a step. */
  readonly dt: number;
  /** Standard deviation of the turn, degrees/s. */
  readonly turnStd: number;
  /** One way: every turn is counter-clockwise, |turn| ("biased"). */
  readonly directions: "oneWay" | "twoWay";
}

/** The predecessor's constants. */
export function headDirectionTask(directions: "oneWay" | "twoWay"): HeadDirectionTask {
  return { kind: "headDirection", dt: 0.02, turnStd: (11.52 * 180) / Math.PI, directions };
}

/** Standard deviation of a step's turn, radians. */
export function turnPerStep(task: HeadDirectionTask): number {
  return (task.turnStd * Math.PI * task.dt) / 180;
}

/** Mean size of a turn, radians: the scale of the input. */
export function meanTurn(task: HeadDirectionTask): number {
  return turnPerStep(task) * Math.sqrt(2 / Math.PI);
}
