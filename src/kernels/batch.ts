/**
 * The plan of one batch: awake trajectories, forward, readout, loss and, when wanted, the gradient and an Adam step.
 * Training, testing and `evaluate` are this plan with parts left out. Pure.
 */
import { deltaPass, normsPasses, normsView, ratesPass, shownBuffers, showPasses } from "../code/passes.ts";
import { type CodeSpec, cellsOf, codeTune, codeUniform, isNormalised } from "../code/population.ts";
import type { BufferSpec, BufferView, Pass, Plan } from "../gpu/plan.ts";
import { requireFewPasses, spread } from "../gpu/plan.ts";
import { roundUp } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import { ROW_TILE, type Slicing, slicing } from "../model/slicing.ts";
import { pathBuffers, pathPasses } from "../task/path-pass.ts";
import type { PathKernel } from "../task/path-uniforms.ts";
import { MASK_KINDS, type TrialTensor } from "../task/tensors.ts";
import { type ChunkedGroup, chunkBatch } from "./chunks.ts";
import {
  adamPass,
  encoderGrads,
  lossView,
  normBlocks,
  readoutGrads,
  recurrentGrads,
  reducePasses,
  statsPass,
} from "./gradients.ts";
import type { RecordLayouts } from "./records.ts";
import {
  adjointPasses,
  type Chunk,
  chunkRows,
  encodePass,
  forwardPass,
  inputPasses,
  longestForward,
  longestWindow,
  readoutAdjointPass,
  readoutPass,
  slotView,
  type TimeWindow,
  timeWindows,
  UNUSED_BUFFERS,
  UNUSED_READ,
  unusedWrite,
  windowUniform,
} from "./recurrence.ts";
import {
  type AdapterSpec,
  CELL_EXTRA,
  gradientScaleOf,
  hasManyInputs,
  type RolloutSpec,
  slots,
  storedTune,
  withStorage,
} from "./spec.ts";
import {
  largestTrial,
  placedStride,
  placedWidth,
  placePass,
  START,
  type TrialShape,
  trialBuffers,
  trialTensors,
} from "./trials.ts";

export interface BatchOptions {
  readonly name: string;
  readonly rollout: RolloutSpec;
  readonly networks: number;
  /** B, rows of each network that count. */
  readonly batch: number;
  /** Generated trajectories; null when inputs, e_0 and targets are given. */
  readonly task: {
    readonly path: PathKernel;
    readonly inputScale: number;
    readonly stream: number;
    readonly code?: CodeSpec | null;
  } | null;
  /** Trials of given tensors that are brought to the device chunk by chunk; `task` is then null. */
  readonly trials?: TrialShape | null;
  /** Whether there is a target at all (evaluate may have none). */
  readonly loss: boolean;
  readonly l2Activity: number;
  /** 0: gradients are not clipped. */
  readonly clipNorm: number;
  /** Take an Adam step at the end. */
  readonly update: boolean;
  /** Keep every y (padded to quads) in `y_all`. */
  readonly keepReadout: boolean;
  /** Decode every y of place cells into `decoded` [T][R][4]. */
  readonly decode?: boolean;
  /** Iterations whose stats are kept until the host reads them. */
  readonly historySlots: number;
  readonly adapter: AdapterSpec;
  readonly records: RecordLayouts;
}

export interface BatchPlan {
  readonly plan: Plan;
  readonly groups: readonly ChunkedGroup[];
  /** Padded rows of one network. */
  readonly batchRows: number;
  /** Passes of each chunk, in the order of the groups' chunks; what follows a group's last chunk is its own. */
  readonly chunkPasses: readonly { readonly chunk: Chunk; readonly from: number; readonly to: number }[];
}

/** Scratch of one window, of readouts or of inputs that are made for it, stays below this. */
const WINDOW_SCRATCH = 32 << 20;

/** Steps that such a scratch has room for: whole blocks of the gradient, one at least. */
const scratchSteps = (slotFloats: number, timeBlock: number): number =>
  timeBlock * Math.max(1, Math.floor(WINDOW_SCRATCH / (4 * slotFloats) / timeBlock));

/** Steps of inputs that stand in memory together. */
const inputSteps = (r: RolloutSpec, slotFloats: number, timeBlock: number): number =>
  r.inputWindows ? scratchSteps(slotFloats, timeBlock) : Number.POSITIVE_INFINITY;

/** Trajectories of a chunk: positions, inputs unless they are made window by window, e_0. */
export function awakePaths(o: Pick<BatchOptions, "task" | "rollout" | "adapter">, c: Chunk): Pass[] {
  if (!o.task) return [];
  const rows = chunkRows(c);
  const { code } = o.task;
  const { rootSeed, noiseRounds } = o.rollout.model;
  return [
    ...pathPasses({
      ...o.task,
      rootSeed,
      noiseRounds,
      rows,
      steps: o.rollout.steps,
      buffers: { rows: c.table, positions: "positions", e0: code ? "start" : "e0" },
      input: code?.deltaInput ? null : { buffer: "input", stride: slots(o.rollout, rows).input },
      unused: unusedWrite(2),
      adapter: o.adapter,
    }),
    ...(code ? codeStart(o, code, rows) : []),
  ];
}

/** e_0 and what the softmax divides by, of every position. */
function codeStart(o: Pick<BatchOptions, "rollout">, { population }: CodeSpec, rows: number): Pass[] {
  const positions = { buffer: "positions" };
  const norms = { buffer: "norms" };
  return [
    ...normsPasses(population, (o.rollout.steps + 1) * rows, positions, norms),
    ratesPass(population, rows, cellsOf(population), {
      positions: slotView("positions", 2 * rows, 0, 1),
      norms: slotView("norms", 2 * rows, 0, 1),
      rates: { buffer: "e0" },
    }),
  ];
}

/** Lays a window of the chunk's trials out. */
function place(o: BatchOptions, c: Chunk, tensor: TrialTensor, w: TimeWindow): Pass[] {
  const { trials } = o;
  if (!trials) return [];
  const placed =
    tensor === "e0"
      ? { buffer: "e0" }
      : slotView(tensor === "u" ? "input" : tensor, placedStride(trials, tensor, chunkRows(c)), 0, w.steps);
  return [placePass(o.rollout.model, trials, tensor, c, w, placed)];
}

/** Tensors of a trial that stand in for what a path gives a rollout, and what the loss wants beside them. */
const LOSS_TENSORS: readonly TrialTensor[] = ["target", "mask"];

/** Where s_{t+1} of a window's first step lies, and how wide a target row is. */
function target(o: BatchOptions, rows: number, w: TimeWindow): { view: BufferView; width: number; stride: number } {
  if (o.trials) {
    const stride = placedStride(o.trials, "target", rows);
    return { view: slotView("target", stride, 0, w.steps), width: o.trials.outputs, stride };
  }
  if (o.task) return { view: slotView("positions", rows * 2, w.t0 + 1, w.steps), width: 2, stride: rows * 2 };
  const width = o.rollout.model.shape.outputs;
  const stride = roundUp(rows * width, 64);
  return { view: slotView("target", stride, w.t0, w.steps), width, stride };
}

/** What weights the squares of a window, and how it lies. */
function weights(o: BatchOptions, rows: number, w: TimeWindow): { view: BufferView; width: number; stride: number } {
  if (!o.trials || o.trials.mask === "none") return { view: UNUSED_READ, width: 0, stride: 0 };
  const stride = placedStride(o.trials, "mask", rows);
  return { view: slotView("mask", stride, 0, w.steps), width: placedWidth(o.trials, "mask"), stride };
}

/** Lanes that share a row of the loss: a function of O alone, as is the order of its sum. */
export const lossLanes = (outputs: number): number => (outputs > 16 ? 16 : 1);

function lossPass(o: BatchOptions, c: Chunk, w: TimeWindow, batchRows: number): Pass {
  const r = o.rollout;
  const rows = chunkRows(c);
  const goal = target(o, rows, w);
  const weight = weights(o, rows, w);
  const scale = 1 / (r.steps * o.batch);
  const lanes = lossLanes(r.model.shape.outputs);
  const serial = r.kind === "own-row";
  const tune = { LANES: lanes, ACTIVITY_ON: o.l2Activity > 0 ? 1 : 0, ...(serial ? { SERIAL: 1 } : {}) };
  const population = o.task?.code?.population;
  return {
    kind: "dispatch",
    label: "loss",
    kernel: population ? "rnn/loss_code" : "rnn/loss_mse",
    tune: {
      ...tune,
      ...storedTune(r),
      ...(population ? codeTune(population) : {}),
      ...(o.trials && weight.width > 0 ? { WEIGHTED: MASK_KINDS.indexOf(o.trials.mask) } : {}),
    },
    bind: {
      rows: { buffer: c.table },
      y: slotView("y", slots(r, rows).output, 0, w.steps),
      ...(population
        ? { positions: goal.view, norms: normsView(population, { ...goal.view, buffer: "norms" }) }
        : { goal: goal.view, weights: weight.view }),
      states: slotView("states", slots(r, rows).stored, w.t0, w.steps + 1),
      loss_rows: lossView(c, r.steps * batchRows),
      bad: { buffer: "bad" },
    },
    uniforms: {
      window: windowUniform(r, c, w),
      loss: {
        target_width: goal.width,
        target_stride: goal.stride,
        weight_width: weight.width,
        weight_stride: weight.stride,
        output_scale: scale / r.model.shape.outputs,
        activity_scale: (o.l2Activity * scale) / r.model.shape.units,
        batch_rows: batchRows,
        row0: c.row0,
      },
      ...(population ? { code: codeUniform(population) } : {}),
    },
    groups: spread(Math.ceil((w.steps * rows * (serial ? 1 : lanes)) / 64)),
  };
}

/** The inputs of a window, where they are made window by window. */
function inputOf(o: BatchOptions, c: Chunk, w: TimeWindow): Pass[] {
  const { task, rollout: r } = o;
  if (o.trials) return place(o, c, "u", w);
  if (!task?.code?.deltaInput) return [];
  const rows = chunkRows(c);
  const from = { rows, rootSeed: r.model.rootSeed, inputScale: task.inputScale };
  const pass = deltaPass(task.code.population, from, w, {
    rows: { buffer: c.table },
    positions: slotView("positions", 2 * rows, w.t0, w.steps + 1),
    norms: slotView("norms", 2 * rows, w.t0, w.steps + 1),
    input: slotView("input", slots(r, rows).input, 0, w.steps),
  });
  return [pass];
}

function forwardPasses(o: BatchOptions, c: Chunk, sl: Slicing): Pass[] {
  const r = o.rollout;
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const launch = longestForward(r, rows, o.adapter);
  if (!r.inputWindows && !hasManyInputs(r)) return timeWindows(r.steps, launch).map((w) => forwardPass(r, c, w));
  const flopsPerStep = 2 * rows * r.model.shape.units * r.inputs;
  const product = longestWindow(o.adapter, { slotBytes: 4 * Math.max(s.stored, s.input), flopsPerStep });
  return timeWindows(r.steps, Math.min(product, inputSteps(r, s.input, sl.timeBlock))).flatMap((w) => {
    const first = r.inputWindows ? 0 : w.t0;
    return [
      ...inputOf(o, c, w),
      ...inputPasses(r, c, w, first),
      ...timeWindows(w.steps, launch).map((l) =>
        forwardPass(r, c, { t0: w.t0 + l.t0, steps: l.steps }, { input0: () => first + l.t0 }),
      ),
    ];
  });
}

/** Slices of the gradient's sum, whose borders are part of its bits; without a gradient rows may be cut anywhere. */
function slicesOf(r: RolloutSpec, batchRows: number): Slicing {
  if (r.adjoint) return slicing(batchRows, r.steps, r.model.layout.stride);
  return { rowBlock: ROW_TILE, rowBlocks: batchRows / ROW_TILE, timeBlock: 1, timeBlocks: r.steps };
}

function chunkPasses(o: BatchOptions, c: Chunk, batchRows: number): Pass[] {
  const r = o.rollout;
  const rows = chunkRows(c);
  const s = slots(r, rows);
  const sl = slicesOf(r, batchRows);
  const out: Pass[] = [...awakePaths(o, c), ...place(o, c, "e0", START), encodePass(r, c)];
  const wanted = o.trials ? trialTensors(o.trials) : [];
  out.push(...forwardPasses(o, c, sl));
  const flopsPerStep = 4 * rows * r.model.shape.units * (r.model.shape.outputs + 4);
  const longest = longestWindow(o.adapter, {
    slotBytes: 4 * Math.max(s.stored, s.output, o.trials ? placedStride(o.trials, "target", rows) : 0),
    extraSlots: 1,
    flopsPerStep,
  });
  for (const w of timeWindows(r.steps, Math.min(longest, scratchSteps(s.output, sl.timeBlock)), sl.timeBlock)) {
    out.push(readoutPass(r, c, w));
    if (o.keepReadout) {
      out.push({
        kind: "copy",
        label: "keep readout",
        from: slotView("y", s.output, 0, w.steps),
        to: slotView("y_all", s.output, w.t0, w.steps),
        bytes: w.steps * s.output * 4,
      });
    }
    if (o.decode) out.push(...showPasses(o.task?.code, w.steps * rows, slotView("decoded", 4 * rows, w.t0, w.steps)));
    if (!o.loss) continue;
    for (const tensor of LOSS_TENSORS) if (wanted.includes(tensor)) out.push(...place(o, c, tensor, w));
    out.push(lossPass(o, c, w, batchRows));
    if (!r.adjoint) continue;
    out.push(...readoutGrads(r, c, w, sl));
    out.push(readoutAdjointPass(r, c, w, (2 * o.l2Activity) / (r.steps * o.batch * r.model.shape.units)));
  }
  if (!r.adjoint) return out;
  out.push(...adjointPasses(r, c, o.adapter));
  const gradFlops = 2 * rows * r.model.shape.units * (r.model.shape.units + r.inputs + 1);
  const gradLongest = longestWindow(o.adapter, { slotBytes: 4 * Math.max(s.stored, s.input), flopsPerStep: gradFlops });
  const gradSteps = Math.min(gradLongest, inputSteps(r, s.input, sl.timeBlock));
  for (const w of timeWindows(r.steps, gradSteps, sl.timeBlock)) {
    out.push(...inputOf(o, c, w), ...recurrentGrads(r, c, w, sl, r.inputWindows ? 0 : w.t0));
  }
  out.push(...encoderGrads(r, c, sl));
  return out;
}

export function codeBuffers({ population }: CodeSpec, T: number, rows: number): BufferSpec[] {
  return [
    { name: "start", bytes: 8 * rows, axes: "[R][2], s_0" },
    ...(isNormalised(population)
      ? [{ name: "norms", bytes: 8 * (T + 1) * rows, axes: "[T+1][R][2], of the softmax" }]
      : []),
  ];
}

/** Device bytes of the buffers that a chunk needs; chunks follow one another in the same buffers. */
function chunkBuffers(o: BatchOptions, rows: number, rowsPerNetwork: number, batchRows: number): BufferSpec[] {
  const r = o.rollout;
  const s = slots(r, rows);
  const T = r.steps;
  const sl = slicesOf(r, batchRows);
  const scratch = Math.min(T, scratchSteps(s.output, sl.timeBlock));
  const out: BufferSpec[] = [
    { name: "states", bytes: 4 * (T + 1) * s.stored, axes: "[T+1][R][N]" },
    { name: "y", bytes: 4 * scratch * s.output, axes: "[window][R][O], then d" },
    { name: "e0", bytes: 4 * rows * r.model.shape.encoderInputs, axes: "[R][E]" },
  ];
  if (r.inputs > 0) {
    const made = Math.min(T, inputSteps(r, s.input, sl.timeBlock));
    out.push({ name: "input", bytes: 4 * made * s.input, axes: r.inputWindows ? "[window][R][I]" : "[T][R][I]" });
  }
  if (r.extra)
    out.push({
      name: "extra",
      bytes: 4 * (r.extraHistory ? T + 1 : 1) * s.extra,
      axes: r.extraHistory ? "[T+1][v, c][R][N]" : "[v, c][R][N]",
    });
  if (r.noise === "given") out.push({ name: "noise_given", bytes: 4 * T * s.state, axes: "[T][R][N]" });
  if (o.task) {
    out.push({ name: "positions", bytes: 4 * (T + 1) * rows * 2, axes: "[T+1][R][2]" });
    out.push(...pathBuffers(o.task.path, rows));
    if (o.task.code) out.push(...codeBuffers(o.task.code, T, rows));
    if (o.decode) out.push(...shownBuffers(o.task.code, T, rows));
  } else if (o.trials) {
    const { trials } = o;
    out.push(...trialBuffers(trials, trialTensors(trials), rowsPerNetwork));
    for (const tensor of LOSS_TENSORS) {
      const bytes = 4 * scratch * placedStride(trials, tensor, rows);
      if (o.loss && bytes > 0) out.push({ name: tensor, bytes, axes: "[window][R][width], of the trials" });
    }
  } else if (o.loss) {
    out.push({ name: "target", bytes: 4 * T * roundUp(rows * r.model.shape.outputs, 64), axes: "[T][R][O]" });
  }
  if (o.keepReadout) out.push({ name: "y_all", bytes: 4 * T * s.output, axes: "[T][R][O]" });
  if (r.adjoint) {
    if (s.phi > 0) out.push({ name: "phi", bytes: 4 * T * s.phi, axes: "[T][R][φ′]" });
    out.push({ name: "du", bytes: 4 * T * s.stored, axes: "[T][R][N], W_outᵀd, then ga" });
    out.push({ name: "carry", bytes: 4 * (1 + (r.extra ? CELL_EXTRA : 0)) * s.state, axes: "[G_r, G_v, G_c][R][N]" });
  }
  return out;
}

/** `group`: networks of the largest group. */
function networkBuffers(o: BatchOptions, batchRows: number, group: number): BufferSpec[] {
  const r = o.rollout;
  const S = o.networks;
  const { stride } = r.model.layout;
  const n = roundUp(r.model.shape.units, 4);
  const out: BufferSpec[] = [
    { name: "weights", bytes: 4 * S * stride, axes: "[S][P]" },
    { name: "recurrent_t", bytes: 4 * S * n * n, axes: "[S][N][N], W_recᵀ" },
  ];
  if (o.loss) {
    out.push({ name: "loss_rows", bytes: 4 * S * roundUp(r.steps * batchRows, 64), axes: "[S][T][B]" });
    out.push({ name: "bad", bytes: 4 * S, axes: "[S]" });
    out.push({ name: "stats", bytes: S * o.records.stats.bytes, axes: "[S]" });
    out.push({ name: "history", bytes: o.historySlots * S * o.records.stats.bytes, axes: "[slots][S]" });
  }
  if (r.adjoint) {
    const sl = slicesOf(r, batchRows);
    out.push({
      name: "partials",
      bytes: 4 * group * sl.rowBlocks * sl.timeBlocks * stride,
      axes: "[group][slices][P]",
    });
    out.push({ name: "grads", bytes: 4 * S * stride, axes: "[S][P]" });
    out.push({ name: "square_sums", bytes: 4 * S * roundUp(normBlocks(stride), 64), axes: "[S][blocks]" });
  }
  if (o.update) {
    out.push({ name: "networks", bytes: S * o.records.network.bytes, axes: "[S]" });
    out.push({ name: "moment1", bytes: 4 * S * stride, axes: "[S][P]" });
    out.push({ name: "moment2", bytes: 4 * S * stride, axes: "[S][P]" });
  }
  return out;
}

export function planBatch(options: BatchOptions): BatchPlan {
  const { rollout, batch } = options;
  const gradientScale = gradientScaleOf(rollout, rollout.steps * batch * rollout.model.shape.outputs);
  const trialFloats = options.trials ? largestTrial(options.trials) : 0;
  const o = { ...options, rollout: { ...withStorage(rollout, options.adapter), gradientScale, trialFloats } };
  const r = o.rollout;
  const batchRows = paddedRows(o.batch);
  if (r.kind === "step") requireFewPasses(o.name, (r.adjoint ? 2 : 1) * r.steps, r.steps);
  const sl = slicesOf(r, batchRows);
  const groups = chunkBatch(r, o.networks, batchRows, sl, o.adapter);
  const chunks = groups.flatMap((g) => g.chunks);
  const largest = Math.max(...chunks.map(chunkRows));
  const passes: Pass[] = [];
  const ranges: { chunk: Chunk; from: number; to: number }[] = [];
  for (const g of groups) {
    for (const chunk of g.chunks) {
      const from = passes.length;
      // More than an argument list holds.
      for (const pass of chunkPasses(o, chunk, batchRows)) passes.push(pass);
      requireFewPasses(o.name, passes.length, r.steps);
      ranges.push({ chunk, from, to: passes.length });
    }
    if (!o.loss) continue;
    const loss = { steps: r.steps, rowsPerNetwork: batchRows, clipNorm: o.clipNorm };
    if (r.adjoint) passes.push(...reducePasses(r.model, g, o.networks, sl, loss));
    else passes.push(statsPass(g, o.networks, UNUSED_READ, 0, 0, loss));
    if (o.update) passes.push(adamPass(r.model, g));
  }
  const tables = chunks.map((c) => ({
    name: c.table,
    bytes: chunkRows(c) * o.records.row.bytes,
    axes: "[R] row records",
  }));
  const notes = [
    `${o.networks} networks × ${o.batch} rows (padded to ${batchRows}), T = ${r.steps}, N = ${r.model.shape.units}, I = ${r.inputs}, O = ${r.model.shape.outputs}`,
    `${groups.length} group${groups.length > 1 ? "s" : ""} of networks, ${chunks.length} chunk${chunks.length > 1 ? "s" : ""} of rows`,
  ];
  if (r.adjoint)
    notes.push(`gradient slices: ${sl.rowBlocks} × ${sl.rowBlock} rows, ${sl.timeBlocks} × ${sl.timeBlock} steps`);
  return {
    plan: {
      name: o.name,
      kind: r.kind,
      buffers: [
        ...networkBuffers(o, batchRows, Math.max(...groups.map((g) => g.networks))),
        ...chunkBuffers(o, largest, Math.max(...chunks.map((c) => c.rowsPerNetwork)), batchRows),
        ...tables,
        ...UNUSED_BUFFERS,
      ],
      passes,
      notes,
    },
    groups,
    batchRows,
    chunkPasses: ranges,
  };
}
