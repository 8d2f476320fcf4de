/**
 * The plan of quiescent rollouts: conditions, repeats and networks are rows. States live in a ring of one window's
 * slots unless they are kept; readouts go to the host, chunk by chunk. Pure.
 */
import { encoderInputPasses, shownBuffers, shownOf, showPasses } from "../code/passes.ts";
import type { CodeSpec } from "../code/population.ts";
import { UsageError } from "../errors.ts";
import {
  type BufferSpec,
  type CopyPass,
  formatBytes,
  type Pass,
  type Plan,
  type PlanKind,
  requireFewPasses,
} from "../gpu/plan.ts";
import { chunkBatch } from "../kernels/chunks.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import {
  type Chunk,
  chunkRows,
  encodePass,
  forwardPass,
  longestForward,
  longestWindow,
  readoutPass,
  slotView,
  type TimeWindow,
  timeWindows,
  UNUSED_BUFFERS,
  unusedWrite,
} from "../kernels/recurrence.ts";
import { type AdapterSpec, CELL_EXTRA, type ModelSpec, type RolloutSpec, slots } from "../kernels/spec.ts";
import { placePass, START, type TrialShape, trialBuffers } from "../kernels/trials.ts";
import { roundUp } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import { STREAM } from "../model/streams.ts";
import { pathBuffers, pathPasses } from "../task/path-pass.ts";
import type { PathKernel } from "../task/path-uniforms.ts";

/** Encoded starts: positions that a path kernel draws, or e_0 of given trials, one a repeat. */
export type ReplayStart =
  | { readonly path: PathKernel; readonly inputScale: number }
  | { readonly trials: TrialShape; readonly count: number };

export interface ReplayPlanOptions {
  readonly model: ModelSpec;
  readonly kind: PlanKind;
  readonly networks: number;
  /** Rows of one network: conditions × repeats. */
  readonly rows: number;
  /** T */
  readonly steps: number;
  /** Keep the readout of every n-th step. */
  readonly saveEvery: number;
  readonly saveStates: boolean;
  /** Keep v and c of every n-th step too; needs `extra`. */
  readonly saveExtra?: boolean;
  readonly noise: boolean;
  readonly extra: boolean;
  /** Time of the states to go on from; from 1 on their v and c are given too. 0 or nothing: a start. */
  readonly firstStep?: number;
  /** Null when states to start from are given. */
  readonly start: ReplayStart | null;
  /** Place cells, whose activity is decoded. */
  readonly code?: CodeSpec | null | undefined;
  /** Keep the activity itself of every n-th step; 0 or nothing: of none. */
  readonly codeEvery?: number;
  readonly adapter: AdapterSpec;
  readonly records: RecordLayouts;
}

export interface ReplayPlan {
  readonly plan: Plan;
  readonly rollout: RolloutSpec;
  readonly batchRows: number;
  readonly chunks: readonly {
    readonly chunk: Chunk;
    readonly from: number;
    readonly to: number;
    /** Pass index after each window, and the steps done by then: where progress is told and Ctrl-C heeded. */
    readonly marks: readonly { readonly pass: number; readonly steps: number }[];
  }[];
}

/** States of a window stay below this: a ring, not a history. */
const RING_BYTES = 64 << 20;
/** Device bytes of a chunk's readouts, before the host takes them. */
const READOUT_BYTES = 256 << 20;

/** Steps t = every, 2·every, … whose readout is kept. */
export const savedSteps = (steps: number, every: number): number => Math.floor(steps / every);

/** Copies slots of a window's scratch buffer to where every n-th step is kept; `skip` slots precede the window's first. */
export function keepSteps(
  label: string,
  from: { readonly buffer: string; readonly skip: number },
  to: string,
  slotFloats: number,
  every: number,
  w: TimeWindow,
): CopyPass[] {
  const copy = (slot: number, kept: number, count: number): CopyPass => ({
    kind: "copy",
    label,
    from: slotView(from.buffer, slotFloats, from.skip + slot, count),
    to: slotView(to, slotFloats, kept, count),
    bytes: count * slotFloats * 4,
  });
  if (every === 1) return [copy(0, w.t0, w.steps)];
  const out: CopyPass[] = [];
  for (let t = 0; t < w.steps; t++) if ((w.t0 + t + 1) % every === 0) out.push(copy(t, (w.t0 + t + 1) / every - 1, 1));
  return out;
}

/** Steps whose activity is kept. */
const keptCodes = (o: ReplayPlanOptions): number => (o.code && o.codeEvery ? savedSteps(o.steps, o.codeEvery) : 0);

/**
 * Windows that fit; where v and c are kept, which exist only after a launch's last step, none reaches beyond a step that
 * is saved.
 */
function replayWindows(o: ReplayPlanOptions, longest: number): TimeWindow[] {
  if (!o.saveExtra) return timeWindows(o.steps, longest);
  return timeWindows(o.steps, o.saveEvery).flatMap((block) =>
    timeWindows(block.steps, longest).map((w) => ({ t0: block.t0 + w.t0, steps: w.steps })),
  );
}

function saveExtra(o: ReplayPlanOptions, s: ReturnType<typeof slots>, w: TimeWindow): CopyPass[] {
  const end = w.t0 + w.steps;
  if (!o.saveExtra || end % o.saveEvery !== 0) return [];
  return [
    {
      kind: "copy",
      label: "save v and c",
      from: slotView("extra", s.extra, 0, 1),
      to: slotView("extra_all", s.extra, end / o.saveEvery - 1, 1),
      bytes: 4 * s.extra,
    },
  ];
}

function saves(o: ReplayPlanOptions, rows: number, s: ReturnType<typeof slots>, w: TimeWindow): CopyPass[] {
  const shown = shownOf(o.code, o.model.shape.outputs);
  const slot = rows * shown.floats;
  const out = keepSteps("save readout", { buffer: shown.buffer, skip: 0 }, "y_all", slot, o.saveEvery, w);
  if (keptCodes(o) > 0)
    out.push(...keepSteps("save activity", { buffer: "y", skip: 0 }, "code_all", s.output, o.codeEvery as number, w));
  if (o.saveStates)
    out.push(...keepSteps("save states", { buffer: "states", skip: 1 }, "r_all", s.state, o.saveEvery, w));
  return out;
}

/** The last state of a window becomes the first of the next, by way of a third place: WebGPU copies nothing within one buffer. */
export function carryOver(slotFloats: number, steps: number): CopyPass[] {
  const bytes = slotFloats * 4;
  const between = slotView("carried", slotFloats, 0, 1);
  const label = "carry over";
  return [
    { kind: "copy", label, from: slotView("states", slotFloats, steps, 1), to: between, bytes },
    { kind: "copy", label, from: between, to: slotView("states", slotFloats, 0, 1), bytes },
  ];
}

/** r_0 of a chunk's rows from encoded start positions, unless states are given. */
export function startPasses(
  o: Pick<ReplayPlanOptions, "start" | "model" | "adapter" | "code">,
  r: RolloutSpec,
  c: Chunk,
): Pass[] {
  if (!o.start) return [];
  if ("trials" in o.start)
    return [placePass(r.model, o.start.trials, "e0", c, START, { buffer: "e0" }, 0), encodePass(r, c)];
  return [
    ...pathPasses({
      ...o.start,
      rootSeed: o.model.rootSeed,
      noiseRounds: o.model.noiseRounds,
      stream: STREAM.replayStarts,
      rows: chunkRows(c),
      steps: 0,
      buffers: { rows: c.table, positions: "starts", e0: o.code ? "start_e0" : "e0" },
      input: null,
      unused: unusedWrite(2),
      adapter: o.adapter,
    }),
    ...codeStart(o.code, chunkRows(c)),
    encodePass(r, c),
  ];
}

/** Rates at the start positions. */
function codeStart(code: CodeSpec | null | undefined, rows: number): Pass[] {
  if (!code) return [];
  return encoderInputPasses(code.population, rows, { buffer: "starts" }, { norms: "start_norms", e0: "e0" });
}

/** Buffers of the start passes that are nobody else's. */
export function startBuffers(o: Pick<ReplayPlanOptions, "start" | "code">, rows: number): BufferSpec[] {
  if (o.start && "trials" in o.start) return trialBuffers(o.start.trials, ["e0"], o.start.count);
  const out: BufferSpec[] = [{ name: "starts", bytes: 8 * rows, axes: "[1][R][2]" }];
  if (o.start) out.push(...pathBuffers(o.start.path, rows));
  if (o.start && o.code) {
    out.push({ name: "start_e0", bytes: 8 * rows, axes: "[R][2], s_0" });
    out.push({ name: "start_norms", bytes: 8 * rows, axes: "[R][2], of the softmax" });
  }
  return out;
}

/** How replays roll out, whoever asks for them. */
export function replayRollout(
  o: Pick<ReplayPlanOptions, "model" | "kind" | "steps" | "noise" | "extra" | "adapter">,
): RolloutSpec {
  return {
    model: o.model,
    kind: o.kind,
    ...(o.adapter.workgroupStorage === undefined ? {} : { workgroupStorage: o.adapter.workgroupStorage }),
    steps: o.steps,
    noise: o.noise ? "drawn" : "none",
    stream: STREAM.replayNoise,
    clocked: false,
    extra: o.extra,
    extraHistory: false,
    adjoint: false,
    inputs: 0,
  };
}

/** Steps of a window whose readout fits a binding and a dispatch: it takes a whole window at once. */
export function longestReadout(r: RolloutSpec, rows: number, adapter: AdapterSpec): number {
  const s = slots(r, rows);
  return longestWindow(adapter, {
    slotBytes: 4 * Math.max(s.state, s.output),
    extraSlots: 1,
    flopsPerStep: 2 * r.model.shape.units * s.output,
  });
}

export function planReplay(o: ReplayPlanOptions): ReplayPlan {
  const rollout = replayRollout(o);
  const batchRows = paddedRows(o.rows);
  const kept = savedSteps(o.steps, o.saveEvery);
  if (kept === 0)
    throw new UsageError(`replay.saveEvery = ${o.saveEvery} keeps nothing of ${o.steps} steps: use at most ${o.steps}`);
  const shown = shownOf(o.code, o.model.shape.outputs);
  const codes = keptCodes(o);
  const units = roundUp(o.model.shape.units, 4);
  const perRow =
    4 * kept * (shown.floats + (o.saveStates ? units : 0) + (o.saveExtra ? CELL_EXTRA * units : 0)) +
    4 * codes * roundUp(o.model.shape.outputs, 4);
  const rowsByBytes = Math.max(32, Math.floor(Math.min(READOUT_BYTES, o.adapter.maxBuffer) / perRow / 32) * 32);
  const block = Math.min(batchRows, rowsByBytes);
  const networksByBytes = Math.max(1, Math.floor(rowsByBytes / block));
  // One step at a time must fit; the window is chosen afterwards.
  const sizing = { ...rollout, steps: 1 };
  const slicing = { rowBlock: block, rowBlocks: Math.ceil(batchRows / block), timeBlock: 1, timeBlocks: 1 };
  const groups = chunkBatch(sizing, o.networks, batchRows, slicing, o.adapter, {
    networks: networksByBytes,
    blocks: 1,
  });
  const all = groups.flatMap((g) => g.chunks);
  const largest = Math.max(...all.map(chunkRows));
  const s = slots(rollout, largest);
  const passes: Pass[] = [];
  let ring = 1;
  const chunks = all.map((chunk) => {
    const from = passes.length;
    const own = slots(rollout, chunkRows(chunk));
    const rows = chunkRows(chunk);
    const launch = longestForward(rollout, rows, o.adapter);
    const readable = longestReadout(rollout, rows, o.adapter);
    const byRing = Math.max(1, Math.floor(RING_BYTES / (4 * Math.max(own.state, own.output))) - 1);
    const windows = replayWindows(o, Math.min(readable, byRing, o.kind === "step" ? byRing : launch));
    const first = o.firstStep ?? 0;
    passes.push(...startPasses(o, rollout, chunk));
    const marks: { pass: number; steps: number }[] = [];
    for (const w of windows) {
      ring = Math.max(ring, w.steps);
      for (const l of timeWindows(w.steps, launch)) {
        passes.push(forwardPass(rollout, chunk, { t0: first + w.t0 + l.t0, steps: l.steps }, { slot0: () => l.t0 }));
      }
      passes.push(readoutPass(rollout, chunk, w, 0), ...showPasses(o.code, w.steps * rows, { buffer: "decoded" }));
      passes.push(...saves(o, rows, own, w), ...saveExtra(o, own, w), ...carryOver(own.state, w.steps));
      requireFewPasses("replay", passes.length, o.steps);
      marks.push({ pass: passes.length, steps: w.t0 + w.steps });
    }
    return { chunk, from, to: passes.length, marks };
  });
  const buffers: BufferSpec[] = [
    { name: "weights", bytes: 4 * o.networks * o.model.layout.stride, axes: "[S][P]" },
    { name: "recurrent_t", bytes: 4 * o.networks * roundUp(o.model.shape.units, 4) ** 2, axes: "[S][N][N], W_recᵀ" },
    { name: "states", bytes: 4 * (ring + 1) * s.state, axes: "[window+1][R][N]" },
    { name: "carried", bytes: 4 * s.state, axes: "[1][R][N]" },
    { name: "y", bytes: 4 * ring * s.output, axes: "[window][R][O]" },
    ...shownBuffers(o.code, ring, largest),
    { name: "y_all", bytes: 4 * kept * largest * shown.floats, axes: "[saved][R][O], positions" },
    ...(codes > 0 ? [{ name: "code_all", bytes: 4 * codes * s.output, axes: "[saved][R][O], activity" }] : []),
    { name: "e0", bytes: 4 * largest * o.model.shape.encoderInputs, axes: "[R][E]" },
    ...startBuffers(o, largest),
    ...(o.saveStates ? [{ name: "r_all", bytes: 4 * kept * s.state, axes: "[saved][R][N]" }] : []),
    ...(o.extra ? [{ name: "extra", bytes: 4 * s.extra, axes: "[v, c][R][N]" }] : []),
    ...(o.saveExtra ? [{ name: "extra_all", bytes: 4 * kept * s.extra, axes: "[saved][v, c][R][N]" }] : []),
    ...all.map((c) => ({ name: c.table, bytes: chunkRows(c) * o.records.row.bytes, axes: "[R] row records" })),
    ...UNUSED_BUFFERS,
  ];
  const notes = [
    `${o.networks} networks × ${o.rows} rows (padded to ${batchRows}), T = ${o.steps}, N = ${o.model.shape.units}; ${kept} steps kept of each`,
    `${all.length} chunk${all.length > 1 ? "s" : ""}, windows of ${ring} steps; read back ${formatBytes(perRow * batchRows * o.networks)}`,
  ];
  return { plan: { name: "replay", kind: o.kind, buffers, passes, notes }, rollout, batchRows, chunks };
}
