/** Sums over time and rows of outer products; witness of `shaders/rnn/weight_grads_*.wgsl`. */
import type { NetworkShape } from "../model/parameters.ts";
import { addOuterProduct } from "./dense.ts";
import { type ReferenceTensors, referenceTensors } from "./tensors.ts";

export interface WeightGradsInput {
  readonly shape: NetworkShape;
  readonly T: number;
  readonly B: number;
  /** (T, B, N), dL/da. */
  readonly ga: Float64Array;
  /** (T, B, O), dL/dy of y_1..y_T. */
  readonly d: Float64Array;
  /** (B, N), dL/dr_0. */
  readonly gr0: Float64Array;
  /** (T+1, B, N), states. */
  readonly r: Float64Array;
  /** (T, B, I), masked inputs, or null. */
  readonly u: Float64Array | null;
  /** (B, E), or null where the run did not start from the encoder. */
  readonly e0: Float64Array | null;
}

/** dL/dW of every tensor (model.md section 5, the last three lines). */
export function weightGradsReference(input: WeightGradsInput): ReferenceTensors {
  const { shape, T, B, ga, d, gr0, r, u, e0 } = input;
  const { units: N, inputs: I, outputs: O, encoderInputs: E } = shape;
  const grads = referenceTensors(shape);
  for (let row = 0; row < T * B; row++) {
    addOuterProduct(grads.W_rec, N, N, ga, row * N, r, row * N);
    if (u) addOuterProduct(grads.W_in, N, I, ga, row * N, u, row * I);
    addOuterProduct(grads.b, N, 1, ga, row * N, ONE, 0);
    addOuterProduct(grads.W_out, O, N, d, row * O, r, (row + B) * N);
    addOuterProduct(grads.b_out, O, 1, d, row * O, ONE, 0);
  }
  if (e0) {
    for (let b = 0; b < B; b++) {
      addOuterProduct(grads.W_enc, N, E, gr0, b * N, e0, b * E);
      addOuterProduct(grads.b_enc, N, 1, gr0, b * N, ONE, 0);
    }
  }
  return grads;
}

const ONE = Float64Array.of(1);
