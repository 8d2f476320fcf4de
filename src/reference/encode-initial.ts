/** r_0 from the encoded start position; witness of `shaders/rnn/encode_initial.wgsl`. */
import type { NetworkShape } from "../model/parameters.ts";
import { addProduct } from "./dense.ts";
import type { ReferenceTensors } from "./tensors.ts";

/** r_0 = W_enc e_0 + b_enc, (B, N), from e_0 (B, E). */
export function encodeInitialReference(
  shape: NetworkShape,
  weights: Pick<ReferenceTensors, "W_enc" | "b_enc">,
  e0: Float64Array,
  B: number,
): Float64Array {
  const { units: N, encoderInputs: E } = shape;
  const r0 = new Float64Array(B * N);
  for (let b = 0; b < B; b++) {
    r0.set(weights.b_enc, b * N);
    addProduct(r0, b * N, weights.W_enc, N, E, e0, b * E);
  }
  return r0;
}
