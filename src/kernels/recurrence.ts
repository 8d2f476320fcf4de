/** Passes of the recurrence: encoder, forward, readout, adjoint, over one chunk of rows. Pure. */
import type { FieldValues } from "../gpu/pack.ts";
import type { BufferView, DispatchPass, Pass, PlanKind } from "../gpu/plan.ts";
import type { Tune } from "../gpu/shader-source.ts";
import { inputWidth, roundUp } from "../model/parameters.ts";
import { ROW_TILE } from "../model/slicing.ts";
import { affinePass, tileQuads } from "./affine.ts";
import {
  type AdapterSpec,
  cellTune,
  hasManyInputs,
  noiseTune,
  phiTune,
  type RolloutSpec,
  requirePersistentTile,
  slots,
  storedTune,
} from "./spec.ts";

/** Rows [row0, row0 + rowsPerNetwork) of each of the group's networks, in buffers of their own. */
export interface Chunk {
  readonly network0: number;
  readonly networks: number;
  readonly row0: number;
  readonly rowsPerNetwork: number;
  /** Buffer with the chunk's row records. */
  readonly table: string;
}

export const chunkRows = (c: Chunk): number => c.networks * c.rowsPerNetwork;

export interface TimeWindow {
  readonly t0: number;
  readonly steps: number;
}

/** Consecutive windows of at most `longest` steps whose borders are multiples of `align`. */
export function timeWindows(steps: number, longest: number, align = 1): TimeWindow[] {
  const length = Math.max(align, Math.floor(longest / align) * align);
  const out: TimeWindow[] = [];
  for (let t0 = 0; t0 < steps; t0 += length) out.push({ t0, steps: Math.min(length, steps - t0) });
  return out;
}

/** No dispatch should last longer: desktop GPUs reset a device that does not answer. */
const MAX_DISPATCH_SECONDS = 0.25;

/** Workgroups that a dimension of every adapter has: some kernels count steps with one. */
const MAX_WINDOW_STEPS = 65535;

/** Steps whose slots fit a binding and whose work fits a dispatch. `slotBytes` may need one slot more (states). */
export function longestWindow(
  adapter: AdapterSpec,
  work: { slotBytes: number; extraSlots?: number; flopsPerStep: number },
): number {
  const byBytes = Math.floor(adapter.maxBinding / work.slotBytes) - (work.extraSlots ?? 0);
  const byTime = Math.floor((MAX_DISPATCH_SECONDS * adapter.flopsPerSecond) / work.flopsPerStep);
  return Math.max(1, Math.min(byBytes, byTime, MAX_WINDOW_STEPS));
}

/** Part of a time-indexed buffer from slot t0 on. */
export function slotView(buffer: string, slotFloats: number, t0: number, count: number): BufferView {
  return { buffer, offset: t0 * slotFloats * 4, bytes: Math.max(count * slotFloats * 4, 16) };
}

/** The slice of a per-network buffer that belongs to a chunk's group. */
export function groupView(buffer: string, floatsPerNetwork: number, c: Chunk): BufferView {
  return { buffer, offset: c.network0 * floatsPerNetwork * 4, bytes: c.networks * floatsPerNetwork * 4 };
}

export function windowUniform(r: RolloutSpec, c: Chunk, w: TimeWindow): FieldValues {
  const { shape, layout } = r.model;
  const s = slots(r, chunkRows(c));
  return {
    rows: chunkRows(c),
    rows_per_network: c.rowsPerNetwork,
    network0: c.network0,
    t0: w.t0,
    steps: w.steps,
    total_steps: r.steps,
    units: shape.units,
    unit_quads: Math.ceil(shape.units / 4),
    inputs: hasManyInputs(r) ? 0 : r.inputs,
    outputs: shape.outputs,
    output_quads: Math.ceil(shape.outputs / 4),
    encoder_inputs: shape.encoderInputs,
    weight_stride: layout.stride,
    at_rec: layout.slices.W_rec.offset,
    at_in: layout.slices.W_in.offset,
    at_b: layout.slices.b.offset,
    at_out: layout.slices.W_out.offset,
    at_b_out: layout.slices.b_out.offset,
    at_enc: layout.slices.W_enc.offset,
    at_b_enc: layout.slices.b_enc.offset,
    input_stride: s.input,
    phi_stride: s.phi,
    extra_stride: r.extraHistory ? s.extra / 4 : 0,
    root_seed: r.model.rootSeed,
    stream: r.stream,
    clocked: r.clocked ? 1 : 0,
    slope: r.model.slope,
  };
}

/** Stand-ins for bindings that a variant does not touch; a buffer is never bound for reading and writing at once. */
export const UNUSED_READ: BufferView = { buffer: "unused_read" };
export const unusedWrite = (i: number): BufferView => ({ buffer: "unused_write", offset: 256 * i, bytes: 256 });
export const UNUSED_BUFFERS = [
  { name: "unused_read", bytes: 256, axes: "stand-in" },
  { name: "unused_write", bytes: 768, axes: "stand-in" },
];

export function weightsView(r: RolloutSpec, c: Chunk): BufferView {
  return groupView("weights", r.model.layout.stride, c);
}

function recurrentView(r: RolloutSpec, c: Chunk): BufferView {
  const n = roundUp(r.model.shape.units, 4);
  return groupView("recurrent_t", n * n, c);
}

export function encodePass(r: RolloutSpec, c: Chunk): DispatchPass {
  const rows = chunkRows(c);
  return {
    kind: "dispatch",
    label: "encode",
    kernel: "rnn/encode_initial",
    tune: storedTune(r),
    bind: {
      rows: { buffer: c.table },
      weights: weightsView(r, c),
      e0: { buffer: "e0" },
      states: slotView("states", slots(r, rows).stored, 0, 1),
    },
    uniforms: { window: windowUniform(r, c, { t0: 0, steps: 0 }) },
    groups: [Math.ceil(r.model.shape.units / 32), rows / 8, 1],
    flops: 2 * rows * r.model.shape.units * r.model.shape.encoderInputs,
  };
}

/** Where a forward window reads and writes: replay keeps a ring of few slots, training all of them. */
export interface ForwardOptions {
  /** First slot of `states`, and of a history of `extra`, for time t0; t0 itself unless a ring is used. */
  readonly slot0?: (w: TimeWindow) => number;
  /** First slot of `input` likewise. */
  readonly input0?: (w: TimeWindow) => number;
}

export function flopsPerStep(r: RolloutSpec, rows: number): number {
  return 2 * rows * r.model.shape.units * (r.model.shape.units + r.inputs);
}

/** Steps that one forward launch may do: one under the stepwise plan. */
export function longestForward(r: RolloutSpec, rows: number, adapter: AdapterSpec): number {
  if (r.kind === "step") return 1;
  const s = slots(r, rows);
  const slotBytes = 4 * Math.max(s.stored, s.input, s.phi, r.extraHistory ? s.extra : 0);
  return longestWindow(adapter, { slotBytes, extraSlots: 1, flopsPerStep: flopsPerStep(r, rows) });
}

const FORWARD: Record<PlanKind, string> = {
  step: "rnn/step_forward",
  "tile-persistent": "rnn/rollout_persistent",
  "own-row": "rnn/rollout_own_row",
};

const ADJOINT: Record<PlanKind, string> = {
  step: "rnn/step_backward",
  "tile-persistent": "rnn/adjoint_persistent",
  "own-row": "rnn/adjoint_own_row",
};

function persistentTune(r: RolloutSpec, rows: number): Tune {
  return r.kind === "tile-persistent" ? { ...requirePersistentTile(r, rows) } : {};
}

/** Workgroups of a forward or adjoint launch. */
function recurrenceGroups(r: RolloutSpec, rows: number): [number, number, number] {
  if (r.kind === "own-row") return [rows / ROW_TILE, 1, 1];
  if (r.kind === "tile-persistent") return [rows / requirePersistentTile(r, rows).ROWS, 1, 1];
  return [Math.ceil(r.model.shape.units / 32), rows / ROW_TILE, 1];
}

export function forwardPass(r: RolloutSpec, c: Chunk, w: TimeWindow, options: ForwardOptions = {}): DispatchPass {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const slot0 = options.slot0?.(w) ?? w.t0;
  const own = r.kind === "own-row";
  const many = hasManyInputs(r);
  const tune = {
    ...cellTune(r),
    ...phiTune(r),
    ...noiseTune(r),
    ...persistentTune(r, rows),
    ...storedTune(r),
    ...(many ? { INPUT_READY: 1 } : {}),
  };
  return {
    kind: "dispatch",
    label: "forward",
    kernel: FORWARD[r.kind],
    tune: own ? { ...tune, TILE_QUADS: tileQuads(Math.ceil(r.model.shape.units / 4)) } : tune,
    bind: {
      rows: { buffer: c.table },
      weights: weightsView(r, c),
      recurrent_t: recurrentView(r, c),
      input: r.inputs > 0 && !many ? slotView("input", s.input, options.input0?.(w) ?? w.t0, w.steps) : UNUSED_READ,
      states: slotView("states", s.stored, slot0, w.steps + 1),
      extra: r.extra
        ? slotView("extra", s.extra, r.extraHistory ? slot0 : 0, r.extraHistory ? w.steps + 1 : 1)
        : unusedWrite(0),
      phi_store: s.phi > 0 ? slotView("phi", s.phi, w.t0, w.steps) : unusedWrite(1),
      noise_given: r.noise === "given" ? slotView("noise_given", s.state, w.t0, w.steps) : UNUSED_READ,
    },
    uniforms: { window: windowUniform(r, c, w) },
    groups: recurrenceGroups(r, rows),
    flops: w.steps * flopsPerStep(r, rows),
  };
}

/** What the products of a window with weights of its networks share. */
function networkProduct(r: RolloutSpec, c: Chunk, w: TimeWindow) {
  return {
    kind: r.kind,
    rows: chunkRows(c),
    rowsPerNetwork: c.rowsPerNetwork,
    steps: w.steps,
    weights: weightsView(r, c),
    stride: r.model.layout.stride,
  };
}

/** y of a window into the scratch buffer `y`, from `states` (slot0 is that of r_{t0}). */
export function readoutPass(r: RolloutSpec, c: Chunk, w: TimeWindow, slot0 = w.t0): DispatchPass {
  const s = slots(r, chunkRows(c));
  const { units, outputs } = r.model.shape;
  const { slices } = r.model.layout;
  return affinePass({
    label: "readout",
    ...networkProduct(r, c, w),
    at: { w: slices.W_out.offset, b: slices.b_out.offset },
    x: { view: slotView("states", s.stored, slot0 + 1, w.steps), quads: Math.ceil(units / 4), f16: r.stored === "f16" },
    y: { view: slotView("y", s.output, 0, w.steps), quads: Math.ceil(outputs / 4) },
    products: units * outputs,
  });
}

/**
 * b + W_in u_t of a window, for many inputs, to where r_{t+1} will be or to `into`; `input0` is the first slot of `input`.
 */
export function inputPasses(r: RolloutSpec, c: Chunk, w: TimeWindow, input0 = w.t0, into?: BufferView): DispatchPass[] {
  if (!hasManyInputs(r)) return [];
  const s = slots(r, chunkRows(c));
  const { units } = r.model.shape;
  const { slices } = r.model.layout;
  const pass = affinePass({
    label: "input",
    ...networkProduct(r, c, w),
    at: { w: slices.W_in.offset, b: slices.b.offset },
    x: { view: slotView("input", s.input, input0, w.steps), quads: inputWidth(r.inputs) / 4 },
    y: {
      view: into ?? slotView("states", s.stored, w.t0 + 1, w.steps),
      quads: Math.ceil(units / 4),
      f16: r.stored === "f16",
    },
    products: units * r.inputs,
  });
  return [pass];
}

export function readoutAdjointPass(r: RolloutSpec, c: Chunk, w: TimeWindow, activityScale: number): DispatchPass {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const own = r.kind === "own-row";
  const quads = Math.ceil(r.model.shape.units / 4);
  return {
    kind: "dispatch",
    label: "readout adjoint",
    kernel: own ? "rnn/readout_adjoint_lanes" : "rnn/readout_adjoint_tile",
    tune: {
      ACTIVITY_ON: activityScale > 0 ? 1 : 0,
      ...storedTune(r),
      ...(own ? { TILE_QUADS: tileQuads(quads) } : {}),
    },
    bind: {
      weights: weightsView(r, c),
      dy: slotView("y", s.output, 0, w.steps),
      states: slotView("states", s.stored, w.t0, w.steps + 1),
      du: slotView("du", s.stored, w.t0, w.steps),
    },
    uniforms: { window: windowUniform(r, c, w), activity: { scale: activityScale, gradient: r.gradientScale ?? 1 } },
    groups: [Math.ceil(quads / (own ? tileQuads(quads) : 8)), rows / ROW_TILE, w.steps],
    flops: 2 * w.steps * rows * r.model.shape.units * r.model.shape.outputs,
  };
}

/** The adjoint from the last step to the first; afterwards `carry` begins with G_r of r_0. */
export function adjointPasses(r: RolloutSpec, c: Chunk, adapter: AdapterSpec): Pass[] {
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const stepwise = r.kind === "step";
  const own = r.kind === "own-row";
  const tile = tileQuads(Math.ceil(r.model.shape.units / 4));
  const flops = 2 * rows * r.model.shape.units ** 2;
  const slotBytes = 4 * Math.max(s.stored, s.phi);
  const longest = stepwise ? 1 : longestWindow(adapter, { slotBytes, flopsPerStep: flops });
  const windows = timeWindows(r.steps, longest).reverse();
  // The stepwise kernel needs one launch more, for the product of the last step.
  if (stepwise) windows.push({ t0: 0, steps: 0 });
  return windows.map((w): DispatchPass => {
    // A step's product reads the slot after its own, written by the launch before.
    const count = stepwise ? Math.min(w.steps + 1, r.steps - w.t0) : w.steps;
    return {
      kind: "dispatch",
      label: "adjoint",
      kernel: ADJOINT[r.kind],
      tune: {
        ...cellTune(r),
        ...phiTune(r),
        ...persistentTune(r, rows),
        ...storedTune(r),
        ...(own ? { TILE_QUADS: tile } : {}),
      },
      bind: {
        rows: { buffer: c.table },
        weights: weightsView(r, c),
        du: slotView("du", s.stored, w.t0, count),
        carry: { buffer: "carry" },
        phi_kept: s.phi > 0 ? slotView("phi", s.phi, w.t0, Math.max(1, w.steps)) : UNUSED_READ,
      },
      uniforms: { window: windowUniform(r, c, w) },
      groups: recurrenceGroups(r, rows),
      flops: Math.max(1, w.steps) * flops,
    };
  });
}
