/** The uniform of `shaders/rnn/initialise.wgsl`: where each tensor lies and how wide its initial values spread. */
import type { FieldValues } from "../gpu/pack.ts";
import { type NetworkShape, parameterLayout, TENSOR_NAMES, type TensorName } from "./parameters.ts";

/** Standard deviations of the initial elements (model.md section 2); W_rec's times the network's gain g. */
function initialStds(shape: NetworkShape): Record<TensorName, number> {
  return {
    W_rec: 1 / Math.sqrt(shape.units),
    W_in: Math.sqrt(0.25 / shape.inputs),
    b: 0,
    W_out: 1 / Math.sqrt(shape.units),
    b_out: 0,
    W_enc: 1 / Math.sqrt(shape.encoderInputs),
    b_enc: 0,
  };
}

export function initialiseUniform(shape: NetworkShape, rootSeed: number): FieldValues {
  const { slices, stride } = parameterLayout(shape);
  const stds = initialStds(shape);
  return {
    root_seed: rootSeed,
    stride,
    units: slices.W_rec.paddedShape[0],
    tensor: TENSOR_NAMES.flatMap((name) => [slices[name].offset, slices[name].paddedShape[1], ...slices[name].shape]),
    initial_std: TENSOR_NAMES.map((name) => stds[name]),
  };
}

/** Workgroups of the launch: the kernel strides over the rest where a flat vector needs more than the limit. */
export function initialiseGroups(shape: NetworkShape, networks: number, workgroup = 64): [number, number, number] {
  return [Math.min(Math.ceil(parameterLayout(shape).stride / workgroup), 65535), networks, 1];
}
