/** Training on given trials: against float64, and the same bits however they come to the device. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/context.ts";
import { writeNpz } from "../../src/io/npz.ts";
import { loadTrials } from "../../src/io/trial-file.ts";
import { modelSpec } from "../../src/kernels/spec.ts";
import { cellParams } from "../../src/model/dynamics.ts";
import { unpackParameters } from "../../src/model/parameters.ts";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import { adjointReference } from "../../src/reference/adjoint.ts";
import { clipAndAdamReference, learningRateReference } from "../../src/reference/clip-and-adam.ts";
import { isVisibleReference, maskOffsetsReference } from "../../src/reference/masked-inputs.ts";
import { philoxNoise, rolloutReference } from "../../src/reference/rollout.ts";
import { widenTensors } from "../../src/reference/tensors.ts";
import { initialTrainingState } from "../../src/reference/train-step.ts";
import { type MaskKind, type TensorsTask, TrialOrder } from "../../src/task/tensors.ts";
import type { NetworkSpec, TrainSpec } from "../../src/train/spec.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within } from "../kernel/run-kernel.ts";
import {
  expectSameNetwork,
  limited,
  network,
  networkOf,
  step,
  type Trained,
  trained,
  training,
} from "./experiments.ts";

gpuHygiene();

const folder = mkdtempSync(join(tmpdir(), "reverie-trials-"));
afterAll(() => rmSync(folder, { recursive: true }));

const [TRIALS, T, O, E, N] = [10, 12, 5, 3, 16];

/** Numbers of order `scale`; any will do. */
const wave = (length: number, phase: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.fround(Math.sin(phase + 2.3 * i + 0.01 * i * i)));

interface Data {
  readonly I: number;
  readonly mask: MaskKind;
  readonly u: Float64Array;
  readonly e0: Float64Array;
  readonly target: Float64Array;
  readonly weights: Float64Array;
}

function dataOf(I: number, mask: MaskKind): Data {
  const perStep = { none: 0, steps: 1, outputs: O }[mask];
  return {
    ...{ I, mask, u: wave(TRIALS * T * I, 1), e0: wave(TRIALS * E, 2), target: wave(TRIALS * T * O, 3) },
    weights: wave(TRIALS * T * perStep, 4).map((x) => Math.max(0, x)),
  };
}

let files = 0;
function taskOf(d: Data, as: "float32" | "float64" = "float32"): TensorsTask {
  const path = join(folder, `${++files}.npz`);
  const array = (data: Float64Array, shape: number[]) => ({
    data: as === "float32" ? Float32Array.from(data) : data,
    shape,
  });
  writeNpz(path, {
    u: array(d.u, [TRIALS, T, d.I]),
    e0: array(d.e0, [TRIALS, E]),
    target: array(d.target, [TRIALS, T, O]),
    ...(d.mask === "none" ? {} : { mask: array(d.weights, d.mask === "steps" ? [TRIALS, T] : [TRIALS, T, O]) }),
  });
  return loadTrials({ path, steps: null, testShare: 0.2 }).task;
}

const NETWORKS = [network(3, { maskEvery: 3 }), network(8, { maskEvery: 1, step: step({ friction: 0.8 }) })];

function specOf(d: Data, own: Partial<TrainSpec> = {}, as?: "float64"): TrainSpec {
  const shape = { units: N, inputs: d.I, outputs: O, encoderInputs: E };
  // The hyperbolic tangent has no kink, so that float32 and float64 take the same side of everything.
  const model = modelSpec({ shape, activation: "tanh", slope: 0.01, rootSeed: 11, noiseRounds: 7 });
  return training(NETWORKS, { model, task: taskOf(d, as), steps: T, batch: 6, iterations: 4, ...own });
}

/** A batch as the host lays it out: (T, B, …), inputs masked. */
function batchOf(d: Data, spec: TrainSpec, own: NetworkSpec, trials: Uint32Array, epoch: number) {
  const B = trials.length;
  const key = [spec.model.rootSeed, own.seed] as const;
  const draw = { T, B, key, epoch, trajectory0: 0 };
  const { maskEvery } = own;
  const offsets = maskOffsetsReference({ ...draw, stream: STREAM.trainPaths, maskEvery, maskOffset: "random" });
  const lay = (from: Float64Array, width: number, of = (at: number, _t: number, _b: number) => from[at] as number) => {
    const out = new Float64Array(T * B * width);
    for (let i = 0; i < out.length; i++) {
      const [t, b, x] = [Math.floor(i / (B * width)), Math.floor(i / width) % B, i % width];
      out[i] = of(((trials[b] as number) * T + t) * width + x, t, b);
    }
    return out;
  };
  const u = lay(d.u, d.I, (at, t, b) =>
    isVisibleReference(t, maskEvery, offsets[b] as number) ? (d.u[at] as number) : 0,
  );
  const e0 = Float64Array.from(
    { length: B * E },
    (_, i) => d.e0[(trials[Math.floor(i / E)] as number) * E + (i % E)] as number,
  );
  const perOutput = d.mask === "outputs" ? d.weights : d.target.map((_, i) => d.weights[Math.floor(i / O)] ?? 1);
  return { draw, u, e0, target: lay(d.target, O), weights: lay(perOutput, O) };
}

let gpu: Gpu;
beforeAll(async () => {
  gpu = await testGpu();
});

// The last number holds one block of rows of one network, and no more.
describe.each<[string, number, MaskKind, number]>([
  ["few inputs, a weight for each step", 2, "steps", 27_000],
  ["many inputs, a weight for each readout", 20, "outputs", 42_000],
])("%s", (_, I, mask, least) => {
  const data = dataOf(I, mask);

  test("four iterations, which cross passes through the trials, are those of the float64 twins", async () => {
    const spec = specOf(data);
    const { stats } = await trained(gpu, spec);
    const order = new TrialOrder(spec.task as TensorsTask, spec.model.rootSeed);
    const { shape } = spec.model;
    for (const [s, own] of spec.networks.entries()) {
      const start = { shape, initialGain: own.initialGain, key: [spec.model.rootSeed, own.seed] as const };
      const state = initialTrainingState(start as never);
      const params = Array.from({ length: spec.batch }, () => cellParams(own.step));
      for (const { iteration, loss, gradNorm } of stats) {
        const b = batchOf(data, spec, own, order.training(iteration, spec.batch), iteration);
        const noise = philoxNoise({ ...b.draw, N, stream: STREAM.awakeNoise, params });
        const size = { T, B: spec.batch };
        const how = { activation: "tanh", leakySlope: 0.01, params } as const;
        const input = { shape, weights: state.weights, ...how, e0: b.e0, u: b.u, noise, ...size };
        const adjoint = adjointReference(input, rolloutReference(input), b.target, {
          l2Activity: spec.l2Activity,
          weights: b.weights,
        });
        const rate = learningRateReference(iteration, spec.iterations, own.learningRate, own.finalLearningRate);
        const taken = { iteration, learningRate: rate, clipNorm: spec.clipNorm };
        const exact = clipAndAdamReference(state.weights, adjoint.grads, state.moments, taken);
        // As in reference.test.ts: a float32 gradient is within 2e-5 of the exact one, and the loss sees it at second order.
        within(`loss ${iteration} of network ${s}`, Math.abs((loss[s] as number) / adjoint.loss - 1), 1e-5);
        within("its gradient's norm", Math.abs((gradNorm[s] as number) / exact.gradNorm - 1), 2e-5);
      }
    }
  });

  test("in one piece, in chunks and windows, after a break, from a file of float64: the same bits", async () => {
    const own = { batch: 40 };
    const spec = specOf(data, own);
    const whole = await trained(gpu, spec);
    expect(whole.batch.chunkPasses.length).toBe(1);
    const expectSame = (what: string, got: Trained) =>
      spec.networks.forEach((_, s) => {
        expectSameNetwork(what, networkOf(got, s), networkOf(whole, s));
      });
    const adapter = limited(gpu, { maxBinding: least, maxBuffer: least, flopsPerSecond: 2e6 });
    const cut = await trained(gpu, { ...spec, adapter });
    expect(cut.batch.chunkPasses.length).toBe(4);
    expectSame("cut", cut);
    expectSame("float64", await trained(gpu, specOf(data, own, "float64")));
    const before = await trained(gpu, spec, (trainer, onStats) => trainer.run({ until: 2, onStats }));
    const after = await trained(gpu, spec, (trainer, onStats) => {
      trainer.load(before.state);
      return trainer.run({ onStats });
    });
    expectSame("resumed", { ...after, stats: [...before.stats, ...after.stats] });
  });
});

test("the test takes every test trial once, noise on; what is kept are its readouts", async () => {
  const data = dataOf(2, "none");
  const spec = specOf(data, { iterations: 1 });
  const trainer = await Trainer.create(gpu, spec);
  try {
    const trials = new TrialOrder(spec.task as TensorsTask, 0).test(2);
    expect([...trials]).toEqual([4, 9]);
    const { mse, readout, positions } = await trainer.test(2, { keep: true });
    expect(positions).toBeNull();
    const { layout, shape } = spec.model;
    const { weights } = await trainer.state();
    for (const [s, own] of spec.networks.entries()) {
      const b = batchOf(data, spec, own, trials, TEST_EPOCH);
      const params = trials.length === 2 ? [cellParams(own.step), cellParams(own.step)] : [];
      const { y } = rolloutReference({
        ...{ shape, activation: "tanh", leakySlope: 0.01, params, e0: b.e0, u: b.u, T, B: 2 },
        weights: widenTensors(unpackParameters(layout, weights.subarray(s * layout.stride, (s + 1) * layout.stride))),
        noise: philoxNoise({ ...b.draw, N, stream: STREAM.awakeNoise, params }),
      });
      const got = readout?.subarray(s * y.length, (s + 1) * y.length) as Float32Array;
      within("readout", Math.max(...y.map((v, i) => Math.abs(v - (got[i] as number)))), 1e-5);
      const error = y.reduce((sum, v, i) => sum + (v - (b.target[i] as number)) ** 2, 0) / y.length;
      within("test error, relative", Math.abs((mse[s] as number) / error - 1), 1e-5);
    }
  } finally {
    trainer.destroy();
  }
});
