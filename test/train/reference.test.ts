/** Whole training iterations against their float64 twin: paths, masks, noise, rollout, adjoint, clip, Adam. */
import { describe, expect, test } from "vitest";
import { centresOf } from "../../src/code/centres.ts";
import type { CodeSpec, Tuning } from "../../src/code/population.ts";
import { modelSpec } from "../../src/kernels/spec.ts";
import { type Activation, cellParams } from "../../src/model/dynamics.ts";
import { parameterLayout, TENSOR_NAMES, unpackParameters } from "../../src/model/parameters.ts";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import { decodeReference } from "../../src/reference/decode.ts";
import { philoxNoise, rolloutReference } from "../../src/reference/rollout.ts";
import { type ReferenceTensors, widenTensors } from "../../src/reference/tensors.ts";
import {
  experienceReference,
  initialTrainingState,
  type ReferenceTraining,
  type TrainingState,
  trainStepReference,
} from "../../src/reference/train-step.ts";
import { extentOf } from "../../src/task/extent.ts";
import { ouTask, type PathTask, tmazeTask, triangleTask } from "../../src/task/paths.ts";
import type { TrainSpec } from "../../src/train/spec.ts";
import type { TestResult } from "../../src/train/test-batch.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within, worst } from "../kernel/run-kernel.ts";
import { model, network, step, type Trained, trained, training } from "./experiments.ts";

gpuHygiene();

const MODIFIED = step({ friction: 0.8, adaptStrength: 0.05, adaptTau: 20 });
const OTHER = step({ leak: 0.2, gain: 0.7, noiseStd: 0.1, friction: 0.6, adaptStrength: 0.3, adaptTau: 5 });

// A float32 gradient is within 2e-5 of the exact one (decision 19); a step of Adam moves the weights by 1e-3 of their
// size and carries as much of that over, but divides an element of the gradient by its own size, so that one close to 0
// may turn its sign. The loss sees both at second order, and float32's own sums at first.
const LOSS = 1e-5;
const NORM = 2e-5;
const WEIGHTS = 1e-5;
const MOMENTS = 1e-4;

const networks = [
  network(3, { step: MODIFIED, maskEvery: 3, learningRate: 3e-3 }),
  network(70, { step: OTHER, maskEvery: 4, finalLearningRate: 5e-3, initialGain: 0.1 }),
];
const common = { model: model(13), steps: 25, batch: 9 };

const CASES: readonly [string, TrainSpec, boolean][] = [
  ["T-maze, random offsets, ReLU, no clip", training(networks, { ...common, clipNorm: 1e3, l2Activity: 0 }), false],
  [
    "triangle both ways, fixed offsets, tanh, clip",
    training(networks, {
      ...common,
      model: model(13, { activation: "tanh", rootSeed: 5 }),
      task: triangleTask("twoWay"),
      maskRandom: false,
      clipNorm: 0.02,
    }),
    true,
  ],
  [
    "OU, random offsets, ReLU, clip, ten rounds, activity in the loss",
    training(networks, {
      ...common,
      model: model(13, { noiseRounds: 10 }),
      task: ouTask(),
      clipNorm: 0.02,
      l2Activity: 0.1,
    }),
    true,
  ],
];

/** Place cells on a grid around the maze. */
function codeOn(cells: number, own: Partial<CodeSpec> & { tuning?: Tuning } = {}): CodeSpec {
  const { tuning = "gaussian", ...rest } = own;
  const layout = { count: cells, layout: "jitteredGrid", centres: [], seed: 2 } as const;
  return {
    population: { centres: centresOf(layout, extentOf(tmazeTask()), 11), width: 0.4, tuning },
    decoder: { method: "topK", k: 3 },
    deltaInput: false,
    ...rest,
  };
}

const coded = (spec: CodeSpec, own: Partial<TrainSpec> = {}): TrainSpec => {
  const cells = spec.population.centres.length;
  const shape = { units: 13, inputs: spec.deltaInput ? cells : 2, outputs: cells, encoderInputs: cells };
  return training(networks, { ...common, model: modelSpec({ ...common.model, shape }), code: spec, ...own });
};

const CODED: readonly [string, TrainSpec, boolean][] = [
  ["17 place cells, activity in the loss", coded(codeOn(17), { clipNorm: 0.01, l2Activity: 0.1 }), true],
  ["changes of 17 cells in", coded(codeOn(17, { deltaInput: true }), { clipNorm: 1e3, l2Activity: 0 }), false],
  ["130 cells under a softmax", coded(codeOn(130, { tuning: "softmax" }), { clipNorm: 1e3, l2Activity: 0 }), false],
];

function referenceOf(spec: TrainSpec, s: number): ReferenceTraining {
  const own = spec.networks[s] as TrainSpec["networks"][number];
  return {
    shape: spec.model.shape,
    activation: spec.model.activation,
    leakySlope: spec.model.slope,
    step: own.step,
    initialGain: own.initialGain,
    key: [spec.model.rootSeed, own.seed],
    task: spec.task as PathTask,
    code: spec.code ?? null,
    steps: spec.steps,
    batch: spec.batch,
    maskEvery: own.maskEvery,
    maskOffset: spec.maskRandom ? "random" : "fixed",
    iterations: spec.iterations,
    learningRate: own.learningRate,
    finalLearningRate: own.finalLearningRate,
    clipNorm: spec.clipNorm,
    l2Activity: spec.l2Activity,
    rounds: spec.model.noiseRounds,
  };
}

function runReference(spec: TrainSpec, s: number) {
  const request = referenceOf(spec, s);
  const state = initialTrainingState(request);
  const history = Array.from({ length: spec.iterations }, (_, i) => trainStepReference(request, state, i));
  return { state, history };
}

/** ‖got − wanted‖ / ‖wanted‖ over all tensors of a network. */
function normwise(spec: TrainSpec, flat: Float32Array, s: number, wanted: ReferenceTensors): number {
  const { stride } = spec.model.layout;
  const got = unpackParameters(spec.model.layout, flat.subarray(s * stride, (s + 1) * stride));
  let [difference, size] = [0, 0];
  for (const name of TENSOR_NAMES) {
    wanted[name].forEach((w, i) => {
      difference += ((got[name][i] as number) - w) ** 2;
      size += w ** 2;
    });
  }
  return Math.sqrt(difference / size);
}

function compare(spec: TrainSpec, got: Trained, clipped: boolean): void {
  for (let s = 0; s < spec.networks.length; s++) {
    const { state, history } = runReference(spec, s) as {
      state: TrainingState;
      history: ReturnType<typeof runReference>["history"];
    };
    const relative = (of: "loss" | "gradNorm") =>
      worst(history.length, (i) => Math.abs((got.stats[i]?.[of][s] as number) / (history[i]?.[of] as number) - 1))
        .error;
    for (const h of history) expect(h.gradNorm > spec.clipNorm, `norm ${h.gradNorm}`).toBe(clipped);
    within(`network ${s}: loss, relative`, relative("loss"), LOSS);
    within(`network ${s}: gradient norm, relative`, relative("gradNorm"), NORM);
    within(`network ${s}: weights, normwise`, normwise(spec, got.state.weights, s, state.weights), WEIGHTS);
    within(`network ${s}: first moment, normwise`, normwise(spec, got.state.moment1, s, state.moments.m), MOMENTS);
    within(`network ${s}: second moment, normwise`, normwise(spec, got.state.moment2, s, state.moments.v), MOMENTS);
  }
}

describe.each([...CASES, ...CODED])("%s", (_, spec, clipped) => {
  // The plans give the same bits (determinism.test.ts), the nonlinearity and the noise do not depend on them: one each.
  const kind = spec.model.activation === "tanh" ? "step" : "own-row";
  test(`six iterations, ${kind}`, async () => {
    compare(spec, await trained(await testGpu(), { ...spec, kind }), clipped);
  });
});

test("the update matters: a wrong learning rate would be seen", () => {
  const spec = CASES[0]?.[1] as TrainSpec;
  const right = runReference(spec, 0).state.weights;
  const [first, second] = spec.networks;
  const faster = {
    ...spec,
    networks: [{ ...(first as (typeof networks)[0]), finalLearningRate: 2e-4 }, second as (typeof networks)[0]],
  };
  const wrong = runReference(faster, 0).state.weights;
  let [difference, size] = [0, 0];
  for (const name of TENSOR_NAMES) {
    right[name].forEach((w, i) => {
      difference += ((wrong[name][i] as number) - w) ** 2;
      size += w ** 2;
    });
  }
  expect(Math.sqrt(difference / size)).toBeGreaterThan(2 * WEIGHTS);
});

const WEIGHTED = { tuning: "softmax", decoder: { method: "weightedMean", k: 1 } } as const;

/** The decoded positions of a network's activity, and their median distance from the paths. */
function expectDecoded(
  code: CodeSpec,
  got: TestResult,
  s: number,
  positions: Float64Array,
  activity: Float64Array,
): void {
  const cells = code.population.centres.length;
  const count = activity.length / cells;
  const slot = positions.length / 2 - count;
  const own = got.code?.subarray(s * activity.length, (s + 1) * activity.length) as Float32Array;
  const distances: number[] = [];
  let most = 0;
  for (let i = 0; i < count; i++) {
    // Of the GPU's own activity: two nearly equal cells may change places within rounding.
    const exact = decodeReference(code.population, code.decoder, own.subarray(i * cells, (i + 1) * cells));
    const decoded = got.readout?.subarray(2 * (s * count + i), 2 * (s * count + i) + 2) as Float32Array;
    most = Math.max(most, ...exact.map((x, axis) => Math.abs((decoded[axis] as number) - x)));
    const at = 2 * (slot + i);
    distances.push(Math.hypot(...[0, 1].map((axis) => (decoded[axis] as number) - (positions[at + axis] as number))));
  }
  // A mean of up to 130 centres; weights of either sign may nearly cancel, here they do not.
  within(`network ${s}: decoded`, most, 1e-5);
  distances.sort((a, b) => a - b);
  expect(got.decodingError?.[s]).toBeCloseTo(distances[Math.floor(count / 2)] as number, 4);
}

test.each([
  ["positions", CASES[0]?.[1] as TrainSpec],
  ["place cells", CODED[0]?.[1] as TrainSpec],
  ["a weighted mean of cells", { ...(CODED[2]?.[1] as TrainSpec), code: codeOn(130, WEIGHTED) }],
])("test trajectories, their readouts, last states and error: %s", async (_, spec) => {
  const gpu = await testGpu();
  const count = 37;
  const trainer = await Trainer.create(gpu, spec);
  await trainer.run({});
  const got = await trainer.test(count, { keep: true, keepCode: true });
  const { weights } = await trainer.state();
  trainer.destroy();
  const { shape, layout } = spec.model;
  const [T, N] = [spec.steps, shape.units];
  expect(parameterLayout(shape).stride).toBe(layout.stride);
  spec.networks.forEach((own, s) => {
    const request = referenceOf(spec, s);
    const draw = { T, B: count, key: request.key, epoch: TEST_EPOCH, trajectory0: 0 };
    const { maskEvery, maskOffset } = request;
    const paths = experienceReference(request, { ...draw, stream: STREAM.testPaths, maskEvery, maskOffset });
    const params = Array.from({ length: count }, () => cellParams(own.step));
    const rollout = rolloutReference({
      shape,
      weights: widenTensors(unpackParameters(layout, weights.subarray(s * layout.stride, (s + 1) * layout.stride))),
      activation: spec.model.activation as Activation,
      leakySlope: spec.model.slope,
      params,
      e0: paths.e0,
      u: paths.u,
      noise: philoxNoise({ ...draw, N, stream: STREAM.awakeNoise, params }),
      T,
      B: count,
    });
    const error = (all: Float32Array | null, wanted: Float64Array) =>
      worst(wanted.length, (i) => Math.abs((all?.[s * wanted.length + i] as number) - (wanted[i] as number))).error;
    // States and what is read from them: decision 19; positions are sums of T float32 terms of size 1.
    within(`network ${s}: positions`, error(got.positions, paths.positions), 1e-5);
    within(`network ${s}: readout`, error(spec.code ? got.code : got.readout, rollout.y), 1e-5);
    if (spec.code) expectDecoded(spec.code, got, s, paths.positions, rollout.y);
    within(`network ${s}: last state`, error(got.last, rollout.r.subarray(T * count * N)), 1e-5);
    let mse = 0;
    rollout.y.forEach((y, i) => {
      mse += (y - (paths.target[i] as number)) ** 2 / rollout.y.length;
    });
    within(`network ${s}: error, relative`, Math.abs((got.mse[s] as number) / mse - 1), LOSS);
  });
});
