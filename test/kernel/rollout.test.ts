/**
 * The forward kernels (rnn/encode_initial, rnn/step_forward, rnn/rollout_*) on what the random cases of plans.test.ts do
 * not reach: noise drawn on the device, the variant without momentum and adaptation, a run without gradients.
 */
import { describe, expect, test } from "vitest";
import { evaluateModel } from "../../src/evaluate/evaluate.ts";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import { cellParams } from "../../src/model/dynamics.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import type { RowRecord } from "../../src/model/rows.ts";
import { STREAM } from "../../src/model/streams.ts";
import { philoxNoise, rolloutReference } from "../../src/reference/rollout.ts";
import { widenTensors } from "../../src/reference/tensors.ts";
import { expectSameBits } from "../bits.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { MODIFIED, PLAIN, rowRecord, someNetwork } from "./model.ts";
import { type NetworksRun, type OneNetwork, runNetworks } from "./networks.ts";
import { within, worst } from "./run-kernel.ts";

gpuHygiene();

const SHAPE = { units: 7, inputs: 3, outputs: 5, encoderInputs: 2 };
const [T, B] = [12, 5];
const ROOT_SEED = 41;

/** The noise that each row should have drawn: rows need not be consecutive trajectories of one epoch. */
function noiseOf(rows: readonly RowRecord[], iteration: number | null): Float64Array {
  const out = new Float64Array(T * B * SHAPE.units);
  rows.forEach((row, b) => {
    const own = philoxNoise({
      T,
      B: 1,
      N: SHAPE.units,
      stream: STREAM.awakeNoise,
      epoch: iteration ?? row.epoch,
      key: [ROOT_SEED, row.networkSeed],
      trajectory0: row.trajectory,
      params: [cellParams(row.step)],
    });
    for (let t = 0; t < T; t++) {
      out.set(own.subarray(t * SHAPE.units, (t + 1) * SHAPE.units), (t * B + b) * SHAPE.units);
    }
  });
  return out;
}

function statesOf(network: OneNetwork, noise: Float64Array | null): Float64Array {
  return rolloutReference({
    shape: SHAPE,
    weights: widenTensors(network.weights),
    activation: "relu",
    leakySlope: 0,
    params: network.rows.map((row) => cellParams(row.step)),
    e0: Float64Array.from(network.e0),
    u: Float64Array.from(network.u),
    noise,
    T,
    B,
  }).r;
}

/** Largest error of a state; they are of order 1, so 1e-5 is the tolerance of the design as it stands. */
function expectStates(what: string, got: Float32Array, exact: Float64Array): void {
  const bound = exact.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  const { error } = worst(exact.length, (i) => Math.abs((got[i] as number) - (exact[i] as number)));
  within(`${what}: states`, error / bound, 1e-5);
}

describe.each(PLAN_KINDS)("%s", (kind) => {
  const noisy = { ...PLAIN, noiseStd: 0.1, noiseScale: Math.SQRT2 };
  const networks = [3, 9].map((networkSeed, s) =>
    someNetwork(SHAPE, {
      T,
      B,
      seed: 10 + s,
      // Neither trajectories nor epochs in order, so that an index taken for one of them is noticed.
      row: (b) => rowRecord({ step: noisy, networkSeed, trajectory: 3 * b + s, epoch: 2 * b + 1 }),
    }),
  );
  const base: NetworksRun = {
    shape: SHAPE,
    activation: "relu",
    kind,
    steps: T,
    networks,
    noise: "drawn",
    extra: false,
    rootSeed: ROOT_SEED,
  };

  test("noise drawn on the device is the twin's, with the row's epoch or the clock's", async () => {
    for (const iteration of [null, 6]) {
      const got = await runNetworks({ ...base, ...(iteration === null ? {} : { iteration }) });
      networks.forEach((network, s) => {
        const exact = statesOf(network, noiseOf(network.rows, iteration));
        expectStates(
          `network ${s}, ${iteration === null ? "row" : "clock"}`,
          got.networks[s]?.r ?? expect.fail(),
          exact,
        );
      });
    }
  });

  test("a rollout in several windows continues the same noise", async () => {
    const whole = await runNetworks(base);
    // Few flops a second make short dispatches: three steps each.
    const flops = 2 * 2 * 32 * SHAPE.units * (SHAPE.units + SHAPE.inputs);
    const cut = await runNetworks({ ...base, adapter: { flopsPerSecond: (3.5 * flops) / 0.25 } });
    const forward = cut.batch.plan.passes.filter((p) => p.label === "forward").length;
    expect(forward).toBe(kind === "step" ? T : 4);
    whole.networks.forEach(({ r, grads }, s) => {
      expectSameBits(`r of network ${s}`, cut.networks[s]?.r ?? expect.fail(), r);
      expectSameBits(`dW_rec of network ${s}`, cut.networks[s]?.grads.W_rec ?? expect.fail(), grads.W_rec);
    });
  });

  test("the variant without momentum and adaptation has the bits of the general one", async () => {
    const [lean, general] = [await runNetworks(base), await runNetworks({ ...base, extra: true })];
    lean.networks.forEach((own, s) => {
      const other = general.networks[s] ?? expect.fail();
      expectSameBits("r", own.r, other.r);
      for (const name of TENSOR_NAMES) expectSameBits(`d${name}`, own.grads[name], other.grads[name]);
    });
  });

  test("NaN in the input of one row stays in that row", async () => {
    const gpu = await testGpu();
    const own = someNetwork(SHAPE, { T, B, seed: 31 });
    const input = {
      shape: SHAPE,
      weights: own.weights,
      activation: "relu" as const,
      leakySlope: 0.01,
      step: MODIFIED,
      steps: T,
      batch: B,
      e0: own.e0,
      u: own.u,
      noise: own.noise,
      target: own.target,
      kind,
    };
    const u = own.u.slice();
    const [step, row] = [4, 2];
    u[(step * B + row) * SHAPE.inputs] = Number.NaN;
    const [sound, bad] = [await evaluateModel(gpu, input), await evaluateModel(gpu, { ...input, u })];
    const { units: N } = SHAPE;
    for (let t = 0; t <= T; t++) {
      for (let b = 0; b < B; b++) {
        const [from, to] = [(t * B + b) * N, (t * B + b + 1) * N];
        if (b === row && t > step)
          expect([...bad.r.subarray(from, to)].every(Number.isNaN), `row ${b}, step ${t}`).toBe(true);
        else expectSameBits(`row ${b}, step ${t}`, bad.r.subarray(from, to), sound.r.subarray(from, to));
      }
    }
  });
});

test("without a target there are states and readouts, the same, and neither loss nor gradients", async () => {
  const gpu = await testGpu();
  const own = someNetwork(SHAPE, { T, B, seed: 30 });
  const input = {
    shape: SHAPE,
    weights: own.weights,
    activation: "relu" as const,
    leakySlope: 0.01,
    step: MODIFIED,
    steps: T,
    batch: B,
    e0: own.e0,
    u: own.u,
    noise: own.noise,
    kind: "own-row" as const,
  };
  const bare = await evaluateModel(gpu, input);
  const full = await evaluateModel(gpu, { ...input, target: own.target });
  for (const name of ["r", "v", "c", "y"] as const) expectSameBits(name, bare[name], full[name]);
  expect(bare).toMatchObject({ loss: null, grads: null, positive: null });
  expect(bare.dispatches["rnn/loss_mse"]).toBeUndefined();
});

test("r_0 is W_enc e_0 + b_enc, for every width of the encoder", async () => {
  const gpu = await testGpu();
  for (const [encoderInputs, units] of [
    [1, 5],
    [4, 33],
    [7, 1],
    [40, 12],
  ] as const) {
    const shape = { ...SHAPE, units, encoderInputs };
    const own = someNetwork(shape, { T: 1, B, seed: 40 + units });
    const out = await evaluateModel(gpu, {
      shape,
      weights: own.weights,
      activation: "relu",
      leakySlope: 0.01,
      step: PLAIN,
      steps: 1,
      batch: B,
      e0: own.e0,
      u: own.u,
      noise: own.noise,
      kind: "step",
    });
    const error = worst(B * units, (at) => {
      const [b, i] = [Math.floor(at / units), at % units];
      let sum = own.weights.b_enc[i] as number;
      for (let e = 0; e < encoderInputs; e++)
        sum += (own.weights.W_enc[i * encoderInputs + e] as number) * (own.e0[b * encoderInputs + e] as number);
      return Math.abs((out.r[at] as number) - sum);
    });
    // A chain of at most 41 terms of order 1: 41 half units in the last place.
    within(`E = ${encoderInputs}`, error.error, 41 * 2 ** -24 * 4);
  }
});

test("tile-persistent has the stepwise bits whether few rows share a workgroup or many", async () => {
  const steps = 3;
  const run = (kind: NetworksRun["kind"], rows: number) =>
    runNetworks({
      shape: SHAPE,
      activation: "relu",
      kind,
      steps,
      networks: [
        someNetwork(SHAPE, { T: steps, B: rows, seed: 23, row: (b) => rowRecord({ step: MODIFIED, trajectory: b }) }),
      ],
      noise: "drawn",
      extra: true,
      rootSeed: ROOT_SEED,
    });
  for (const [rows, tile] of [
    [37, { ROWS: 4, TWO_ROWS: 1 }],
    [1601, { ROWS: 8, TWO_ROWS: 0 }],
  ] as const) {
    const [few, many] = [await run("step", rows), await run("tile-persistent", rows)];
    const forward = many.batch.plan.passes.find((p) => p.label === "forward");
    expect(forward).toMatchObject({ kernel: "rnn/rollout_persistent", tune: tile });
    const [expected, got] = [few.networks[0] ?? expect.fail(), many.networks[0] ?? expect.fail()];
    expectSameBits(`r of ${rows} rows`, got.r, expected.r);
    for (const name of TENSOR_NAMES) expectSameBits(`d${name} of ${rows} rows`, got.grads[name], expected.grads[name]);
  }
});
