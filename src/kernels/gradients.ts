/** Passes that turn d and ga into weight gradients, clip them and take an Adam step. Pure. */
import type { FieldValues } from "../gpu/pack.ts";
import { type BufferView, type DispatchPass, spread } from "../gpu/plan.ts";
import { roundUp } from "../model/parameters.ts";
import type { Slicing } from "../model/slicing.ts";
import { type Chunk, chunkRows, groupView, slotView, type TimeWindow, tileQuads, UNUSED_READ } from "./recurrence.ts";
import { type ModelSpec, type RolloutSpec, slots } from "./spec.ts";

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
  /** Rows of the left matrix, ones included, in quads; columns of [right | tail | 1], in quads. */
  readonly leftQuads: number;
  readonly columnQuads: number;
  readonly flops: number;
}

const NO_TAIL = { tail_width: 0, tail_stride: 0, tail_one: 0, at_tail: 0 };

function product(r: RolloutSpec, c: Chunk, w: TimeWindow, sl: Slicing, timeBlocks: number, p: Product): DispatchPass[] {
  const own = r.kind === "own-row";
  const blocks = Math.ceil(c.rowsPerNetwork / sl.rowBlock);
  const launchBlocks = Math.ceil(w.steps / sl.timeBlock);
  const { stride } = r.model.layout;
  const launch = (label: string, quad0: number, quads: number, tile: number): DispatchPass => ({
    kind: "dispatch",
    label,
    kernel: own ? "rnn/weight_grads_lanes" : "rnn/weight_grads_tile",
    ...(own ? { tune: { TILE_QUADS: tile } } : {}),
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
        right_quads: 0,
        column_quad0: quad0,
        column_quads: quads,
        weight_stride: stride,
        at_main: 0,
        main_i: 0,
        main_j: 0,
        ...NO_TAIL,
        ...p.map,
      },
    },
    groups: [Math.ceil(p.leftQuads / 8), Math.ceil(quads / (own ? tile : 8)), c.networks * blocks * launchBlocks],
    flops: (p.flops * quads) / p.columnQuads,
  });
  if (!own || p.columnQuads <= 4) return [launch(p.label, 0, p.columnQuads, tileQuads(p.columnQuads))];
  // Whole tiles of four quads first, then what is left over: a lone quad would waste three quarters of a tile.
  const whole = Math.floor(p.columnQuads / 4) * 4;
  const rest = p.columnQuads - whole;
  const main = launch(p.label, 0, rest > 1 ? p.columnQuads : whole, 4);
  return rest === 1 ? [main, launch(`${p.label}, rest`, whole, 1, 1)] : [main];
}

/** W_rec, W_in and b from ga, r and the inputs. `w` begins and ends on block borders. */
export function recurrentGrads(r: RolloutSpec, c: Chunk, w: TimeWindow, sl: Slicing): DispatchPass[] {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const { slices } = r.model.layout;
  const n = roundUp(r.model.shape.units, 4);
  return product(r, c, w, sl, sl.timeBlocks, {
    label: "recurrent gradient",
    left: slotView("du", s.state, w.t0, w.steps),
    right: slotView("states", s.state, w.t0, w.steps),
    tail: r.inputs > 0 ? slotView("input", s.input, w.t0, w.steps) : UNUSED_READ,
    map: {
      left_quads: n / 4,
      right_quads: n / 4,
      tail_width: r.inputs,
      tail_stride: s.input,
      tail_one: 1,
      at_main: slices.W_rec.offset,
      main_i: n,
      main_j: 1,
      at_tail: slices.W_in.offset,
      at_one: slices.b.offset,
    },
    leftQuads: n / 4,
    columnQuads: n / 4 + Math.ceil((r.inputs + 1) / 4),
    flops: 2 * w.steps * rows * r.model.shape.units * (r.model.shape.units + r.inputs + 1),
  });
}

/** W_out and b_out from d (in the scratch `y`) and r. */
export function readoutGrads(r: RolloutSpec, c: Chunk, w: TimeWindow, sl: Slicing): DispatchPass[] {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const { slices } = r.model.layout;
  const n = roundUp(r.model.shape.units, 4);
  const o = roundUp(r.model.shape.outputs, 4);
  return product(r, c, w, sl, sl.timeBlocks, {
    label: "readout gradient",
    left: slotView("states", s.state, w.t0 + 1, w.steps),
    right: slotView("y", s.output, 0, w.steps),
    tail: UNUSED_READ,
    map: {
      left_quads: n / 4,
      left_one: 1,
      right_quads: o / 4,
      at_main: slices.W_out.offset,
      main_i: 1,
      main_j: n,
      at_one: slices.b_out.offset,
    },
    leftQuads: n / 4 + 1,
    columnQuads: o / 4,
    flops: 2 * w.steps * rows * (r.model.shape.units + 1) * r.model.shape.outputs,
  });
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
    map: {
      left_quads: n / 4,
      tail_width: E,
      tail_stride: rows * E,
      tail_one: 1,
      at_tail: slices.W_enc.offset,
      at_one: slices.b_enc.offset,
    },
    leftQuads: n / 4,
    columnQuads: Math.ceil((E + 1) / 4),
    flops: 2 * rows * r.model.shape.units * (E + 1),
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
