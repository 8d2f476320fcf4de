/** A network's parameters in float64: row-major, unpadded, rows are output units. */
import type { NetworkShape, NetworkTensors, TensorName } from "../model/parameters.ts";
import { parameterLayout, TENSOR_NAMES } from "../model/parameters.ts";
import { requireLength } from "./dense.ts";

export type ReferenceTensors = Record<TensorName, Float64Array>;

/** One array per tensor, filled by `fill` (zeros without it) from the tensor's name and element count. */
export function referenceTensors(
  shape: NetworkShape,
  fill: (name: TensorName, length: number) => Float64Array = (_, length) => new Float64Array(length),
): ReferenceTensors {
  const { slices } = parameterLayout(shape);
  const tensors = {} as ReferenceTensors;
  for (const name of TENSOR_NAMES) {
    const [rows, columns] = slices[name].shape;
    tensors[name] = fill(name, rows * columns);
  }
  return tensors;
}

/** The same numbers as the device holds, in float64. */
export function widenTensors(tensors: NetworkTensors): ReferenceTensors {
  const wide = {} as ReferenceTensors;
  for (const name of TENSOR_NAMES) wide[name] = Float64Array.from(tensors[name]);
  return wide;
}

/** Throws `DataError` where a tensor does not fit the shape of the network. */
export function requireTensors(shape: NetworkShape, tensors: ReferenceTensors): void {
  referenceTensors(shape, (name, length) => {
    requireLength(name, tensors[name], length);
    return tensors[name];
  });
}
