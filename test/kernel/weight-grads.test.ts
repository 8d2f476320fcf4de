/**
 * rnn/weight_grads_tile and rnn/weight_grads_lanes: every slice's sum in its own slot, for the three products of the
 * gradient, over chunks of rows and windows of steps.
 */
import { describe, expect, test } from "vitest";
import { POISON } from "../../src/gpu/context.ts";
import type { DispatchPass } from "../../src/gpu/plan.ts";
import { encoderGrads, readoutGrads, recurrentGrads } from "../../src/kernels/gradients.ts";
import { type Chunk, chunkRows } from "../../src/kernels/recurrence.ts";
import { modelSpec, type RolloutSpec, slots } from "../../src/kernels/spec.ts";
import {
  type NetworkShape,
  packParameters,
  roundUp,
  TENSOR_NAMES,
  type TensorName,
} from "../../src/model/parameters.ts";
import { slicing } from "../../src/model/slicing.ts";
import { weightGradsReference } from "../../src/reference/weight-grads.ts";
import { differ, expectSameBits, normals } from "../bits.ts";
import { gpuHygiene } from "../gpu.ts";
import { within } from "./run-kernel.ts";
import { runPasses } from "./run-passes.ts";

gpuHygiene();

/** 96 rows of each of two networks make three blocks, eleven steps six blocks, the last of one step. */
const [T, BATCH_ROWS, NETWORKS] = [11, 96, 2];

function setting(shape: NetworkShape, kind: RolloutSpec["kind"]) {
  const model = modelSpec({ shape, activation: "identity", slope: 0, rootSeed: 0, noiseRounds: 7 });
  const rollout: RolloutSpec = {
    model,
    kind,
    steps: T,
    noise: "none",
    stream: 0,
    clocked: false,
    extra: false,
    extraHistory: false,
    adjoint: true,
    inputs: shape.inputs,
  };
  return { model, rollout, sl: slicing(BATCH_ROWS, T, model.layout.stride) };
}

/** Rows 0–63 of both networks, then 64–95: chunk borders fall on block borders. */
const CHUNKS: readonly Chunk[] = [
  { network0: 0, networks: NETWORKS, row0: 0, rowsPerNetwork: 64, table: "rows" },
  { network0: 0, networks: NETWORKS, row0: 64, rowsPerNetwork: 32, table: "rows" },
];

/** Contents of the whole batch, network by network: (T, 96, …), padded columns 0. */
function contents(shape: NetworkShape) {
  const n = roundUp(shape.units, 4);
  const o = roundUp(shape.outputs, 4);
  const draw = normals(shape.units * 41 + shape.outputs);
  const padded = (count: number, width: number, columns: number) =>
    draw(count * BATCH_ROWS * width).map((x, at) => (at % width < columns ? x : 0));
  return Array.from({ length: NETWORKS }, () => ({
    ga: padded(T, n, shape.units),
    r: padded(T + 1, n, shape.units),
    d: padded(T, o, shape.outputs),
    u: draw(T * BATCH_ROWS * shape.inputs),
    gr0: padded(1, n, shape.units),
    e0: draw(BATCH_ROWS * shape.encoderInputs),
  }));
}

type Contents = ReturnType<typeof contents>;

/** The rows of a chunk in device order: (count, network, row, width), slots `stride` floats apart. */
function chunkOf(
  of: (network: Contents[number]) => Float32Array,
  all: Contents,
  c: Chunk,
  count: number,
  width: number,
  stride: number,
) {
  const out = new Float32Array(count * stride);
  for (let t = 0; t < count; t++) {
    all.forEach((network, s) => {
      const from = (t * BATCH_ROWS + c.row0) * width;
      const own = of(network).subarray(from, from + c.rowsPerNetwork * width);
      out.set(own, t * stride + s * c.rowsPerNetwork * width);
    });
  }
  return out;
}

/** `partials` after both chunks; windows are cut at multiples of the blocks of steps. */
async function partialsOf(shape: NetworkShape, kind: RolloutSpec["kind"], cut: number): Promise<Float32Array> {
  const { model, rollout, sl } = setting(shape, kind);
  const all = contents(shape);
  const n = roundUp(shape.units, 4);
  const o = roundUp(shape.outputs, 4);
  const windows = [
    { t0: 0, steps: cut },
    { t0: cut, steps: T - cut },
  ].filter((w) => w.steps > 0);
  let partials: Float32Array<ArrayBuffer> | null = null;
  for (const c of CHUNKS) {
    const s = slots(rollout, chunkRows(c));
    const d = chunkOf((x) => x.d, all, c, T, o, s.output);
    const fixed = {
      states: chunkOf((x) => x.r, all, c, T + 1, n, s.state),
      du: chunkOf((x) => x.ga, all, c, T, n, s.state),
      input: chunkOf((x) => x.u, all, c, T, shape.inputs, s.input),
      carry: chunkOf((x) => x.gr0, all, c, 1, n, s.state),
      e0: chunkOf((x) => x.e0, all, c, 1, shape.encoderInputs, chunkRows(c) * shape.encoderInputs),
    };
    const run = async (y: Float32Array<ArrayBuffer>, passes: readonly DispatchPass[]): Promise<void> => {
      const size = 4 * NETWORKS * sl.rowBlocks * sl.timeBlocks * model.layout.stride;
      const out = await runPasses({ ...fixed, y, partials: partials ?? size }, passes);
      partials = out.f32("partials") as Float32Array<ArrayBuffer>;
    };
    for (const w of windows) {
      // The scratch holds d of the window alone.
      const own = d.slice(w.t0 * s.output, (w.t0 + w.steps) * s.output);
      await run(own, [...readoutGrads(rollout, c, w, sl), ...recurrentGrads(rollout, c, w, sl)]);
    }
    await run(d, encoderGrads(rollout, c, sl));
  }
  return partials ?? expect.unreachable();
}

/** Columns of a padded tensor that are not padding. */
function unpadded(x: Float32Array, width: number, columns: number): Float64Array {
  return Float64Array.from(x.filter((_, at) => at % width < columns));
}

/** The sums that belong into a slot, in float64, as a padded flat vector. */
function slotReference(shape: NetworkShape, all: Contents, network: number, rowBlock: number, timeBlock: number) {
  const { model, sl } = setting(shape, "step");
  const own = all[network] as Contents[number];
  const n = roundUp(shape.units, 4);
  const o = roundUp(shape.outputs, 4);
  const [row0, rows] = [rowBlock * sl.rowBlock, Math.min(sl.rowBlock, BATCH_ROWS - rowBlock * sl.rowBlock)];
  const [t0, steps] = [timeBlock * sl.timeBlock, Math.min(sl.timeBlock, T - timeBlock * sl.timeBlock)];
  const cut = (x: Float32Array, first: number, count: number, width: number, columns: number) => {
    const out = new Float32Array(count * rows * width);
    for (let t = 0; t < count; t++) {
      const from = ((first + t) * BATCH_ROWS + row0) * width;
      out.set(x.subarray(from, from + rows * width), t * rows * width);
    }
    return unpadded(out, width, columns);
  };
  const grads = weightGradsReference({
    shape,
    T: steps,
    B: rows,
    ga: cut(own.ga, t0, steps, n, shape.units),
    d: cut(own.d, t0, steps, o, shape.outputs),
    gr0: cut(own.gr0, 0, 1, n, shape.units),
    r: cut(own.r, t0, steps + 1, n, shape.units),
    u: cut(own.u, t0, steps, shape.inputs, shape.inputs),
    e0: timeBlock === 0 ? cut(own.e0, 0, 1, shape.encoderInputs, shape.encoderInputs) : null,
  });
  const single = Object.fromEntries(TENSOR_NAMES.map((name) => [name, Float32Array.from(grads[name])])) as Record<
    TensorName,
    Float32Array
  >;
  return packParameters(model.layout, single);
}

// More than 16 columns, a lone quad left over, and sizes that are no multiple of anything.
describe.each([
  { units: 5, inputs: 3, outputs: 2, encoderInputs: 1 },
  { units: 33, inputs: 2, outputs: 17, encoderInputs: 4 },
  { units: 12, inputs: 40, outputs: 40, encoderInputs: 13 },
])("N = $units, I = $inputs, O = $outputs, E = $encoderInputs", (shape) => {
  test("each slot holds the sums of its own rows and steps, padding 0, under either kernel the same bits", async () => {
    const { model, sl } = setting(shape, "step");
    expect(sl).toEqual({ rowBlock: 32, rowBlocks: 3, timeBlock: 2, timeBlocks: 6 });
    const tile = await partialsOf(shape, "step", T);
    expectSameBits("lanes against tile", await partialsOf(shape, "own-row", T), tile);
    expectSameBits("two windows against one", await partialsOf(shape, "step", 4), tile);
    expectSameBits("two windows, lanes", await partialsOf(shape, "own-row", 8), tile);

    const all = contents(shape);
    const { slices, stride } = model.layout;
    const words = new Uint32Array(tile.buffer);
    const end = Math.max(
      ...TENSOR_NAMES.map((k) => slices[k].offset + slices[k].paddedShape[0] * slices[k].paddedShape[1]),
    );
    let most = 0;
    for (let slot = 0; slot < NETWORKS * sl.rowBlocks * sl.timeBlocks; slot++) {
      const timeBlock = slot % sl.timeBlocks;
      const rowBlock = Math.floor(slot / sl.timeBlocks) % sl.rowBlocks;
      const network = Math.floor(slot / (sl.timeBlocks * sl.rowBlocks));
      const exact = slotReference(shape, all, network, rowBlock, timeBlock);
      for (let i = 0; i < stride; i++) {
        // The encoder has one sum per block of rows; the tail of the vector belongs to nobody.
        const unwritten = i >= end || (timeBlock > 0 && i >= slices.W_enc.offset);
        if (unwritten !== (words[slot * stride + i] === POISON)) expect.fail(`element ${i} of slot ${slot}`);
        if (!unwritten) most = Math.max(most, Math.abs((tile[slot * stride + i] as number) - (exact[i] as number)));
      }
    }
    // Chains of 64 products of order 1: sums of order 8, up to 40, with 64 roundings each; the worst of all slots.
    within("sums of 64 products", most, 64 * 2 ** -24 * 8);
  });
});

test("the comparison of bits notices a bit", () => {
  expect(differ(Float32Array.of(1, 0), Float32Array.of(1, -0))).toBe(true);
  expect(differ(Float32Array.of(1, Number.NaN), Float32Array.of(1, Number.NaN))).toBe(false);
});
