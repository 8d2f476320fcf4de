/** Passes that turn d and ga into weight gradients, clip them and take an Adam step. Pure. */
import type { FieldValues } from "../gpu/pack.ts";
import { type BufferView, type DispatchPass, spread } from "../gpu/plan.ts";
import { inputWidth, roundUp } from "../model/parameters.ts";
import type { Slicing } from "../model/slicing.ts";
import { tileQuads } from "./affine.ts";
import { type Chunk, chunkRows, groupView, slotView, type TimeWindow, UNUSED_READ } from "./recurrence.ts";
import { hasManyInputs, type ModelSpec, type RolloutSpec, slots } from "./spec.ts";

/** Partials of a group's networks: groups follow one another in the same buffer. */
function partialsView(sl: Slicing, stride: number, networks: number): BufferView {
  return { buffer: "partials", bytes: 4 * networks * sl.rowBlocks * sl.timeBlocks * stride };
}

interface Product {
  readonly label: string;
  readonly left: BufferView;
  readonly right: BufferView;
  readonly tail: BufferView;
  readonly map: FieldValues;
  /** Rows of the left matrix, ones included, in quads. */
  readonly leftQuads: number;
  /** Columns of the right matrix, in quads and without padding, and columns of the tail. */
  readonly rightQuads: number;
  readonly rightWidth: number;
  readonly tailWidth: number;
  /** Whether the left rows are also summed as they are: a column of ones. */
  readonly ones: boolean;
  /** Whether a matrix is stored as float16 (`shaders/lib/stored/`). */
  readonly leftF16?: boolean;
  readonly rightF16?: boolean;
  /** Of the sums; 1 unless the left matrix is scaled. */
  readonly scale?: number;
  /** Multiply-adds of one column, times 2. */
  readonly flopsPerColumn: number;
}

/** Columns of a launch (COLUMNS of `lib/weight_grads.wgsl`) and whether it sums the ones as well. */
interface Part {
  readonly columns: 0 | 1 | 2;
  readonly label: string;
  readonly quad0: number;
  readonly quads: number;
  /** Columns that are no padding. */
  readonly counted: number;
  readonly ones: boolean;
}

function product(r: RolloutSpec, c: Chunk, w: TimeWindow, sl: Slicing, timeBlocks: number, p: Product): DispatchPass[] {
  const own = r.kind === "own-row";
  const blocks = Math.ceil(c.rowsPerNetwork / sl.rowBlock);
  const launchBlocks = Math.ceil(w.steps / sl.timeBlock);
  const { stride } = r.model.layout;
  const launch = ({ columns, label, quad0, quads, counted, ones }: Part): DispatchPass => ({
    kind: "dispatch",
    label,
    kernel: own ? "rnn/weight_grads_lanes" : "rnn/weight_grads_tile",
    tune: {
      COLUMNS: columns,
      ...(p.leftF16 ? { LEFT_F16: 1 } : {}),
      ...(p.rightF16 ? { RIGHT_F16: 1 } : {}),
      ...(own ? { TILE_QUADS: tileQuads(quads), ONES: ones ? 1 : 0 } : {}),
    },
    bind: {
      left: p.left,
      right: p.right,
      tail: p.tail,
      partials: partialsView(sl, stride, c.networks),
    },
    uniforms: {
      grad: {
        rows: chunkRows(c),
        rows_per_network: c.rowsPerNetwork,
        row_block: sl.rowBlock,
        row_block0: c.row0 / sl.rowBlock,
        time_block: sl.timeBlock,
        time_block0: timeBlocks === 1 ? 0 : w.t0 / sl.timeBlock,
        time_blocks: sl.timeBlocks,
        slices: sl.rowBlocks * sl.timeBlocks,
        steps: w.steps,
        left_one: 0,
        right_quads: p.rightQuads,
        column_quad0: quad0,
        column_quads: quads,
        weight_stride: stride,
        at_main: 0,
        main_i: 0,
        main_j: 0,
        tail_width: p.tailWidth,
        tail_stride: 0,
        tail_one: columns === 0 && ones ? 1 : 0,
        at_tail: 0,
        scale: p.scale ?? 1,
        ...p.map,
      },
    },
    groups: [
      Math.ceil(p.leftQuads / 8),
      Math.ceil(quads / (own ? tileQuads(quads) : 8)),
      c.networks * blocks * launchBlocks,
    ],
    flops: p.flopsPerColumn * (counted + (ones ? 1 : 0)),
  });
  const { rightQuads, label } = p;
  const tail: Part = {
    columns: 2,
    label,
    quad0: rightQuads,
    quads: Math.ceil(p.tailWidth / 4),
    counted: p.tailWidth,
    ones: p.ones,
  };
  const main: Part = { columns: 1, label, quad0: 0, quads: rightQuads, counted: p.rightWidth, ones: p.ones };
  // Lanes load both matrices wherever a launch may need either, so it must know beforehand.
  if (own && rightQuads === 0) return [launch(tail)];
  if (own && p.tailWidth === 0) return [launch(main)];
  if (own) return [launch(main), launch({ ...tail, label: `${label}, inputs`, ones: false })];
  const quads = rightQuads + Math.ceil((p.tailWidth + (p.ones ? 1 : 0)) / 4);
  return [launch({ columns: 0, label, quad0: 0, quads, counted: p.rightWidth + p.tailWidth, ones: p.ones })];
}

/**
 * W_rec, W_in and b from ga, r and the inputs. `w` begins and ends on block borders; `input0` is the first slot of
 * `input`.
 */
export function recurrentGrads(r: RolloutSpec, c: Chunk, w: TimeWindow, sl: Slicing, input0 = w.t0): DispatchPass[] {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const { slices } = r.model.layout;
  const n = roundUp(r.model.shape.units, 4);
  const many = hasManyInputs(r);
  const tailWidth = many ? 0 : r.inputs;
  const left = slotView("du", s.stored, w.t0, w.steps);
  const f16 = r.stored === "f16";
  const scale = 1 / (r.gradientScale ?? 1);
  const flopsPerColumn = 2 * w.steps * rows * r.model.shape.units;
  const recurrent = product(r, c, w, sl, sl.timeBlocks, {
    label: "recurrent gradient",
    left,
    right: slotView("states", s.stored, w.t0, w.steps),
    tail: tailWidth > 0 ? slotView("input", s.input, input0, w.steps) : UNUSED_READ,
    map: {
      left_quads: n / 4,
      tail_stride: s.input,
      at_main: slices.W_rec.offset,
      main_i: n,
      main_j: 1,
      at_tail: slices.W_in.offset,
      at_one: slices.b.offset,
    },
    leftQuads: n / 4,
    rightQuads: n / 4,
    rightWidth: r.model.shape.units,
    tailWidth,
    ones: true,
    leftF16: f16,
    rightF16: f16,
    scale,
    flopsPerColumn,
  });
  if (!many) return recurrent;
  const inputs = product(r, c, w, sl, sl.timeBlocks, {
    label: "input gradient",
    left,
    right: slotView("input", s.input, input0, w.steps),
    tail: UNUSED_READ,
    map: { left_quads: n / 4, at_main: slices.W_in.offset, main_i: inputWidth(r.inputs), main_j: 1, at_one: 0 },
    leftQuads: n / 4,
    rightQuads: inputWidth(r.inputs) / 4,
    rightWidth: r.inputs,
    tailWidth: 0,
    ones: false,
    leftF16: f16,
    scale,
    flopsPerColumn,
  });
  return [...recurrent, ...inputs];
}

/** Quads of readouts from which on they are the left matrix: a tile of that has 8 quads, of columns it may have fewer. */
const WIDE_READOUT = 8;

/** W_out and b_out from d (in the scratch `y`) and r. */
export function readoutGrads(r: RolloutSpec, c: Chunk, w: TimeWindow, sl: Slicing): DispatchPass[] {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const { units, outputs } = r.model.shape;
  const { slices } = r.model.layout;
  const [n, o] = [roundUp(units, 4), roundUp(outputs, 4)];
  const states = slotView("states", s.stored, w.t0 + 1, w.steps);
  const d = slotView("y", s.output, 0, w.steps);
  const at = { at_main: slices.W_out.offset, at_one: slices.b_out.offset };
  const common = { label: "readout gradient", tail: UNUSED_READ, tailWidth: 0 };
  return product(
    r,
    c,
    w,
    sl,
    sl.timeBlocks,
    o / 4 >= WIDE_READOUT
      ? {
          ...common,
          left: d,
          rightF16: r.stored === "f16",
          right: states,
          map: { ...at, left_quads: o / 4, main_i: n, main_j: 1 },
          leftQuads: o / 4,
          rightQuads: n / 4,
          rightWidth: units,
          ones: true,
          flopsPerColumn: 2 * w.steps * rows * outputs,
        }
      : {
          ...common,
          left: states,
          leftF16: r.stored === "f16",
          right: d,
          map: { ...at, left_quads: n / 4, left_one: 1, main_i: 1, main_j: n },
          leftQuads: n / 4 + 1,
          rightQuads: o / 4,
          rightWidth: outputs,
          ones: false,
          flopsPerColumn: 2 * w.steps * rows * (units + 1),
        },
  );
}

/** W_enc and b_enc from G_r of r_0 (the beginning of `carry`) and e_0: one "step", summed over rows only. */
export function encoderGrads(r: RolloutSpec, c: Chunk, sl: Slicing): DispatchPass[] {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const { slices } = r.model.layout;
  const n = roundUp(r.model.shape.units, 4);
  const E = r.model.shape.encoderInputs;
  return product(r, c, { t0: 0, steps: 1 }, sl, 1, {
    label: "encoder gradient",
    left: slotView("carry", s.state, 0, 1),
    right: UNUSED_READ,
    tail: { buffer: "e0" },
    scale: 1 / (r.gradientScale ?? 1),
    map: { left_quads: n / 4, tail_stride: rows * E, at_tail: slices.W_enc.offset, at_one: slices.b_enc.offset },
    leftQuads: n / 4,
    rightQuads: 0,
    rightWidth: 0,
    tailWidth: E,
    ones: true,
    flopsPerColumn: 2 * rows * r.model.shape.units,
  });
}

/** Blocks of 1024 elements whose squares are summed together. */
export const normBlocks = (stride: number): number => Math.ceil(stride / 1024);

export interface Group {
  readonly network0: number;
  readonly networks: number;
}

/** Gradients of a group from its partials, and its loss, norm and status. */
export function reducePasses(
  model: ModelSpec,
  g: Group,
  networks: number,
  sl: Slicing,
  loss: { steps: number; rowsPerNetwork: number; clipNorm: number },
): DispatchPass[] {
  const { stride, slices } = model.layout;
  const blocks = normBlocks(stride);
  const chunk = { ...g, row0: 0, rowsPerNetwork: 0, table: "" };
  const [x, y] = spread(blocks);
  const sums = {
    buffer: "square_sums",
    offset: g.network0 * roundUp(blocks, 64) * 4,
    bytes: g.networks * roundUp(blocks, 64) * 4,
  };
  return [
    {
      kind: "dispatch",
      label: "reduce gradient",
      kernel: "optim/reduce_grads",
      bind: {
        partials: partialsView(sl, stride, g.networks),
        grads: groupView("grads", stride, chunk),
        square_sums: sums,
      },
      uniforms: {
        reduce: {
          weight_stride: stride,
          row_blocks: sl.rowBlocks,
          time_blocks: sl.timeBlocks,
          at_enc: slices.W_enc.offset,
          blocks: roundUp(blocks, 64),
        },
      },
      groups: [x, y, g.networks],
    },
    statsPass(g, networks, sums, roundUp(blocks, 64), blocks, loss),
  ];
}

/** The losses of a group, [networks][T][rows]; bindings begin at multiples of 256 bytes. */
export function lossView(g: Group, floatsPerNetwork: number): BufferView {
  return {
    buffer: "loss_rows",
    offset: g.network0 * roundUp(floatsPerNetwork, 64) * 4,
    bytes: g.networks * floatsPerNetwork * 4,
  };
}

/** Loss, norm and status of a group; without gradients `sums` is a stand-in and no blocks are read. */
export function statsPass(
  g: Group,
  networks: number,
  sums: BufferView,
  blockStride: number,
  blocks: number,
  loss: { steps: number; rowsPerNetwork: number; clipNorm: number },
): DispatchPass {
  return {
    kind: "dispatch",
    label: "network stats",
    kernel: "optim/network_stats",
    bind: {
      loss_rows: lossView(g, loss.steps * loss.rowsPerNetwork),
      square_sums: sums,
      bad: { buffer: "bad" },
      stats: { buffer: "stats" },
      history: { buffer: "history" },
    },
    uniforms: {
      gather: {
        networks,
        network0: g.network0,
        steps: loss.steps,
        rows_per_network: loss.rowsPerNetwork,
        blocks,
        block_stride: blockStride,
        clip_norm: loss.clipNorm,
      },
    },
    groups: [g.networks, 1, 1],
  };
}

export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export function adamPass(model: ModelSpec, g: Group): DispatchPass {
  const { stride, slices } = model.layout;
  const n = roundUp(model.shape.units, 4);
  const chunk = { ...g, row0: 0, rowsPerNetwork: 0, table: "" };
  const [x, y] = spread(Math.ceil(stride / 256));
  const of = (buffer: string) => groupView(buffer, stride, chunk);
  return {
    kind: "dispatch",
    label: "adam",
    kernel: "optim/adam",
    bind: {
      networks: { buffer: "networks" },
      stats: { buffer: "stats" },
      grads: of("grads"),
      weights: of("weights"),
      moment1: of("moment1"),
      moment2: of("moment2"),
      recurrent_t: groupView("recurrent_t", n * n, chunk),
    },
    uniforms: {
      adam: {
        network0: g.network0,
        weight_stride: stride,
        padded_units: n,
        at_rec: slices.W_rec.offset,
        ...ADAM,
        rest1: 1 - ADAM.beta1,
        rest2: 1 - ADAM.beta2,
      },
    },
    groups: [x, y, g.networks],
  };
}
