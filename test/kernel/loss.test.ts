/** rnn/loss_mse and loss_code: the loss of every step and row, its gradient at the readout, and which value was not finite first. */
import { describe, expect, test } from "vitest";
import { codeTune, codeUniform, type Population, TUNINGS } from "../../src/code/population.ts";
import { POISON } from "../../src/gpu/context.ts";
import { lossLanes } from "../../src/kernels/batch.ts";
import { lossMseReference } from "../../src/reference/loss-mse.ts";
import { ratesReference } from "../../src/reference/place-code.ts";
import { expectSameBits, normals } from "../bits.ts";
import { gpuHygiene } from "../gpu.ts";
import { runKernel, within, worst } from "./run-kernel.ts";

gpuHygiene();

// Two networks, the second and third of four; B = 37 of 64 padded rows, of which the chunk holds the second half: 5 rows.
const [T, N, O] = [6, 5, 3];
const [N4, O4] = [2, 1];
const GROUP = { network0: 1, networks: 2 };
const [BATCH, BATCH_ROWS, ROW0, ROWS] = [37, 64, 32, 32];
const VALID = BATCH - ROW0;
const R = GROUP.networks * ROWS;
const STRIDE = 4 * Math.ceil((R * O) / 4) + 8;
const L2 = 0.3;

const draw = normals(3);
const STATES = draw((T + 1) * R * 4 * N4).map((x, at) => (at % (4 * N4) < N ? x : 0));
const Y = draw(T * R * 4 * O4);
const GOAL = draw(T * STRIDE);

/** 1: a weight for each step and row; 2: one for each readout of it. */
const WEIGHTED = [1, 2] as const;
const weightStride = (width: number): number => R * width + 3;
// None, some and a lot of weight.
const WEIGHTS = draw(T * weightStride(O)).map((x) => Math.max(0, x));

const isValid = (row: number): boolean => row % ROWS < VALID;
const scale = 1 / (T * BATCH);

interface Window {
  readonly t0: number;
  readonly steps: number;
}

/** A window of the loss; buffers are bound from its first slot on, as the planner does. */
async function lossOf(
  w: Window,
  own: {
    y?: Float32Array<ArrayBuffer>;
    l2?: number;
    bad?: Uint32Array<ArrayBuffer>;
    groups?: [number, number, number];
    weighted?: (typeof WEIGHTED)[number] | 0;
  } = {},
) {
  const { y = Y, l2 = L2, bad = new Uint32Array(4).fill(0xffffffff), weighted = 0 } = own;
  const width = weighted === 1 ? 1 : O;
  const stride = weighted === 0 ? 0 : weightStride(width);
  const slot = R * 4 * O4;
  const out = await runKernel({
    kernel: "rnn/loss_mse",
    tune: { WEIGHTED: weighted },
    uniforms: {
      window: windowOf(w),
      loss: {
        target_width: O,
        target_stride: STRIDE,
        weight_width: width,
        weight_stride: stride,
        output_scale: scale / O,
        activity_scale: (l2 * scale) / N,
        batch_rows: BATCH_ROWS,
        row0: ROW0,
      },
    },
    bind: {
      rows: Array.from({ length: R }, (_, row) => ({ valid: isValid(row) ? 1 : 0 })),
      y: y.slice(w.t0 * slot, (w.t0 + w.steps) * slot),
      goal: GOAL.slice(w.t0 * STRIDE, (w.t0 + w.steps) * STRIDE),
      weights:
        stride === 0 ? new Float32Array(4).fill(Number.NaN) : WEIGHTS.slice(w.t0 * stride, (w.t0 + w.steps) * stride),
      states: STATES.slice(w.t0 * R * 4 * N4, (w.t0 + w.steps + 1) * R * 4 * N4),
      loss_rows: 4 * GROUP.networks * T * BATCH_ROWS,
      bad,
    },
    groups: own.groups ?? [Math.ceil((w.steps * R) / 64), 1, 1],
  });
  return { d: out.f32("y"), lossRows: out.f32("loss_rows"), bad: out.u32("bad") };
}

const windowOf = ({ t0, steps }: Window, outputs = O) => ({
  rows: R,
  rows_per_network: ROWS,
  network0: GROUP.network0,
  t0,
  steps,
  total_steps: T,
  units: N,
  unit_quads: N4,
  inputs: 1,
  outputs,
  output_quads: Math.ceil(outputs / 4),
  encoder_inputs: 1,
  weight_stride: 64,
  at_rec: 0,
  at_in: 0,
  at_b: 0,
  at_out: 0,
  at_b_out: 0,
  at_enc: 0,
  at_b_enc: 0,
  input_stride: 0,
  phi_stride: 0,
  extra_stride: 0,
  root_seed: 0,
  stream: 0,
  clocked: 0,
  slope: 0,
});

/** The reference's loss of one (step, row): that row alone, scaled to its share of the batch. */
function exact(t: number, row: number, l2: number) {
  const { loss, d } = lossMseReference({
    y: Float64Array.from(Y.subarray((t * R + row) * 4 * O4, (t * R + row) * 4 * O4 + O)),
    target: Float64Array.from(GOAL.subarray(t * STRIDE + row * O, t * STRIDE + (row + 1) * O)),
    // Slot 0 does not count.
    r: Float64Array.of(
      ...new Float64Array(N),
      ...STATES.subarray(((t + 1) * R + row) * 4 * N4, ((t + 1) * R + row) * 4 * N4 + N),
    ),
    T: 1,
    B: 1,
    N,
    O,
    l2Activity: l2,
  });
  return { loss: loss * scale, d: d.map((x) => x * scale) };
}

const WHOLE = { t0: 0, steps: T };

describe.each([L2, 0])("l2Activity = %f", (l2) => {
  test("loss rows and d are the twin's; padding gives 0; nothing else is written", async () => {
    const { d, lossRows, bad } = await lossOf(WHOLE, { l2 });
    const at = (t: number, row: number) => (Math.floor(row / ROWS) * T + t) * BATCH_ROWS + ROW0 + (row % ROWS);
    // A sum of 8 squares of order 1 and a few products: some roundings of 6e-8 of the value.
    const loss = worst(T * R, (i) => {
      const [t, row] = [Math.floor(i / R), i % R];
      const got = lossRows[at(t, row)] as number;
      const value = isValid(row) ? exact(t, row, l2).loss : 0;
      // Padded rows have no readout, but their states would count: they are 0 on the device, not here.
      if (!isValid(row)) return l2 === 0 ? got : 0;
      return Math.abs(got - value) / value;
    });
    within("loss of a row, relative", loss.error, 1e-6);
    const gradient = worst(T * R * 4, (i) => {
      const [t, row, o] = [Math.floor(i / (4 * R)), Math.floor(i / 4) % R, i % 4];
      const value = isValid(row) && o < O ? (exact(t, row, l2).d[o] as number) : 0;
      return Math.abs((d[i] as number) - value);
    });
    // d is of order 1e-3, from a difference of numbers of order 1 times 2/(T B O).
    within("d", gradient.error, 8 * 2 ** -24 * 2 * (scale / O));
    const written = new Set(Array.from({ length: T * R }, (_, i) => at(Math.floor(i / R), i % R)));
    const words = new Uint32Array(lossRows.buffer);
    expect(words.findIndex((word, i) => (word === POISON) === written.has(i))).toBe(-1);
    expect([...bad]).toEqual(Array(4).fill(0xffffffff));
  });
});

test.each(WEIGHTED)(
  "weights of kind %i: loss and d are the twin's, and two windows have the bits of one",
  async (weighted) => {
    const whole = await lossOf(WHOLE, { l2: 0, weighted });
    const width = weighted === 1 ? 1 : O;
    const stride = weightStride(width);
    const twin = (t: number, row: number) =>
      lossMseReference({
        y: Float64Array.from(Y.subarray((t * R + row) * 4 * O4, (t * R + row) * 4 * O4 + O)),
        target: Float64Array.from(GOAL.subarray(t * STRIDE + row * O, t * STRIDE + (row + 1) * O)),
        weights: Float64Array.from({ length: O }, (_, o) => WEIGHTS[t * stride + row * width + (o % width)] as number),
        r: new Float64Array(2 * N),
        ...{ T: 1, B: 1, N, O, l2Activity: 0 },
      });
    const gradient = worst(T * R * 4, (i) => {
      const [t, row, o] = [Math.floor(i / (4 * R)), Math.floor(i / 4) % R, i % 4];
      const value = isValid(row) && o < O ? (twin(t, row).d[o] as number) * scale : 0;
      return Math.abs((whole.d[i] as number) - value);
    });
    // As without weights, which are at most 4.
    within("d", gradient.error, 4 * 8 * 2 ** -24 * 2 * (scale / O));
    const loss = worst(T * R, (i) => {
      const [t, row] = [Math.floor(i / R), i % R];
      const got = whole.lossRows[(Math.floor(row / ROWS) * T + t) * BATCH_ROWS + ROW0 + (row % ROWS)] as number;
      const value = isValid(row) ? twin(t, row).loss * scale : 0;
      return value === 0 ? Math.abs(got) : Math.abs(got - value) / value;
    });
    within("loss of a row, relative", loss.error, 1e-6);
    const slot = R * 4 * O4;
    const part = await lossOf({ t0: 2, steps: 4 }, { l2: 0, weighted });
    expectSameBits("a window's d", part.d, whole.d.subarray(2 * slot, 6 * slot));
  },
);

test("a launch in two dimensions does the same", async () => {
  const [flat, spread] = [await lossOf(WHOLE), await lossOf(WHOLE, { groups: [3, 3, 1] })];
  expectSameBits("d", spread.d, flat.d);
  expectSameBits("loss", spread.lossRows, flat.lossRows);
});

test("two windows have the bits of one", async () => {
  const whole = await lossOf(WHOLE);
  for (const w of [
    { t0: 0, steps: 2 },
    { t0: 2, steps: 4 },
  ]) {
    const part = await lossOf(w);
    const slot = R * 4 * O4;
    expectSameBits("d", part.d, whole.d.subarray(w.t0 * slot, (w.t0 + w.steps) * slot));
    for (let s = 0; s < GROUP.networks; s++) {
      const from = (s * T + w.t0) * BATCH_ROWS + ROW0;
      const to = from + BATCH_ROWS * (w.steps - 1) + ROWS;
      const [got, expected] = [part.lossRows.subarray(from, to), whole.lossRows.subarray(from, to)];
      expectSameBits(`network ${s}`, got, expected);
    }
  }
});

describe("a readout that is not finite", () => {
  const at = (t: number, row: number, o: number) => (t * R + row) * 4 * O4 + o;
  const badOf = async (places: readonly (readonly [number, number, number, number])[], w: Window = WHOLE) => {
    const y = Y.slice();
    for (const [t, row, o, value] of places) y[at(t, row, o)] = value;
    return (await lossOf(w, { y })).bad;
  };
  const first = (t: number, row: number): number => t * BATCH_ROWS + ROW0 + (row % ROWS);
  const none = 0xffffffff;

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38])("%d is noticed", async (value) => {
    // 3e38 is finite, its square is not.
    expect([...(await badOf([[3, 2, 1, value]]))]).toEqual([none, first(3, 2), none, none]);
  });

  test("the smallest step counts, then the smallest row, for each network by itself", async () => {
    const places = [
      [4, 0, 0, Number.NaN],
      [2, 3, 2, Number.NaN],
      [2, 1, 0, Number.POSITIVE_INFINITY],
      [1, ROWS + 4, 1, Number.NaN],
    ] as const;
    expect([...(await badOf(places))]).toEqual([none, first(2, 1), first(1, ROWS + 4), none]);
    // In a later window, time is still absolute.
    expect([...(await badOf(places, { t0: 2, steps: 4 }))]).toEqual([none, first(2, 1), none, none]);
  });

  test("padding is not looked at", async () => {
    expect([
      ...(await badOf([
        [0, 0, 3, Number.NaN],
        [0, VALID, 0, Number.NaN],
      ])),
    ]).toEqual([none, none, none, none]);
  });
});

describe.each(TUNINGS)("targets are the %s code of the position", (tuning) => {
  test.each([17, 130])("%i cells", async (cells) => {
    const at = draw(2 * cells);
    const population: Population = {
      centres: Array.from({ length: cells }, (_, i) => [at[2 * i] as number, at[2 * i + 1] as number] as const),
      width: 0.4,
      tuning,
    };
    const o4 = Math.ceil(cells / 4);
    const y = draw(T * R * 4 * o4);
    const positions = draw((T + 1) * R * 2);
    const norms = new Float32Array((T + 1) * R * 2);
    const rates = Array.from({ length: (T + 1) * R }, (_, i) => {
      const [px, py] = [positions[2 * i] as number, positions[2 * i + 1] as number];
      const nearest = Math.max(...population.centres.map(([x, y]) => -((px - x) ** 2 + (py - y) ** 2) / 0.32));
      const sum = population.centres.reduce(
        (s, [x, y]) => s + Math.exp(-((px - x) ** 2 + (py - y) ** 2) / 0.32 - nearest),
        0,
      );
      norms.set([nearest, 1 / sum], 2 * i);
      return ratesReference(population, px, py);
    });
    const run = async (w: Window) => {
      const lanes = lossLanes(cells);
      const out = await runKernel({
        kernel: "rnn/loss_code",
        tune: { ...codeTune(population), LANES: lanes, ACTIVITY_ON: 0 },
        uniforms: {
          window: windowOf(w, cells),
          loss: {
            target_width: 0,
            target_stride: 0,
            weight_width: 0,
            weight_stride: 0,
            output_scale: scale / cells,
            activity_scale: 0,
            batch_rows: BATCH_ROWS,
            row0: ROW0,
          },
          code: codeUniform(population),
        },
        bind: {
          rows: Array.from({ length: R }, (_, row) => ({ valid: isValid(row) ? 1 : 0 })),
          y: y.slice(w.t0 * R * 4 * o4, (w.t0 + w.steps) * R * 4 * o4),
          positions: positions.slice((w.t0 + 1) * R * 2, (w.t0 + w.steps + 1) * R * 2),
          norms: norms.slice((w.t0 + 1) * R * 2, (w.t0 + w.steps + 1) * R * 2),
          states: STATES,
          loss_rows: 4 * GROUP.networks * T * BATCH_ROWS,
          bad: new Uint32Array(4).fill(0xffffffff),
        },
        groups: [Math.ceil((w.steps * R * lanes) / 64), 1, 1],
      });
      return { d: out.f32("y"), lossRows: out.f32("loss_rows") };
    };
    const whole = await run(WHOLE);
    const errors = Array.from({ length: T * R }, (_, i) => {
      const own = y.subarray(i * 4 * o4, i * 4 * o4 + cells);
      return Float64Array.from(own, (v, o) => (isValid(i % R) ? v - (rates[i + R]?.[o] as number) : 0));
    });
    const gradient = worst(T * R * 4 * o4, (i) => {
      const exact = ((errors[Math.floor(i / (4 * o4))]?.[i % (4 * o4)] ?? 0) * 2 * scale) / cells;
      return Math.abs((whole.d[i] as number) - exact);
    });
    // A difference of numbers up to 4, of which the rate is known to 1e-6.
    within("d", gradient.error, 2e-6 * 2 * (scale / cells));
    const loss = worst(T * R, (i) => {
      const [t, row] = [Math.floor(i / R), i % R];
      const got = whole.lossRows[(Math.floor(row / ROWS) * T + t) * BATCH_ROWS + ROW0 + (row % ROWS)] as number;
      const exact = ((errors[i]?.reduce((s, e) => s + e * e, 0) ?? 0) * scale) / cells;
      return exact === 0 ? Math.abs(got) : Math.abs(got - exact) / exact;
    });
    within("loss of a row, relative", loss.error, 2e-6);
    const part = await run({ t0: 2, steps: 3 });
    const slot = R * 4 * o4;
    expectSameBits("a window's d", part.d, whole.d.subarray(2 * slot, 5 * slot));
  });
});
