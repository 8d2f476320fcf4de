/** Quiescent rollouts of trained networks: packs conditions into rows, runs the plan, hands the readouts over. */
import { shownOf } from "../code/passes.ts";
import type { CodeSpec } from "../code/population.ts";
import { UsageError } from "../errors.ts";
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { Clock, Program } from "../gpu/program.ts";
import { type RecordLayouts, recordLayouts } from "../kernels/records.ts";
import { type Chunk, chunkRows } from "../kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec, CELL_EXTRA, type ModelSpec, withRoom } from "../kernels/spec.ts";
import { unpackRows } from "../kernels/unpack.ts";
import { type StepParameters, usesModifiers } from "../model/dynamics.ts";
import { roundUp } from "../model/parameters.ts";
import { packRows, type RowRecord } from "../model/rows.ts";
import { pathKernel } from "../task/path-uniforms.ts";
import { type AwakeTask, inputScale } from "../task/paths.ts";
import { TrialOrder } from "../task/tensors.ts";
import { writeTrials } from "../train/trials.ts";
import { planReplay, type ReplayPlan, type ReplayStart, savedSteps } from "./plan.ts";

/** What is replayed: networks, conditions, repeats, and what is kept. Plain data. */
export interface ReplaySpec {
  readonly model: ModelSpec;
  readonly seeds: readonly number[];
  /** [network][condition] */
  readonly conditions: readonly (readonly StepParameters[])[];
  /** Trajectories per network and condition. */
  readonly repeats: number;
  readonly steps: number;
  readonly saveEvery: number;
  readonly saveStates: boolean;
  /** Keep v and c of the saved steps too. */
  readonly saveExtra?: boolean;
  /** Conditions share their noise and start positions, for paired comparisons. */
  readonly pairedNoise: boolean;
  /** Which noise each condition has, whatever `pairedNoise` says: equal numbers, equal noise. */
  readonly noiseOf?: readonly number[];
  /** Start from encoded positions of this task, or from e_0 of its test trials … */
  readonly task: AwakeTask;
  /** Place cells on its paths, if any. */
  readonly code?: CodeSpec | null;
  /** Keep their activity at every n-th step; 0 or nothing: at none. */
  readonly codeEvery?: number;
  /** … or from these states (S, repeats, N). */
  readonly startStates: Float32Array | null;
  /** … or go on from whole states in the middle of a rollout; then neither task nor `startStates` matters. */
  readonly goOn?: GivenStates | null;
  readonly kind: PlanKind;
  readonly adapter?: AdapterSpec;
}

/**
 * Whole states (r, v, c) of every row at one time, (S, conditions · repeats, N) each, condition by condition. Wherever
 * they come from, the rollout that goes on from them has the bits of one that came here by itself.
 */
export interface GivenStates {
  /** Their time t ≥ 1, which says which noise comes next: that of step t. */
  readonly step: number;
  readonly r: Float32Array;
  readonly v: Float32Array;
  readonly c: Float32Array;
}

/** One condition's rollouts. */
export interface ReplayResult {
  /** (S, saved, repeats, O): readouts of r_t for t = saveEvery, 2·saveEvery, …; of place cells their position, O = 2. */
  readonly readout: Float32Array;
  /** (S, kept, repeats, O): the activity of place cells at every `codeEvery`-th step, or null. */
  readonly code: Float32Array | null;
  /** (S, saved, repeats, N), or null. */
  readonly states: Float32Array | null;
  /** (S, saved, repeats, N) each, or null. */
  readonly v: Float32Array | null;
  readonly c: Float32Array | null;
  /** (S, repeats, N): the last state. */
  readonly last: Float32Array;
}

/** The rollouts of every condition, in the order of the spec; when interrupted, not all steps are there. */
export interface ReplayOutcome {
  readonly kind: "completed" | "interrupted";
  readonly conditions: readonly ReplayResult[];
  readonly plan: ReplayPlan;
  /** Rows × steps that were run. */
  readonly rowSteps: number;
}

const needsExtra = (spec: ReplaySpec): boolean =>
  Boolean(spec.goOn) || spec.saveExtra === true || spec.conditions.flat().some(usesModifiers);

/** Where encoded starts come from. */
export function replayStart({ task, repeats }: Pick<ReplaySpec, "task" | "repeats">): ReplayStart {
  if (task.kind === "tensors") return { trials: task, count: repeats };
  return { path: pathKernel(task), inputScale: inputScale(task) };
}

/** The passes of a replay, without running them. @throws UsageError where it does not fit the adapter */
export function replayPlanOf(spec: ReplaySpec, adapter: AdapterSpec, records: RecordLayouts): ReplayPlan {
  const all = spec.conditions.flat();
  return planReplay({
    model: spec.model,
    kind: spec.kind,
    networks: spec.seeds.length,
    rows: (spec.conditions[0]?.length ?? 0) * spec.repeats,
    steps: spec.steps,
    saveEvery: spec.saveEvery,
    saveStates: spec.saveStates,
    noise: all.some((c) => c.noiseStd > 0 && c.noiseScale > 0),
    extra: needsExtra(spec),
    saveExtra: spec.saveExtra ?? false,
    firstStep: spec.goOn?.step ?? 0,
    start: spec.startStates || spec.goOn ? null : replayStart(spec),
    code: spec.code ?? null,
    codeEvery: spec.codeEvery ?? 0,
    adapter,
    records,
  });
}

/** Rows of every network: condition by condition, repeats within. */
export function replayRows(spec: ReplaySpec): RowRecord[][] {
  return spec.seeds.map((networkSeed, s) =>
    (spec.conditions[s] ?? []).flatMap((step, c) =>
      Array.from({ length: spec.repeats }, (_, trajectory) => ({
        step,
        networkSeed,
        trajectory,
        epoch: spec.noiseOf?.[c] ?? (spec.pairedNoise ? 0 : c),
        maskEvery: 1,
        maskRandom: false,
      })),
    ),
  );
}

export interface ReplayRunOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (rowSteps: number, total: number) => void;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
}

/** `trained` holds the buffers `weights` and `recurrent_t` of all networks. Throws GpuError, UsageError. */
export async function runReplay(
  gpu: Gpu,
  spec: ReplaySpec,
  trained: ReadonlyMap<string, DeviceBuffer>,
  options: ReplayRunOptions = {},
): Promise<ReplayOutcome> {
  const layouts = recordLayouts(gpu.options.readShader);
  const shared = new Map(["weights", "recurrent_t"].map((name) => [name, trained.get(name) as DeviceBuffer]));
  const { plan, program } = await withRoom(spec.adapter ?? adapterSpec(gpu), async (adapter) => {
    const planned = replayPlanOf(spec, adapter, layouts);
    return { plan: planned, program: await Program.create(gpu, planned.plan, shared) };
  });
  const clock = new Clock(gpu, 1);
  const rows = replayRows(spec);
  const [S, N, O] = [spec.seeds.length, spec.model.shape.units, spec.model.shape.outputs];
  const shown = shownOf(spec.code, O);
  const codes = spec.code && spec.codeEvery ? savedSteps(spec.steps, spec.codeEvery) : 0;
  const conditions = spec.conditions[0]?.length ?? 0;
  const saved = savedSteps(spec.steps, spec.saveEvery);
  const perCondition = Array.from({ length: conditions }, () => ({
    readout: new Float32Array(S * saved * spec.repeats * shown.width),
    code: codes > 0 ? new Float32Array(S * codes * spec.repeats * O) : null,
    states: spec.saveStates ? new Float32Array(S * saved * spec.repeats * N) : null,
    v: spec.saveExtra ? new Float32Array(S * saved * spec.repeats * N) : null,
    c: spec.saveExtra ? new Float32Array(S * saved * spec.repeats * N) : null,
    last: new Float32Array(S * spec.repeats * N),
  }));
  const total = S * conditions * spec.repeats * spec.steps;
  let done = 0;
  let interrupted = false;
  try {
    if (program.clockKernel)
      clock.set(0, program.clockKernel, { iteration: 0, slot: 0, progress: 0, correction1: 1, correction2: 1 });
    // Repeat i of every condition starts where test trial i does.
    const { task } = spec;
    if (task.kind === "tensors" && !spec.startStates && !spec.goOn) {
      const trials = new TrialOrder(task, spec.model.rootSeed).test(spec.repeats);
      writeTrials(gpu, program, task, "e0", trials);
    }
    for (const { chunk, from, to, marks } of plan.chunks) {
      const size = chunkRows(chunk);
      const own = rows
        .slice(chunk.network0, chunk.network0 + chunk.networks)
        .map((r) => r.slice(chunk.row0, chunk.row0 + chunk.rowsPerNetwork));
      gpu.write(program.buffer(chunk.table), packRows(layouts.row, own, chunk.rowsPerNetwork));
      const n4 = Math.ceil(N / 4) * 4;
      const o4 = Math.ceil(O / 4) * 4;
      const counts = own.map((r) => r.length);
      if (spec.goOn) writeGiven(gpu, program, spec, spec.goOn, chunk, counts);
      else if (spec.startStates)
        gpu.write(program.buffer("states"), startSlot(spec.startStates, spec, chunk, size, n4, counts));
      const counted = own.reduce((sum, r) => sum + r.length, 0);
      let at = from;
      let steps = 0;
      for (const mark of marks) {
        await program.run({
          label: "replay",
          clock,
          from: at,
          to: mark.pass,
          ...(options.onCompile && done === 0 && at === from ? { onCompile: options.onCompile } : {}),
        });
        at = mark.pass;
        done += counted * (mark.steps - steps);
        steps = mark.steps;
        options.onProgress?.(done, total);
        if (options.signal?.aborted) {
          interrupted = true;
          break;
        }
      }
      if (interrupted) break;
      if (at < to) await program.run({ label: "replay", clock, from: at, to });
      const y = await gpu.readF32(program.buffer("y_all"), 0, saved * size * shown.floats * 4);
      const activity = codes > 0 ? await gpu.readF32(program.buffer("code_all"), 0, codes * size * o4 * 4) : null;
      const r = spec.saveStates ? await gpu.readF32(program.buffer("r_all"), 0, saved * size * n4 * 4) : null;
      // The ring's first slot holds the last state: it was carried over.
      const last = await gpu.readF32(program.buffer("states"), 0, size * n4 * 4);
      const take = (
        device: Float32Array,
        slots: number,
        width: number,
        padded: number,
        tensor: "readout" | "code" | "states" | "v" | "c" | "last",
      ) =>
        unpackRows(device, chunk, conditions * spec.repeats, slots, width, padded, (row) => ({
          out: (perCondition[Math.floor(row / spec.repeats)] as (typeof perCondition)[number])[tensor] as Float32Array,
          row: row % spec.repeats,
          rows: spec.repeats,
        }));
      take(y, saved, shown.width, shown.floats, "readout");
      if (activity) take(activity, codes, O, o4, "code");
      if (r) take(r, saved, N, n4, "states");
      if (spec.saveExtra) {
        const extra = await gpu.readF32(program.buffer("extra_all"), 0, saved * size * n4 * 4 * CELL_EXTRA);
        take(everyOther(extra, size * n4, 0), saved, N, n4, "v");
        take(everyOther(extra, size * n4, 1), saved, N, n4, "c");
      }
      take(last, 1, N, n4, "last");
    }
    return { kind: interrupted ? "interrupted" : "completed", conditions: perCondition, plan, rowSteps: done };
  } finally {
    program.destroy();
    clock.destroy();
  }
}

/** Slots 0, 2, … or 1, 3, … of a device tensor. */
function everyOther(device: Float32Array, slot: number, first: 0 | 1): Float32Array {
  const out = new Float32Array(device.length / CELL_EXTRA);
  for (let to = 0; to < out.length; to += slot) {
    const from = CELL_EXTRA * to + first * slot;
    out.set(device.subarray(from, from + slot), to);
  }
  return out;
}

/** r, v and c of a chunk's rows to where the rollout finds them. @throws UsageError */
function writeGiven(
  gpu: Gpu,
  program: Program,
  spec: ReplaySpec,
  given: GivenStates,
  chunk: Chunk,
  counts: readonly number[],
): void {
  // At t = 0 the kernels take v and c for 0 without a look.
  if (!(given.step >= 1)) throw new UsageError(`a rollout goes on from step 1 or later, not ${given.step}`);
  const all = { model: spec.model, repeats: (spec.conditions[0]?.length ?? 0) * spec.repeats };
  const size = chunkRows(chunk);
  const n4 = roundUp(spec.model.shape.units, 4);
  const slot = (x: Float32Array) => startSlot(x, all, chunk, size, n4, counts);
  gpu.write(program.buffer("states"), slot(given.r));
  gpu.write(program.buffer("extra"), slot(given.v));
  gpu.write(program.buffer("extra"), slot(given.c), 4 * size * n4);
}

/** r_0 of a chunk's rows from (S, repeats, N); padded rows stay 0. */
export function startSlot(
  states: Float32Array,
  spec: Pick<ReplaySpec, "model" | "repeats">,
  chunk: { network0: number; row0: number; rowsPerNetwork: number; networks: number },
  size: number,
  n4: number,
  counts: readonly number[],
): Float32Array<ArrayBuffer> {
  const N = spec.model.shape.units;
  const out = new Float32Array(size * n4);
  counts.forEach((count, s) => {
    for (let b = 0; b < count; b++) {
      const from = ((chunk.network0 + s) * spec.repeats + ((chunk.row0 + b) % spec.repeats)) * N;
      out.set(states.subarray(from, from + N), (s * chunk.rowsPerNetwork + b) * n4);
    }
  });
  return out;
}
