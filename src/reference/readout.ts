/** y = W_out r + b_out; witness of `shaders/rnn/readout_*.wgsl`. */
import type { NetworkShape } from "../model/parameters.ts";
import { addProduct } from "./dense.ts";
import type { ReferenceTensors } from "./tensors.ts";

/** Readouts (count, O) of states (count, N); for y_1..y_T pass the states from slot 1 on, with count = T·B. */
export function readoutReference(
  shape: NetworkShape,
  weights: Pick<ReferenceTensors, "W_out" | "b_out">,
  r: Float64Array,
  count: number,
): Float64Array {
  const { units: N, outputs: O } = shape;
  const y = new Float64Array(count * O);
  for (let row = 0; row < count; row++) {
    y.set(weights.b_out, row * O);
    addProduct(y, row * O, weights.W_out, O, N, r, row * N);
  }
  return y;
}
