/** Random networks for tests that need to say exactly what is in them. */
import type { StepParameters } from "../../src/model/dynamics.ts";
import { type NetworkShape, type NetworkTensors, parameterLayout, TENSOR_NAMES } from "../../src/model/parameters.ts";
import type { RowRecord } from "../../src/model/rows.ts";
import { normals } from "../bits.ts";

/** Neither momentum nor adaptation; given noise is added as it is. */
export const PLAIN: StepParameters = {
  leak: 0.4,
  gain: 0.8,
  noiseStd: 1,
  noiseScale: 1,
  noiseFriction: false,
  friction: 1,
  adaptStrength: 0,
  adaptTau: 10,
};

export const MODIFIED: StepParameters = { ...PLAIN, friction: 0.6, adaptStrength: 0.3 };

/** Weights as at the start of training, biases included. */
export function someWeights(shape: NetworkShape, draw: ReturnType<typeof normals>): NetworkTensors {
  const { slices } = parameterLayout(shape);
  const std = {
    W_rec: 0.8 / Math.sqrt(shape.units),
    W_in: 0.7 / Math.sqrt(shape.inputs),
    b: 0.2,
    W_out: 1 / Math.sqrt(shape.units),
    b_out: 0.2,
    W_enc: 0.8 / Math.sqrt(shape.encoderInputs),
    b_enc: 0.2,
  };
  const tensors = {} as NetworkTensors;
  for (const name of TENSOR_NAMES) tensors[name] = draw(slices[name].shape[0] * slices[name].shape[1], std[name]);
  return tensors;
}

export const rowRecord = (own: Partial<RowRecord> = {}): RowRecord => ({
  step: PLAIN,
  networkSeed: 0,
  trajectory: 0,
  epoch: 0,
  maskEvery: 1,
  maskRandom: false,
  ...own,
});

/** Everything that `runNetworks` wants of one network, drawn from `seed`. */
export function someNetwork(
  shape: NetworkShape,
  {
    T,
    B,
    seed,
    step = PLAIN,
    row,
  }: { T: number; B: number; seed: number; step?: StepParameters; row?: (b: number) => RowRecord },
) {
  const draw = normals(seed);
  return {
    weights: someWeights(shape, draw),
    rows: Array.from({ length: B }, (_, b) => row?.(b) ?? rowRecord({ step, trajectory: b })),
    e0: draw(B * shape.encoderInputs),
    u: draw(T * B * shape.inputs),
    noise: draw(T * B * shape.units, 0.1),
    target: draw(T * B * shape.outputs),
  };
}
