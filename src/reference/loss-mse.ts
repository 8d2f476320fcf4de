/** Loss of one network and its gradient at the readout; witness of `shaders/rnn/loss_mse.wgsl`. */
import { requireLength } from "./dense.ts";

export interface LossInput {
  /** (T, B, O), readouts y_1..y_T. */
  readonly y: Float64Array;
  /** (T, B, O), targets s_1..s_T. */
  readonly target: Float64Array;
  /** (T, B, O), factors on the squares; 1 where there are none. */
  readonly weights?: Float64Array;
  /** (T+1, B, N), states; slot 0 does not count. */
  readonly r: Float64Array;
  readonly T: number;
  readonly B: number;
  readonly N: number;
  readonly O: number;
  /** λ_2 ≥ 0, weight of the mean squared activity. */
  readonly l2Activity: number;
}

export interface Loss {
  /** mean w (y − s)² + λ_2 · mean r², means over T, B and O or N. */
  readonly loss: number;
  /** (T, B, O), dL/dy. */
  readonly d: Float64Array;
  /** dL/dr_t of the activity term is this factor times r_t, t = 1..T. */
  readonly activityFactor: number;
}

export function lossMseReference({ y, target, weights, r, T, B, N, O, l2Activity }: LossInput): Loss {
  requireLength("target", target, T * B * O);
  requireLength("y", y, T * B * O);
  requireLength("r", r, (T + 1) * B * N);
  const d = new Float64Array(T * B * O);
  let squaredError = 0;
  for (let at = 0; at < d.length; at++) {
    const error = (y[at] as number) - (target[at] as number);
    const weighted = (weights?.[at] ?? 1) * error;
    squaredError += weighted * error;
    d[at] = (2 * weighted) / (T * B * O);
  }
  let squaredActivity = 0;
  for (let at = B * N; at < r.length; at++) squaredActivity += (r[at] as number) ** 2;
  return {
    loss: squaredError / (T * B * O) + (l2Activity * squaredActivity) / (T * B * N),
    d,
    activityFactor: (2 * l2Activity) / (T * B * N),
  };
}
