/** Training on a batch of given tensors: the kernels of `evaluate` and of training, put together for benchmarks. */
import { describe, expect, test } from "vitest";
import { evaluateModel } from "../../src/evaluate/evaluate.ts";
import { adapterSpec, choosePlanKind, modelSpec } from "../../src/kernels/spec.ts";
import { cellParams, type StepParameters } from "../../src/model/dynamics.ts";
import { type NetworkTensors, TENSOR_NAMES } from "../../src/model/parameters.ts";
import { adjointReference } from "../../src/reference/adjoint.ts";
import { clipAndAdamReference } from "../../src/reference/clip-and-adam.ts";
import { rolloutReference } from "../../src/reference/rollout.ts";
import { referenceTensors, widenTensors } from "../../src/reference/tensors.ts";
import { GivenBatch, type GivenBatchSpec } from "../../src/train/given-batch.ts";
import { expectSameBits } from "../bits.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within } from "../kernel/run-kernel.ts";
import { step } from "./experiments.ts";

gpuHygiene();

const shape = { units: 16, inputs: 3, outputs: 5, encoderInputs: 2 };
const [T, B, N, I, O, E] = [9, 7, shape.units, shape.inputs, shape.outputs, shape.encoderInputs];
// The hyperbolic tangent has no kink, so that float32 and float64 take the same side of everything.
const model = modelSpec({ shape, activation: "tanh", slope: 0.01, rootSeed: 3, noiseRounds: 7 });
const SIZES = { W_rec: N * N, W_in: N * I, b: N, W_out: O * N, b_out: O, W_enc: N * E, b_enc: N };

/** Numbers of order `scale`; any will do. */
const wave = (length: number, scale: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => scale * Math.sin(phase + 2.3 * i + 0.01 * i * i));

const weightsOf = (phase: number) =>
  Object.fromEntries(TENSOR_NAMES.map((name, i) => [name, wave(SIZES[name], 0.4, phase + i)])) as NetworkTensors;

const data = { e0: wave(B * E, 1, 1), u: wave(T * B * I, 1, 2), target: wave(T * B * O, 1, 3) };
const weights = [weightsOf(0), weightsOf(5)];
const quiet = [step({ noiseStd: 0 }), step({ noiseStd: 0, leak: 0.2, gain: 0.3 })];
const noisy = quiet.map((s) => ({ ...s, noiseStd: 0.1 }));

async function made(steps: readonly StepParameters[], own: Partial<GivenBatchSpec> = {}): Promise<GivenBatch> {
  const gpu = await testGpu();
  const kind = choosePlanKind(adapterSpec(gpu), { units: N, rows: 64 });
  const spec = {
    model,
    networks: steps.map((s, seed) => ({ seed, step: s })),
    ...{ steps: T, batch: B, learningRate: 1e-2, clipNorm: 0.05, kind },
    ...own,
  };
  return GivenBatch.create(gpu, spec, weights, data);
}

describe("a batch of given tensors", () => {
  test("loss and gradients of each network are those of evaluate, and probing changes nothing", async () => {
    const batch = await made(noisy);
    batch.setSteps(quiet);
    const { loss, grads } = await batch.probe();
    for (const [s, own] of weights.entries()) {
      const { kind } = batch.spec;
      const input = {
        shape,
        weights: own,
        activation: "tanh",
        leakySlope: 0.01,
        step: quiet[s] as StepParameters,
      } as const;
      const exact = await evaluateModel(await testGpu(), { ...input, steps: T, batch: B, ...data, kind });
      expect(loss[s]).toBe(exact.loss);
      for (const name of TENSOR_NAMES) {
        expectSameBits(name, grads[s]?.[name] as Float32Array, exact.grads?.[name] as Float32Array);
      }
      expectSameBits("W_rec", (await batch.weights())[s]?.W_rec as Float32Array, own.W_rec);
    }
    batch.destroy();
  });

  test("three iterations with clip and Adam are those of the float64 twins", async () => {
    const batch = await made(noisy);
    batch.setSteps(quiet);
    await batch.run(2);
    const { loss, gradNorm } = await batch.run(1);
    const after = await batch.weights();
    const f64 = (values: Float32Array) => Float64Array.from(values);
    for (const [s, own] of weights.entries()) {
      const exact = widenTensors(own);
      const moments = { m: referenceTensors(shape), v: referenceTensors(shape) };
      let last = { loss: 0, gradNorm: 0 };
      for (let iteration = 0; iteration < 3; iteration++) {
        const params = Array.from({ length: B }, () => cellParams(quiet[s] as StepParameters));
        const given = { e0: f64(data.e0), u: f64(data.u), noise: null, T, B };
        const input = { shape, weights: exact, activation: "tanh", leakySlope: 0.01, params, ...given } as const;
        const adjoint = adjointReference(input, rolloutReference(input), f64(data.target), { l2Activity: 0 });
        const taken = { iteration, learningRate: 1e-2, clipNorm: 0.05 };
        last = { loss: adjoint.loss, ...clipAndAdamReference(exact, adjoint.grads, moments, taken) };
      }
      // As in reference.test.ts: a float32 gradient is within 2e-5 of the exact one, and the loss sees it at second order.
      within(`loss of network ${s}`, Math.abs((loss[s] as number) / last.loss - 1), 1e-5);
      within(`its gradient's norm`, Math.abs((gradNorm[s] as number) / last.gradNorm - 1), 2e-5);
      for (const name of TENSOR_NAMES) {
        const error = Math.hypot(...exact[name].map((x, i) => x - (after[s]?.[name][i] as number)));
        within(name, error / Math.hypot(...exact[name]), 1e-5);
      }
    }
    expect(gradNorm.some((norm) => norm > 0.05)).toBe(true);
    batch.destroy();
  });

  test("noise is drawn anew in every iteration", async () => {
    const batch = await made(noisy);
    const first = await batch.probe();
    expect((await batch.probe()).loss).toEqual(first.loss);
    batch.iteration = 1;
    expect((await batch.probe()).loss).not.toEqual(first.loss);
    batch.setSteps(quiet);
    expect((await batch.probe()).loss).not.toEqual(first.loss);
    batch.destroy();
  });

  test("what does not fit at once is refused with the numbers", async () => {
    const gpu = await testGpu();
    const adapter = { ...adapterSpec(gpu), maxBuffer: 30_000 };
    await expect(made(noisy, { adapter })).rejects.toThrow(/2 networks × 7 rows × 9 steps need 2 chunks/);
  });
});
