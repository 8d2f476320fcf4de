/**
 * The plan of a dump: rollouts, awake or without input, window by window, every window with all that happened in it:
 * states with v and c, noise, pre-activations, readouts. The windows share their buffers, so that the host takes one
 * while the next is computed, and a dump of any length needs the memory of one window. Pure.
 */
import type { BufferSpec, CopyPass, DispatchPass, Pass, Plan } from "../gpu/plan.ts";
import { chunkBatch } from "../kernels/chunks.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import {
  type Chunk,
  chunkRows,
  forwardPass,
  longestForward,
  longestWindow,
  readoutPass,
  slotView,
  type TimeWindow,
  timeWindows,
  UNUSED_BUFFERS,
  UNUSED_READ,
  weightsView,
  windowUniform,
} from "../kernels/recurrence.ts";
import { type AdapterSpec, CELL_EXTRA, noiseTune, type RolloutSpec, slots } from "../kernels/spec.ts";
import { roundUp } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";

export interface DumpPlanOptions {
  readonly name: string;
  /** With `extra` and `extraHistory`. */
  readonly rollout: RolloutSpec;
  readonly networks: number;
  /** Rows of each network. */
  readonly rows: number;
  /** Passes that make r_0 and the inputs of a chunk. */
  readonly begin: (chunk: Chunk) => Pass[];
  /** Buffers of those passes, for the largest chunk. */
  readonly beginBuffers: (rows: number) => BufferSpec[];
  readonly adapter: AdapterSpec;
  readonly records: RecordLayouts;
}

export interface DumpChunk {
  readonly chunk: Chunk;
  readonly windows: readonly { readonly window: TimeWindow; readonly from: number; readonly to: number }[];
}

export interface DumpPlan {
  readonly plan: Plan;
  readonly chunks: readonly DumpChunk[];
}

/** States of a window; what the host takes of it is up to six times as much. */
const WINDOW_BYTES = 16 << 20;
/** Rows of a network that are rolled out together. */
const ROW_BLOCK = 1024;

function noisePass(r: RolloutSpec, c: Chunk, w: TimeWindow): DispatchPass {
  return {
    kind: "dispatch",
    label: "noise",
    kernel: "rnn/draw_noise",
    tune: noiseTune(r),
    bind: {
      rows: { buffer: c.table },
      noise: slotView("noise", slots(r, chunkRows(c)).state, 0, w.steps),
      noise_given: UNUSED_READ,
    },
    uniforms: { window: windowUniform(r, c, w) },
    groups: [Math.ceil(Math.ceil(r.model.shape.units / 4) / 8), chunkRows(c) / 8, w.steps],
  };
}

function preActivationPass(r: RolloutSpec, c: Chunk, w: TimeWindow): DispatchPass {
  const s = slots(r, chunkRows(c));
  const n = roundUp(r.model.shape.units, 4);
  return {
    kind: "dispatch",
    label: "pre-activation",
    kernel: "rnn/pre_activation",
    bind: {
      weights: weightsView(r, c),
      recurrent_t: { buffer: "recurrent_t", offset: c.network0 * n * n * 4, bytes: c.networks * n * n * 4 },
      input: r.inputs > 0 ? slotView("input", s.input, w.t0, w.steps) : UNUSED_READ,
      states: slotView("states", s.state, 0, w.steps),
      extra: slotView("extra", s.extra, 0, w.steps),
      a: slotView("a", s.state, 0, w.steps),
    },
    uniforms: { window: windowUniform(r, c, w) },
    groups: [Math.ceil(n / 32), chunkRows(c) / 8, w.steps],
    flops: 2 * w.steps * chunkRows(c) * r.model.shape.units ** 2,
  };
}

/** The last slot of a window becomes the first of the next, by way of a third place. */
function carryOver(buffer: string, slotFloats: number, steps: number): CopyPass[] {
  const between = slotView(`carried_${buffer}`, slotFloats, 0, 1);
  const bytes = 4 * slotFloats;
  return [
    { kind: "copy", label: "carry over", from: slotView(buffer, slotFloats, steps, 1), to: between, bytes },
    { kind: "copy", label: "carry over", from: between, to: slotView(buffer, slotFloats, 0, 1), bytes },
  ];
}

/** Steps of a window: what its bindings, its dispatches and the host's memory allow. */
function windowSteps(r: RolloutSpec, rows: number, adapter: AdapterSpec): number {
  const s = slots(r, rows);
  const slotBytes = 4 * Math.max(s.extra, s.output, s.input);
  const flopsPerStep = 2 * rows * r.model.shape.units * Math.max(r.model.shape.units, s.output / rows);
  const most = longestWindow(adapter, { slotBytes, extraSlots: 1, flopsPerStep });
  return Math.max(1, Math.min(most, Math.floor(WINDOW_BYTES / (4 * Math.max(s.state, s.output)))));
}

export function planDump(o: DumpPlanOptions): DumpPlan {
  const r = o.rollout;
  const batchRows = paddedRows(o.rows);
  const block = Math.min(batchRows, ROW_BLOCK);
  const slicing = { rowBlock: block, rowBlocks: Math.ceil(batchRows / block), timeBlock: 1, timeBlocks: 1 };
  const groups = chunkBatch({ ...r, steps: 1 }, o.networks, batchRows, slicing, o.adapter, {
    networks: Math.max(1, Math.floor(ROW_BLOCK / block)),
    blocks: 1,
  });
  const all = groups.flatMap((g) => g.chunks);
  const largest = Math.max(...all.map(chunkRows));
  const passes: Pass[] = [];
  let ring = 1;
  const chunks = all.map((chunk): DumpChunk => {
    const rows = chunkRows(chunk);
    const s = slots(r, rows);
    const windows = timeWindows(r.steps, windowSteps(r, rows, o.adapter)).map((w, i, every) => {
      const from = passes.length;
      const before = every[i - 1];
      if (before)
        passes.push(...carryOver("states", s.state, before.steps), ...carryOver("extra", s.extra, before.steps));
      else passes.push(...o.begin(chunk));
      ring = Math.max(ring, w.steps);
      for (const l of timeWindows(w.steps, longestForward(r, rows, o.adapter))) {
        passes.push(forwardPass(r, chunk, { t0: w.t0 + l.t0, steps: l.steps }, { slot0: () => l.t0 }));
      }
      passes.push(readoutPass(r, chunk, w, 0), noisePass(r, chunk, w), preActivationPass(r, chunk, w));
      return { window: w, from, to: passes.length };
    });
    return { chunk, windows };
  });
  const s = slots(r, largest);
  const n = roundUp(r.model.shape.units, 4);
  const buffers: BufferSpec[] = [
    { name: "weights", bytes: 4 * o.networks * r.model.layout.stride, axes: "[S][P]" },
    { name: "recurrent_t", bytes: 4 * o.networks * n * n, axes: "[S][N][N], W_recᵀ" },
    { name: "states", bytes: 4 * (ring + 1) * s.state, axes: "[window+1][R][N]" },
    { name: "extra", bytes: 4 * (ring + 1) * s.extra, axes: "[window+1][v, c][R][N]" },
    { name: "carried_states", bytes: 4 * s.state, axes: "[R][N]" },
    { name: "carried_extra", bytes: 4 * s.extra, axes: "[v, c][R][N]" },
    { name: "noise", bytes: 4 * ring * s.state, axes: "[window][R][N]" },
    { name: "a", bytes: 4 * ring * s.state, axes: "[window][R][N]" },
    { name: "y", bytes: 4 * ring * s.output, axes: "[window][R][O]" },
    { name: "e0", bytes: 4 * largest * r.model.shape.encoderInputs, axes: "[R][E]" },
    ...(r.inputs > 0 ? [{ name: "input", bytes: 4 * r.steps * s.input, axes: "[T][R][I]" }] : []),
    ...o.beginBuffers(largest),
    ...all.map((c) => ({ name: c.table, bytes: chunkRows(c) * o.records.row.bytes, axes: "[R] row records" })),
    ...UNUSED_BUFFERS,
  ];
  const notes = [`${all.length} chunks, windows of ${ring} of ${r.steps} steps, ${CELL_EXTRA + 1} states kept`];
  return { plan: { name: o.name, kind: r.kind, buffers, passes, notes }, chunks };
}
