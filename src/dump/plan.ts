/**
 * The plan of a dump: rollouts, awake or without input, window by window; beside the recurrence a window has the passes
 * of what is kept of it, and no others. The windows share their buffers, so that a dump of any length needs the memory
 * of one window. Pure.
 */
import { normsView, ratesPass, shownBuffers, showPasses } from "../code/passes.ts";
import { type CodeSpec, cellsOf } from "../code/population.ts";
import type { BufferSpec, CopyPass, DispatchPass, Pass, Plan } from "../gpu/plan.ts";
import { requireFewPasses } from "../gpu/plan.ts";
import { chunkBatch } from "../kernels/chunks.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import {
  type Chunk,
  chunkRows,
  forwardPass,
  inputPasses,
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
import { type AdapterSpec, hasManyInputs, noiseTune, type RolloutSpec, slots } from "../kernels/spec.ts";
import { roundUp } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import type { RolloutArray } from "./arrays.ts";

export interface DumpPlanOptions {
  readonly name: string;
  /** With `extraHistory` where v, c or a are kept. */
  readonly rollout: RolloutSpec;
  readonly networks: number;
  /** Rows of each network. */
  readonly rows: number;
  /** Whether anything of a network is kept. */
  readonly selected: (network: number) => boolean;
  /** Whether anything of an array is kept of a window. */
  readonly keeps: (array: RolloutArray, w: TimeWindow) => boolean;
  /** Steps after which nothing is kept. */
  readonly until: number;
  readonly code: CodeSpec | null;
  readonly made: readonly MadeArray[];
  /** Passes that make r_0 of a chunk, and its inputs unless they are made window by window. */
  readonly begin: (chunk: Chunk) => Pass[];
  /** Passes that make a window's inputs, from slot 0 of `input` on. */
  readonly windowInputs?: (chunk: Chunk, w: TimeWindow) => Pass[];
  /** Buffers of those passes, for the largest chunk. */
  readonly beginBuffers: (rows: number) => BufferSpec[];
  readonly adapter: AdapterSpec;
  readonly records: RecordLayouts;
}

/** What y should be where it is no position (rates, or given targets), and what weights its errors. */
export interface MadeArray {
  /** The buffer has its name. */
  readonly array: "target" | "mask";
  /** Floats of a row, and of a slot of rows. */
  readonly width: number;
  readonly slot: (rows: number) => number;
  /** Passes that make a window's slots, from the first of the buffer on. */
  readonly passes: (chunk: Chunk, w: TimeWindow) => Pass[];
}

export interface DumpChunk {
  readonly chunk: Chunk;
  readonly windows: readonly { readonly window: TimeWindow; readonly from: number; readonly to: number }[];
}

export interface DumpPlan {
  readonly plan: Plan;
  /** Arrays that are neither the cell's nor positions. */
  readonly made: readonly MadeArray[];
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

/** `input0`: first slot of `input`. */
function preActivationPasses(r: RolloutSpec, c: Chunk, w: TimeWindow, input0: number): Pass[] {
  const s = slots(r, chunkRows(c));
  const n = roundUp(r.model.shape.units, 4);
  const many = hasManyInputs(r);
  const a = slotView("a", s.state, 0, w.steps);
  const pass: DispatchPass = {
    kind: "dispatch",
    label: "pre-activation",
    kernel: "rnn/pre_activation",
    ...(many ? { tune: { INPUT_READY: 1 } } : {}),
    bind: {
      weights: weightsView(r, c),
      recurrent_t: { buffer: "recurrent_t", offset: c.network0 * n * n * 4, bytes: c.networks * n * n * 4 },
      input: r.inputs > 0 && !many ? slotView("input", s.input, input0, w.steps) : UNUSED_READ,
      states: slotView("states", s.state, 0, w.steps),
      extra: slotView("extra", s.extra, 0, w.steps),
      a,
    },
    uniforms: { window: windowUniform(r, c, w) },
    groups: [Math.ceil(n / 32), chunkRows(c) / 8, w.steps],
    flops: 2 * w.steps * chunkRows(c) * r.model.shape.units ** 2,
  };
  return [...inputPasses(r, c, w, input0, a), pass];
}

/** Rates at s_{t+1} of a window's steps. */
export function rateTarget({ population: p }: CodeSpec): MadeArray {
  const width = cellsOf(p);
  const slot = (rows: number): number => rows * width;
  return {
    array: "target",
    width,
    slot,
    passes: (c, w) => {
      const rows = chunkRows(c);
      const after = (buffer: string) => slotView(buffer, 2 * rows, w.t0 + 1, w.steps);
      const pass = ratesPass(p, w.steps * rows, width, {
        positions: after("positions"),
        norms: normsView(p, after("norms")),
        rates: slotView("target", slot(rows), 0, w.steps),
      });
      return [pass];
    },
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
function windowSteps(o: DumpPlanOptions, rows: number): number {
  const r = o.rollout;
  const s = slots(r, rows);
  const made = o.made.map((m) => m.slot(rows));
  const slotBytes = 4 * Math.max(r.extraHistory ? s.extra : s.state, s.output, s.input, ...made);
  const flopsPerStep = 2 * rows * r.model.shape.units * Math.max(r.model.shape.units, s.output / rows);
  const most = longestWindow(o.adapter, { slotBytes, extraSlots: 1, flopsPerStep });
  const largest = Math.max(s.state, s.output, o.windowInputs ? s.input : 0);
  return Math.max(1, Math.min(most, Math.floor(WINDOW_BYTES / (4 * largest))));
}

function windowPasses(o: DumpPlanOptions, chunk: Chunk, w: TimeWindow, before: TimeWindow | undefined): Pass[] {
  const r = o.rollout;
  const rows = chunkRows(chunk);
  const s = slots(r, rows);
  const out: Pass[] = [];
  if (before) {
    out.push(...carryOver("states", s.state, before.steps));
    if (r.extraHistory) out.push(...carryOver("extra", s.extra, before.steps));
  } else out.push(...o.begin(chunk));
  out.push(...(o.windowInputs?.(chunk, w) ?? []));
  const input0 = o.windowInputs ? 0 : w.t0;
  out.push(...inputPasses(r, chunk, w, input0, slotView("states", s.state, 1, w.steps)));
  for (const l of timeWindows(w.steps, longestForward(r, rows, o.adapter))) {
    const first = { slot0: () => l.t0, input0: () => input0 + l.t0 };
    out.push(forwardPass(r, chunk, { t0: w.t0 + l.t0, steps: l.steps }, first));
  }
  if (o.keeps("y", w) || o.keeps("decoded", w)) out.push(readoutPass(r, chunk, w, 0));
  if (o.keeps("decoded", w)) out.push(...showPasses(o.code, w.steps * rows, { buffer: "decoded" }));
  for (const m of o.made) if (o.keeps(m.array, w)) out.push(...m.passes(chunk, w));
  if (o.keeps("noise", w)) out.push(noisePass(r, chunk, w));
  if (o.keeps("a", w)) out.push(...preActivationPasses(r, chunk, w, input0));
  return out;
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
  const wanted = ({ network0, networks }: Chunk) =>
    Array.from({ length: networks }, (_, i) => network0 + i).some(o.selected);
  const all = groups.flatMap((g) => g.chunks).filter(wanted);
  const largest = Math.max(...all.map(chunkRows));
  const passes: Pass[] = [];
  let ring = 1;
  const kept = new Set<RolloutArray>();
  const chunks = all.map((chunk): DumpChunk => {
    const windows = timeWindows(r.steps, windowSteps(o, chunkRows(chunk))).filter((w) => w.t0 === 0 || w.t0 < o.until);
    const own = windows.map((window, i) => {
      const from = passes.length;
      for (const pass of windowPasses(o, chunk, window, windows[i - 1])) passes.push(pass);
      requireFewPasses(o.name, passes.length, r.steps);
      ring = Math.max(ring, window.steps);
      for (const array of ["y", "decoded", "target", "mask", "noise", "a"] as const) {
        if (o.keeps(array, window)) kept.add(array);
      }
      return { window, from, to: passes.length };
    });
    return { chunk, windows: own };
  });
  const { shape } = r.model;
  const s = slots(r, largest);
  const unless = (array: RolloutArray, spec: BufferSpec): BufferSpec[] => (kept.has(array) ? [spec] : []);
  const buffers: BufferSpec[] = [
    { name: "weights", bytes: 4 * o.networks * r.model.layout.stride, axes: "[S][P]" },
    { name: "recurrent_t", bytes: 4 * o.networks * roundUp(shape.units, 4) ** 2, axes: "[S][N][N], W_recᵀ" },
    { name: "states", bytes: 4 * (ring + 1) * s.state, axes: "[window+1][R][N]" },
    { name: "carried_states", bytes: 4 * s.state, axes: "[R][N]" },
    ...extraBuffers(r, ring, s.extra),
    ...unless("noise", { name: "noise", bytes: 4 * ring * s.state, axes: "[window][R][N]" }),
    ...unless("a", { name: "a", bytes: 4 * ring * s.state, axes: "[window][R][N]" }),
    ...(kept.has("y") || kept.has("decoded")
      ? [{ name: "y", bytes: 4 * ring * s.output, axes: "[window][R][O]" }]
      : []),
    ...(kept.has("decoded") ? shownBuffers(o.code, ring, largest) : []),
    ...o.made.flatMap((m) =>
      unless(m.array, { name: m.array, bytes: 4 * ring * m.slot(largest), axes: "[window][R][width]" }),
    ),
    { name: "e0", bytes: 4 * largest * shape.encoderInputs, axes: "[R][E]" },
    ...(r.inputs > 0
      ? [{ name: "input", bytes: 4 * (o.windowInputs ? ring : r.steps) * s.input, axes: "[T or window][R][I]" }]
      : []),
    ...o.beginBuffers(largest),
    ...all.map((c) => ({ name: c.table, bytes: chunkRows(c) * o.records.row.bytes, axes: "[R] row records" })),
    ...UNUSED_BUFFERS,
  ];
  const notes = [`${all.length} chunks, windows of ${ring} of ${r.steps} steps`];
  return { plan: { name: o.name, kind: r.kind, buffers, passes, notes }, made: o.made, chunks };
}

function extraBuffers(r: RolloutSpec, ring: number, slot: number): BufferSpec[] {
  if (!r.extra) return [];
  if (!r.extraHistory) return [{ name: "extra", bytes: 4 * slot, axes: "[v, c][R][N]" }];
  return [
    { name: "extra", bytes: 4 * (ring + 1) * slot, axes: "[window+1][v, c][R][N]" },
    { name: "carried_extra", bytes: 4 * slot, axes: "[v, c][R][N]" },
  ];
}
