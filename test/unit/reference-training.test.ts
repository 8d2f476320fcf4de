import { describe, expect, test } from "vitest";
import { cellParams } from "../../src/model/dynamics.ts";
import { parameterLayout, TENSOR_NAMES } from "../../src/model/parameters.ts";
import { STREAM } from "../../src/model/streams.ts";
import {
  awakePathsReference,
  clipAndAdamReference,
  gradNormReference,
  initialiseReference,
  initialTrainingState,
  learningRateReference,
  type Moments,
  noise,
  philoxNoise,
  type ReferenceTraining,
  referenceTensors,
  rolloutReference,
  trainReference,
  trainStepReference,
  widenTensors,
} from "../../src/reference/index.ts";
import { ouTask, tmazeTask } from "../../src/task/paths.ts";

const SHAPE = { units: 1, inputs: 1, outputs: 1, encoderInputs: 1 };
const freshMoments = (): Moments => ({ m: referenceTensors(SHAPE), v: referenceTensors(SHAPE) });

describe("Adam", () => {
  test("two steps computed by hand", () => {
    const weights = referenceTensors(SHAPE);
    weights.W_rec[0] = 1;
    const moments = freshMoments();
    const update = (iteration: number, gradient: number) => {
      const grads = referenceTensors(SHAPE);
      grads.W_rec[0] = gradient;
      return clipAndAdamReference(weights, grads, moments, { iteration, learningRate: 0.1, clipNorm: 10 });
    };
    // m = .2, v = .004; corrected 2 and 4: a step of .1 · 2/2.
    expect(update(0, 2)).toEqual({ gradNorm: 2, factor: 1 });
    expect(moments.m.W_rec[0]).toBeCloseTo(0.2, 14);
    expect(moments.v.W_rec[0]).toBeCloseTo(0.004, 14);
    expect(weights.W_rec[0]).toBeCloseTo(0.9 + 0.1 * 0.5e-8, 14);
    // m = .18 − .1 = .08, v = .003996 + .001 = .004996; corrected .08/.19 = .4210526316 and .004996/.001999 = 2.4992496248,
    // whose root is 1.5809014595: a step of .1 · .2663370451.
    update(1, -1);
    expect(weights.W_rec[0]).toBeCloseTo(0.9 - 0.02663370451, 8);
  });

  test("a parameter without gradient stays where it is, even when no parameter has one", () => {
    const weights = referenceTensors(SHAPE);
    weights.b[0] = 3;
    const record = clipAndAdamReference(weights, referenceTensors(SHAPE), freshMoments(), {
      iteration: 0,
      learningRate: 0.1,
      clipNorm: 1,
    });
    expect(record).toEqual({ gradNorm: 0, factor: 1 });
    expect(weights.b[0]).toBe(3);
  });
});

describe("clip", () => {
  const grads = referenceTensors(SHAPE);
  grads.W_rec[0] = 3;
  grads.b_enc[0] = -4;

  test("the norm is over all tensors together, and a longer gradient is scaled to the limit", () => {
    expect(gradNormReference(grads)).toBe(5);
    const moments = freshMoments();
    const step = { iteration: 0, learningRate: 0.1, clipNorm: 1 };
    expect(clipAndAdamReference(referenceTensors(SHAPE), grads, moments, step)).toEqual({ gradNorm: 5, factor: 0.2 });
    expect(moments.m.W_rec[0]).toBeCloseTo(0.1 * 0.6, 14);
    expect(moments.m.b_enc[0]).toBeCloseTo(-0.1 * 0.8, 14);
    expect(moments.v.b_enc[0]).toBeCloseTo(0.001 * 0.64, 14);
    expect(grads.W_rec[0], "the gradient itself is left as it was").toBe(3);
  });

  test("a shorter one is left alone, and so is any where there is no limit", () => {
    for (const clipNorm of [5.5, 0]) {
      const step = { iteration: 0, learningRate: 0.1, clipNorm };
      expect(clipAndAdamReference(referenceTensors(SHAPE), grads, freshMoments(), step).factor).toBe(1);
    }
  });
});

test("the learning rate runs linearly from first to last, and stays first for a single iteration", () => {
  const rates = [0, 1, 2, 3, 4].map((i) => learningRateReference(i, 5, 1, 0.5));
  expect(rates).toEqual([1, 0.875, 0.75, 0.625, 0.5]);
  expect(learningRateReference(0, 1, 1, 0.5)).toBe(1);
});

describe("initial weights", () => {
  const shape = { units: 50, inputs: 3, outputs: 40, encoderInputs: 5 };
  const weights = initialiseReference(shape, { initialGain: 0.5, key: [1, 2] });

  test("have their standard deviations, and biases are 0", () => {
    const expected = {
      W_rec: 0.5 / Math.sqrt(50),
      W_in: Math.sqrt(0.25 / 3),
      W_out: Math.sqrt(1 / 50),
      W_enc: Math.sqrt(1 / 5),
    };
    for (const [name, std] of Object.entries(expected)) {
      const tensor = weights[name as keyof typeof expected];
      const measured = Math.sqrt(tensor.reduce((sum, w) => sum + w * w, 0) / tensor.length);
      // Five standard errors of a standard deviation from that many elements.
      expect(Math.abs(measured / std - 1), name).toBeLessThan(5 / Math.sqrt(2 * tensor.length));
    }
    for (const name of ["b", "b_out", "b_enc"] as const) expect(weights[name].every((w) => w === 0)).toBe(true);
  });

  test("element e of tensor i is normal e & 3 of step i, quad e >> 2, of the unpadded tensor", () => {
    const normal = (tensor: number, e: number) => noise(tensor, e, 0, STREAM.initialisation, 0, [1, 2]);
    expect(weights.W_rec[51]).toBe((0.5 / Math.sqrt(50)) * normal(0, 51));
    expect(weights.W_in[149]).toBe(Math.sqrt(0.25 / 3) * normal(1, 149));
    expect(weights.W_enc[7]).toBe(Math.sqrt(1 / 5) * normal(5, 7));
  });

  test("have the shapes of the parameter table, and widening keeps them", () => {
    const { slices } = parameterLayout(shape);
    for (const name of TENSOR_NAMES) expect(weights[name].length).toBe(slices[name].shape[0] * slices[name].shape[1]);
    const narrow = Object.fromEntries(TENSOR_NAMES.map((name) => [name, Float32Array.from(weights[name])]));
    expect(widenTensors(narrow as never).W_enc[3]).toBe(Math.fround(weights.W_enc[3] as number));
  });
});

describe("training", () => {
  const training: ReferenceTraining = {
    shape: { units: 14, inputs: 2, outputs: 2, encoderInputs: 2 },
    activation: "relu",
    leakySlope: 0.01,
    step: {
      leak: 0.5,
      gain: 1,
      noiseStd: 0.05,
      noiseScale: 1,
      friction: 1,
      noiseFriction: true,
      adaptStrength: 0,
      adaptTau: 100,
    },
    initialGain: 0.5,
    key: [1, 0],
    task: tmazeTask(),
    steps: 20,
    batch: 16,
    maskEvery: 5,
    maskOffset: "random",
    iterations: 80,
    learningRate: 1e-2,
    finalLearningRate: 1e-3,
    clipNorm: 1,
    l2Activity: 0,
  };

  test("a small network learns the T-maze", () => {
    const { history } = trainReference(training);
    const losses = history.map((record) => record.loss);
    const mean = (x: number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
    // It falls by a factor of about 20; 5 leaves room for another seed and none for a sign error.
    expect(mean(losses.slice(-10))).toBeLessThan(mean(losses.slice(0, 3)) / 5);
    expect(history.every((record) => Number.isFinite(record.gradNorm) && record.gradNorm > 0)).toBe(true);
  });

  test("the loss is that of the iteration's own paths, masks and awake noise, against the positions after each step", () => {
    const [T, B, N, epoch] = [20, 16, 14, 3];
    const params = Array.from({ length: B }, () => cellParams(training.step));
    const draw = { T, B, key: training.key, epoch, trajectory0: 0 } as const;
    const paths = awakePathsReference(training.task, {
      ...draw,
      stream: STREAM.trainPaths,
      maskEvery: 5,
      maskOffset: "random",
    });
    const { weights } = initialTrainingState(training);
    const { y } = rolloutReference({
      ...training,
      weights,
      params,
      e0: paths.positions.slice(0, B * 2),
      u: paths.u,
      noise: philoxNoise({ ...draw, N, stream: STREAM.awakeNoise, params }),
      T,
      B,
    });
    const squares = y.map((value, i) => (value - (paths.positions[B * 2 + i] as number)) ** 2);
    const expected = squares.reduce((sum, value) => sum + value, 0) / squares.length;
    // Float64 rounding of two orders of summation.
    expect(trainStepReference(training, initialTrainingState(training), epoch).loss).toBeCloseTo(expected, 12);
  });

  test("is the same again, and its first iterations are those of a longer run", () => {
    const whole = trainReference(training, 6);
    const again = initialTrainingState(training);
    const records = [0, 1, 2, 3, 4, 5].map((i) => trainStepReference(training, again, i));
    expect(records).toEqual(whole.history);
    expect(again.weights).toEqual(whole.weights);
    expect(again.moments).toEqual(whole.moments);
  });

  test("network seeds, iterations and rounds draw differently", () => {
    const first = (overrides: Partial<ReferenceTraining>, iteration = 0) => {
      const state = initialTrainingState(training);
      return trainStepReference({ ...training, ...overrides }, state, iteration).loss;
    };
    const losses = [first({}), first({ key: [1, 1] }), first({ key: [2, 0] }), first({}, 1), first({ rounds: 10 })];
    expect(new Set(losses).size).toBe(losses.length);
  });

  test("also goes with momentum, adaptation and another nonlinearity, on the Ornstein–Uhlenbeck path", () => {
    const { history } = trainReference({
      ...training,
      activation: "tanh",
      step: { ...training.step, friction: 0.7, adaptStrength: 0.1, adaptTau: 30 },
      task: ouTask(),
      maskEvery: 2,
      l2Activity: 1e-3,
    });
    expect(history.at(-1)?.loss).toBeLessThan((history[0]?.loss as number) / 2);
  });
});
