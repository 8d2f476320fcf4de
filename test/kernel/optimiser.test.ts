/** optim/reduce_grads, network_stats and adam: from the slices' sums to the next weights, and who is stopped. */
import { describe, expect, test } from "vitest";
import { POISON } from "../../src/gpu/context.ts";
import type { FieldValues } from "../../src/gpu/pack.ts";
import { packArray } from "../../src/gpu/pack.ts";
import type { Pass } from "../../src/gpu/plan.ts";
import { adamPass, normBlocks, reducePasses } from "../../src/kernels/gradients.ts";
import { readField, recordLayouts } from "../../src/kernels/records.ts";
import { modelSpec } from "../../src/kernels/spec.ts";
import {
  type NetworkShape,
  packParameters,
  roundUp,
  TENSOR_NAMES,
  transposeRecurrent,
  unpackParameters,
} from "../../src/model/parameters.ts";
import type { Slicing } from "../../src/model/slicing.ts";
import { clipAndAdamReference, gradNormReference, learningRateReference } from "../../src/reference/clip-and-adam.ts";
import { type ReferenceTensors, referenceTensors, widenTensors } from "../../src/reference/tensors.ts";
import { expectSameBits, normals } from "../bits.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { someWeights } from "./model.ts";
import { within, worst } from "./run-kernel.ts";
import { NO_CLOCK, runPasses } from "./run-passes.ts";

gpuHygiene();

/** Four networks, of which the group holds the second and third. */
const [S, GROUP] = [4, { network0: 1, networks: 2 }];
const SHAPE: NetworkShape = { units: 13, inputs: 3, outputs: 5, encoderInputs: 2 };
const SLICES: Slicing = { rowBlock: 32, rowBlocks: 3, timeBlock: 2, timeBlocks: 4 };
// 6 × 32 is a multiple of 64: the losses of a group begin at a multiple of 256 bytes.
const [STEPS, ROWS] = [6, 32];
const RATES = [
  [1e-3, 1e-4],
  [2e-3, 2e-3],
  [5e-3, 1e-3],
  [1e-2, 0],
] as const;

const modelOf = (shape: NetworkShape) =>
  modelSpec({ shape, activation: "relu", slope: 0, rootSeed: 0, noiseRounds: 7 });

interface Setting {
  readonly shape?: NetworkShape;
  readonly slices?: Slicing;
  readonly clipNorm?: number;
  /** Factor on every partial sum: the norm is near 3 for 1. */
  readonly size?: number;
  readonly iterations?: number;
  /** Of how many, for the learning rate. */
  readonly of?: number;
  readonly change?: (buffers: Buffers) => void;
  readonly launch?: (p: Pass) => Pass;
}

interface Buffers {
  readonly partials: Float32Array<ArrayBuffer>;
  readonly weights: Float32Array<ArrayBuffer>;
  readonly loss_rows: Float32Array<ArrayBuffer>;
  readonly bad: Uint32Array<ArrayBuffer>;
}

/** `iterations` iterations with the same partial sums, and everything that they left. */
async function optimise(own: Setting = {}) {
  const { shape = SHAPE, slices = SLICES, clipNorm = 0, size = 1, iterations = 1, of = 10 } = own;
  const gpu = await testGpu();
  const layouts = recordLayouts(gpu.options.readShader);
  const model = modelOf(shape);
  const { stride } = model.layout;
  const count = slices.rowBlocks * slices.timeBlocks;
  const draw = normals(shape.units);
  const weights = new Float32Array(S * stride);
  // Groups take turns in one buffer, so the group's networks stand at its beginning.
  const partials = new Float32Array(GROUP.networks * count * stride);
  for (let s = 0; s < S; s++) {
    weights.set(packParameters(model.layout, someWeights(shape, draw)), s * stride);
  }
  for (let s = 0; s < GROUP.networks; s++) {
    for (let i = 0; i < count; i++) {
      const one = packParameters(model.layout, someWeights(shape, draw));
      partials.set(
        one.map((x) => size * x * 0.1),
        (s * count + i) * stride,
      );
    }
  }
  const n = roundUp(shape.units, 4);
  const buffers: Buffers = {
    partials,
    weights,
    loss_rows: normals(4)(S * STEPS * ROWS).map((x) => x * x),
    bad: new Uint32Array(S).fill(0xffffffff),
  };
  own.change?.(buffers);
  const passes = [
    ...reducePasses(model, GROUP, S, slices, { steps: STEPS, rowsPerNetwork: ROWS, clipNorm }),
    adamPass(model, GROUP),
  ].map((p) => own.launch?.(p) ?? p);
  const records = RATES.map(([learning_rate, final_learning_rate]) => ({
    seed: 0,
    initial_gain: 1,
    learning_rate,
    final_learning_rate,
  }));
  const clocks = Array.from(
    { length: iterations },
    (_, iteration): FieldValues => ({
      iteration,
      slot: iteration,
      progress: iteration / (of - 1),
      correction1: 1 - 0.9 ** (iteration + 1),
      correction2: 1 - 0.999 ** (iteration + 1),
    }),
  );
  const out = await runPasses(
    {
      ...buffers,
      grads: 4 * S * stride,
      square_sums: 4 * S * roundUp(normBlocks(stride), 64),
      stats: new Uint8Array(S * layouts.stats.bytes),
      history: iterations * S * layouts.stats.bytes,
      networks: packArray(layouts.network, records),
      moment1: new Float32Array(S * stride),
      moment2: new Float32Array(S * stride),
      recurrent_t: transposeRecurrent(shape, model.layout, weights),
    },
    passes,
    clocks,
  );
  const network = (name: string, s: number) => out.f32(name).subarray(s * stride, (s + 1) * stride);
  const field = (buffer: string, name: string, at: number) =>
    readField(layouts.stats, out.u32(buffer).buffer as ArrayBuffer, name)[at] as number;
  return { buffers, model, out, network, field, n, count };
}

type Optimised = Awaited<ReturnType<typeof optimise>>;

/** The gradient that the slices add up to, in float64: the encoder has one sum per block of rows. */
function gradientOf({ buffers, model, count }: Optimised, s: number, slices = SLICES): ReferenceTensors {
  const { stride, slices: layout } = model.layout;
  const sum = new Float64Array(stride);
  for (let i = 0; i < count; i++) {
    for (let at = 0; at < stride; at++) {
      if (at >= layout.W_enc.offset && i % slices.timeBlocks > 0) continue;
      sum[at] = (sum[at] as number) + (buffers.partials[((s - GROUP.network0) * count + i) * stride + at] as number);
    }
  }
  return referenceTensors(model.shape, (name, length) => {
    const slice = layout[name];
    return Float64Array.from({ length }, (_, i) => {
      const [row, column] = [Math.floor(i / slice.shape[1]), i % slice.shape[1]];
      return sum[slice.offset + row * slice.paddedShape[1] + column] as number;
    });
  });
}

/** Largest error of a flat vector of the device, of the reference's root mean square; padding must be 0. */
function flatError(run: Optimised, device: Float32Array, exact: ReferenceTensors): number {
  const { layout } = run.model;
  const own = unpackParameters(layout, device);
  const padding = packParameters(layout, own);
  expect(
    device.findIndex((x, i) => x !== padding[i] && !Object.is(x, Number.NaN)),
    "padding is 0",
  ).toBe(-1);
  let [most, squares, elements] = [0, 0, 0];
  for (const name of TENSOR_NAMES) {
    const reference = exact[name];
    const w = worst(reference.length, (i) => Math.abs((own[name][i] as number) - (reference[i] as number)));
    most = Math.max(most, w.error);
    for (const x of reference) squares += x * x;
    elements += reference.length;
  }
  return most / Math.sqrt(squares / elements);
}

const MEMBERS = [1, 2];

test("the gradient is the sum of its slices, and its norm that of all parameters", async () => {
  const run = await optimise();
  for (const s of MEMBERS) {
    const exact = gradientOf(run, s);
    // Twelve terms, twelve roundings.
    within(`network ${s}: gradient`, flatError(run, run.network("grads", s), exact), 12 * 2 ** -24 * 4);
    const norm = gradNormReference(exact);
    within(`network ${s}: norm, relative`, Math.abs(run.field("stats", "norm", s) / norm - 1), 1e-6);
  }
});

test("the loss is the sum of its steps and rows", async () => {
  const run = await optimise();
  for (const s of MEMBERS) {
    const rows = run.buffers.loss_rows.subarray(s * STEPS * ROWS, (s + 1) * STEPS * ROWS);
    const loss = rows.reduce((sum, x) => sum + x, 0);
    within(`network ${s}: loss, relative`, Math.abs(run.field("stats", "loss", s) / loss - 1), 1e-6);
    expect(run.field("stats", "status", s)).toBe(0);
  }
});

// N = 512: more than the 256 blocks that one workgroup adds at once. N = 247: sums fill their 64 places to the last.
test.each([
  [512, 264],
  [247, 64],
])("N = %i, a vector of %i blocks, launched in two dimensions", async (units, blocks) => {
  const shape = { ...SHAPE, units };
  const slices = { rowBlock: 32, rowBlocks: 1, timeBlock: 7, timeBlocks: 1 };
  const flat = await optimise({ shape, slices });
  expect(normBlocks(flat.model.layout.stride)).toBe(blocks);
  const norm = gradNormReference(gradientOf(flat, 1, slices));
  within("norm, relative", Math.abs(flat.field("stats", "norm", 1) / norm - 1), 1e-6);
  const spread = await optimise({
    shape,
    slices,
    launch: (p) =>
      p.kind === "dispatch" && p.kernel !== "optim/network_stats"
        ? { ...p, groups: [Math.ceil(p.groups[0] / 3), 3, p.groups[2]] }
        : p,
  });
  for (const name of ["grads", "weights", "moment1", "moment2", "recurrent_t"]) {
    expectSameBits(name, spread.out.f32(name), flat.out.f32(name));
  }
  expect(spread.field("stats", "norm", 1)).toBe(flat.field("stats", "norm", 1));
});

describe.each([
  // The norm is near 3: with a clip of 1 at work, of 100 not, and none.
  ["clipped", 1, 1],
  ["below the clip", 100, 1],
  ["no clip", 0, 1],
  // √v of about 1e-8 makes ε count.
  ["tiny gradients", 0, 1e-7],
])("Adam, %s", (_, clipNorm, size) => {
  test("five iterations are the reference's, W_recᵀ included, and no other network is touched", async () => {
    const iterations = 5;
    const run = await optimise({ clipNorm, size, iterations });
    const { model, n, buffers } = run;
    for (const s of MEMBERS) {
      const weights = widenTensors(
        unpackParameters(
          model.layout,
          buffers.weights.subarray(s * model.layout.stride, (s + 1) * model.layout.stride),
        ),
      );
      const moments = { m: referenceTensors(SHAPE), v: referenceTensors(SHAPE) };
      const start = referenceTensors(SHAPE, (name) => weights[name].slice());
      const grads = gradientOf(run, s);
      let factor = 0;
      for (let iteration = 0; iteration < iterations; iteration++) {
        const [first, last] = RATES[s] as readonly [number, number];
        const learningRate = learningRateReference(iteration, 10, first, last);
        ({ factor } = clipAndAdamReference(weights, grads, moments, { iteration, learningRate, clipNorm }));
      }
      // Moments: an f32 sum of 12 terms squared, and five steps. Weights: their change alone, as they are large beside it
      // and rounded to their own last place.
      within(`network ${s}: first moment`, flatError(run, run.network("moment1", s), moments.m), 1e-5);
      within(`network ${s}: second moment`, flatError(run, run.network("moment2", s), moments.v), 1e-5);
      const own = unpackParameters(model.layout, run.network("weights", s));
      let [moved, most] = [0, 0];
      for (const name of TENSOR_NAMES) {
        own[name].forEach((w, i) => {
          most = Math.max(most, Math.abs(w - (weights[name][i] as number)));
          moved = Math.max(moved, Math.abs((weights[name][i] as number) - (start[name][i] as number)));
        });
      }
      // Five steps of about the learning rate; each weight below 4 is rounded to 1.2e-7 five times.
      expect(moved).toBeGreaterThan(1e-3 * 2);
      within(`network ${s}: weights`, most, 5 * 2 ** -23);
      expect(factor < 1).toBe(clipNorm === 1);
      within(`network ${s}: clip, relative`, Math.abs(run.field("stats", "clip", s) / factor - 1), 1e-6);
      const transposed = transposeRecurrent(SHAPE, model.layout, run.network("weights", s));
      expectSameBits("W_recᵀ", run.out.f32("recurrent_t").subarray(s * n * n, (s + 1) * n * n), transposed);
      for (let i = 0; i < iterations; i++) {
        expect(run.field("history", "loss", i * S + s), `history of iteration ${i}`).toBe(
          run.field("stats", "loss", s),
        );
        expect(run.field("history", "status", i * S + s)).toBe(0);
      }
    }
    for (const s of [0, 3]) {
      const { stride } = model.layout;
      expectSameBits(
        `weights of ${s}`,
        run.network("weights", s),
        buffers.weights.subarray(s * stride, (s + 1) * stride),
      );
      expect(new Uint32Array(run.network("grads", s).slice().buffer).every((w) => w === POISON)).toBe(true);
      expect(run.field("stats", "loss", s)).toBe(0);
    }
  });
});

describe("a network that is not finite", () => {
  const sound = optimise({ iterations: 3, clipNorm: 1 });
  const at = (run: { model: Optimised["model"] }, s: number) => s * run.model.layout.stride;

  async function expectStopped(what: string, run: Optimised, iteration: number, bad: number): Promise<void> {
    const other = await sound;
    expect(run.field("stats", "status", 1), what).toBe(iteration + 1);
    expect(run.field("stats", "bad", 1), what).toBe(bad);
    expect(run.field("history", "status", iteration * S + 1)).toBe(iteration + 1);
    // It keeps the weights it had.
    expectSameBits(what, run.network("weights", 1), run.buffers.weights.subarray(at(run, 1), at(run, 2)));
    expect(run.network("moment1", 1).every((x) => x === 0)).toBe(true);
    // Its neighbour never notices.
    for (const name of ["weights", "moment1", "moment2", "grads"]) {
      expectSameBits(`${what}: neighbour's ${name}`, run.network(name, 2), other.network(name, 2));
    }
    expect(run.field("stats", "status", 2)).toBe(0);
    // The host reads `bad` before the next iteration fills it.
    expect([...run.out.u32("bad").subarray(1, 3)]).toEqual([0xffffffff, 0xffffffff]);
  }

  test("in its loss", async () => {
    const run = await optimise({
      iterations: 3,
      clipNorm: 1,
      change: ({ loss_rows, bad }) => {
        loss_rows[STEPS * ROWS + 5] = Number.NaN;
        bad[1] = 37;
      },
    });
    await expectStopped("NaN", run, 0, 37);
    // A network once stopped stays so, and says when and where it was.
    expect(run.field("history", "status", 2 * S + 1)).toBe(1);
    expect(run.field("history", "bad", 2 * S + 1)).toBe(37);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 3e38])("in its gradient: %d", async (value) => {
    // 3e38 is finite, its square is not.
    const run = await optimise({
      iterations: 3,
      clipNorm: 1,
      change: ({ partials }) => {
        // In the second slice of the group's first network.
        partials[modelOf(SHAPE).layout.stride + 3] = value;
      },
    });
    await expectStopped(`${value}`, run, 0, 0xffffffff);
  });
});

test("one iteration in all trains at the first learning rate", async () => {
  const run = await optimise({ iterations: 1, of: Number.POSITIVE_INFINITY });
  expect(NO_CLOCK.progress).toBe(0);
  const before = run.buffers.weights.subarray(run.model.layout.stride, 2 * run.model.layout.stride);
  const grads = run.network("grads", 1);
  const moved = worst(before.length, (i) => {
    const step = Math.abs((run.network("weights", 1)[i] as number) - (before[i] as number));
    return Math.abs(grads[i] as number) > 1e-3 ? Math.abs(step / RATES[1][0] - 1) : 0;
  });
  // Adam's first step is lr · g/(|g| + ε): the learning rate to the rounding of a weight of order 1.
  within("step over learning rate", moved.error, 2 ** -23 / RATES[1][0]);
});
