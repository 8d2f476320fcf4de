/** Initial weights; witness of `shaders/rnn/initialise.wgsl`. */
import { type NetworkShape, TENSOR_NAMES, type TensorName } from "../model/parameters.ts";
import { STREAM } from "../model/streams.ts";
import { DEFAULT_ROUNDS, drawWords, type Key, normals4 } from "./rng.ts";
import { type ReferenceTensors, referenceTensors } from "./tensors.ts";

export interface InitialiseOptions {
  /** g: W_rec ~ N(0, g²/N). */
  readonly initialGain: number;
  readonly key: Key;
  readonly rounds?: number;
}

/** Standard deviation of each tensor's initial elements (model.md section 2). */
export function initialStdReference(shape: NetworkShape, initialGain: number): Record<TensorName, number> {
  return {
    W_rec: initialGain / Math.sqrt(shape.units),
    W_in: Math.sqrt(0.25 / shape.inputs),
    b: 0,
    W_out: Math.sqrt(1 / shape.units),
    b_out: 0,
    W_enc: Math.sqrt(1 / shape.encoderInputs),
    b_enc: 0,
  };
}

/** Element e of tensor i takes normal (e & 3) of the draw at step i, quad e >> 2. */
export function initialiseReference(shape: NetworkShape, options: InitialiseOptions): ReferenceTensors {
  const { initialGain, key, rounds = DEFAULT_ROUNDS } = options;
  const stds = initialStdReference(shape, initialGain);
  return referenceTensors(shape, (name, length) => {
    const std = stds[name];
    const tensor = new Float64Array(length);
    if (std === 0) return tensor;
    for (let quad = 0; 4 * quad < length; quad++) {
      const words = drawWords(TENSOR_NAMES.indexOf(name), quad, 0, STREAM.initialisation, 0, key, rounds);
      const normals = normals4(words);
      for (let lane = 0; lane < 4 && 4 * quad + lane < length; lane++) {
        tensor[4 * quad + lane] = std * (normals[lane] as number);
      }
    }
    return tensor;
  });
}
