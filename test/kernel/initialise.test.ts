/** shaders/rnn/initialise.wgsl against its float64 twin, padding and transpose included. */
import { describe, expect, test } from "vitest";
import { initialiseGroups, initialiseUniform } from "../../src/model/initialise-uniforms.ts";
import {
  type NetworkShape,
  type NetworkTensors,
  packParameters,
  parameterLayout,
  TENSOR_NAMES,
} from "../../src/model/parameters.ts";
import { initialiseReference } from "../../src/reference/initialise.ts";
import { gpuHygiene } from "../gpu.ts";
import { runKernel, within, worst } from "./run-kernel.ts";

gpuHygiene();

const ROOT = 7;
const NETWORKS = [
  { seed: 0, initial_gain: 0.5 },
  { seed: 0xfffffff0, initial_gain: 1.25 },
  { seed: 3, initial_gain: 0.05 },
];

async function initialise(shape: NetworkShape, groups = initialiseGroups(shape, NETWORKS.length)) {
  const { stride, slices } = parameterLayout(shape);
  const units = slices.W_rec.paddedShape[0];
  const out = await runKernel({
    kernel: "rnn/initialise",
    uniforms: { initialise: initialiseUniform(shape, ROOT) },
    bind: {
      networks: NETWORKS,
      weights: NETWORKS.length * stride * 4,
      recurrent_t: NETWORKS.length * units * units * 4,
    },
    groups,
  });
  const weights = out.f32("weights");
  const transposes = out.f32("recurrent_t");
  return NETWORKS.map((_, s) => ({
    flat: weights.subarray(s * stride, (s + 1) * stride),
    transpose: transposes.subarray(s * units * units, (s + 1) * units * units),
  }));
}

function expected(shape: NetworkShape, network: (typeof NETWORKS)[number]): Float32Array {
  const exact = initialiseReference(shape, {
    key: [ROOT, network.seed],
    initialGain: network.initial_gain,
  });
  const tensors = Object.fromEntries(TENSOR_NAMES.map((name) => [name, Float32Array.from(exact[name])]));
  return packParameters(parameterLayout(shape), tensors as NetworkTensors);
}

const SHAPES: NetworkShape[] = [
  { units: 64, inputs: 2, outputs: 2, encoderInputs: 2 },
  { units: 1, inputs: 1, outputs: 1, encoderInputs: 1 },
  { units: 13, inputs: 3, outputs: 5, encoderInputs: 7 },
];

describe.each(SHAPES)("N = $units, I = $inputs, O = $outputs, E = $encoderInputs", (shape) => {
  test("weights of each network are the twin's, padding exactly 0", async () => {
    const networks = await initialise(shape);
    networks.forEach(({ flat }, s) => {
      const wanted = expected(shape, NETWORKS[s] as (typeof NETWORKS)[number]);
      // A normal is right to 1.6e-6 (rng.wgsl), no std exceeds 1.25, and the products round values below 8 twice.
      const w = worst(flat.length, (i) => Math.abs((flat[i] as number) - (wanted[i] as number)));
      within(`network ${s}, absolute error`, w.error, 3e-6);
      const zeros = worst(flat.length, (i) => Number(wanted[i] === 0 && !Object.is(flat[i], 0)));
      expect(zeros, "padding and biases").toEqual({ error: 0, at: 0 });
    });
  });

  test("the transpose holds the same bits", async () => {
    const units = parameterLayout(shape).slices.W_rec.paddedShape[0];
    for (const { flat, transpose } of await initialise(shape)) {
      const differs = (i: number): number => {
        const [row, column] = [Math.floor(i / units), i % units];
        return Number(!Object.is(transpose[column * units + row], flat[i]));
      };
      expect(worst(units * units, differs)).toEqual({ error: 0, at: 0 });
    }
  });
});

test("one workgroup strides over what many would fill", async () => {
  const shape = SHAPES[2] as NetworkShape;
  const many = await initialise(shape);
  const one = await initialise(shape, [1, NETWORKS.length, 1]);
  expect(one).toEqual(many);
});
