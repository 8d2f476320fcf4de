/** The rollouts of a run as jobs of a dump: an iteration's awake batch, and the replays of conditions. */
import { deltaPass } from "../code/passes.ts";
import type { CodeSpec } from "../code/population.ts";
import type { BufferSpec, Pass } from "../gpu/plan.ts";
import { awakePaths, codeBuffers } from "../kernels/batch.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import { type Chunk, chunkRows, encodePass, slotView, type TimeWindow, windowUniform } from "../kernels/recurrence.ts";
import { type AdapterSpec, type RolloutSpec, slots } from "../kernels/spec.ts";
import { placedStride, placedWidth, placePass, START, trialBuffers, trialTensors } from "../kernels/trials.ts";
import { usesModifiers } from "../model/dynamics.ts";
import { STREAM } from "../model/streams.ts";
import { replayRollout, startBuffers, startPasses } from "../replay/plan.ts";
import { type ReplaySpec, replayRows, replayStart } from "../replay/replay.ts";
import { pathBuffers } from "../task/path-pass.ts";
import { pathKernel } from "../task/path-uniforms.ts";
import { inputScale } from "../task/paths.ts";
import { type TensorsTask, TrialOrder, type TrialTensor } from "../task/tensors.ts";
import { awakeRollout, awakeRows } from "../train/plan.ts";
import type { TrainSpec } from "../train/spec.ts";
import { writeTrials } from "../train/trials.ts";
import { AWAKE_ONLY, CELLS_ONLY, HAS_END, ROLLOUT_ARRAYS, type RolloutArray } from "./arrays.ts";
import { type DumpPlanOptions, type MadeArray, planDump, rateTarget } from "./plan.ts";
import type { RolloutJob, Section } from "./rollout.ts";
import { keptIn, keptRows, type Selection } from "./selection.ts";

export interface JobContext {
  readonly selection: Selection;
  readonly adapter: AdapterSpec;
  readonly records: RecordLayouts;
}

/** Whether anything of an array is wanted of any section. */
const wanter =
  (sections: readonly Pick<Section, "name" | "awake">[], code: CodeSpec | null, s: Selection) =>
  (array: RolloutArray): boolean =>
    (code !== null || !CELLS_ONLY.includes(array)) &&
    sections.some(({ name, awake }) => (awake || !AWAKE_ONLY.includes(array)) && s.wants(`${name}_${array}`));

/** What of a rollout is computed and kept, for the plan and for the kernels. */
function demand(rollout: RolloutSpec, s: Selection, wants: (array: RolloutArray) => boolean) {
  const history = wants("v") || wants("c") || wants("a");
  return {
    rollout: { ...rollout, extra: rollout.extra || history, extraHistory: history },
    keeps: (array: RolloutArray, w: TimeWindow) =>
      wants(array) && keptIn(s, w, HAS_END.includes(array)).steps.length > 0,
    // Index t of most arrays is of the step that leads to t + 1.
    until: Math.min(rollout.steps, s.to + 1),
    selected: (network: number) => s.networks.includes(network),
  } satisfies Partial<DumpPlanOptions>;
}

function visiblePass(r: RolloutSpec, chunk: Chunk): Pass {
  return {
    kind: "dispatch",
    label: "visible",
    kernel: "task/visible",
    tune: { PHILOX_ROUNDS: r.model.noiseRounds },
    bind: { rows: { buffer: chunk.table }, visible: { buffer: "visible" } },
    uniforms: { window: windowUniform(r, chunk, { t0: 0, steps: 0 }) },
    groups: [Math.ceil(chunkRows(chunk) / 32), 1, 1],
  };
}

/** Changes of the code over a window, where they are the input. */
function changesOfCode(code: CodeSpec, r: RolloutSpec, scale: number) {
  return (chunk: Chunk, w: TimeWindow): Pass[] => {
    const rows = chunkRows(chunk);
    return [
      deltaPass(code.population, { rows, rootSeed: r.model.rootSeed, inputScale: scale }, w, {
        rows: { buffer: chunk.table },
        positions: slotView("positions", 2 * rows, w.t0, w.steps + 1),
        norms: slotView("norms", 2 * rows, w.t0, w.steps + 1),
        input: slotView("input", slots(r, rows).input, 0, w.steps),
      }),
    ];
  };
}

/** What iteration `iteration` trains on. */
export function awakeJob(
  spec: TrainSpec,
  o: JobContext & { readonly name: string; readonly iteration: number },
): RolloutJob {
  const { selection: s, adapter } = o;
  const code = spec.code ?? null;
  const sections = [{ name: o.name, row0: 0, rows: keptRows(s, spec.batch), awake: true }];
  const wants = wanter(sections, code, s);
  const storage = adapter.workgroupStorage === undefined ? {} : { workgroupStorage: adapter.workgroupStorage };
  const wanted = demand({ ...awakeRollout(spec, false), ...storage }, s, wants);
  const { rollout } = wanted;
  const source = awakeSource(spec, rollout, o);
  const plan = planDump({
    ...wanted,
    name: "dump",
    networks: spec.networks.length,
    rows: sections[0]?.rows ?? 0,
    code,
    made: source.made,
    begin: (chunk): Pass[] => [
      ...source.begin(chunk),
      ...(wants("visible") ? [visiblePass(rollout, chunk)] : []),
      encodePass(rollout, chunk),
    ],
    ...(source.windowInputs ? { windowInputs: source.windowInputs } : {}),
    beginBuffers: (rows) => [
      ...(wants("visible") ? [{ name: "visible", bytes: 4 * spec.steps * rows, axes: "[T][R]" }] : []),
      ...source.buffers(rows),
    ],
    adapter,
    records: o.records,
  });
  const rows = awakeRows(spec, spec.batch).map((own) => own.slice(s.rows[0], s.rows[1]));
  const job = { plan, rollout, code, rows, sections, iteration: o.iteration, startStates: null };
  const { hasPositions, bring } = source;
  return { ...job, hasPositions, ...(bring ? { bring } : {}) };
}

interface AwakeSource {
  readonly begin: (chunk: Chunk) => Pass[];
  readonly buffers: (rows: number) => BufferSpec[];
  readonly windowInputs: DumpPlanOptions["windowInputs"];
  readonly made: readonly MadeArray[];
  readonly hasPositions: boolean;
  readonly bring?: RolloutJob["bring"];
}

/** What a batch is made of: generated paths, or given trials. */
function awakeSource(
  spec: TrainSpec,
  rollout: RolloutSpec,
  o: JobContext & { readonly iteration: number },
): AwakeSource {
  const { task, code = null, steps } = spec;
  if (task.kind === "tensors") return trialSource(spec, task, o);
  const scale = inputScale(task);
  const own = { path: pathKernel(task), inputScale: scale, stream: STREAM.trainPaths, code };
  return {
    begin: (chunk) => awakePaths({ task: own, rollout, adapter: o.adapter }, chunk),
    buffers: (rows) => [
      { name: "positions", bytes: 8 * (steps + 1) * rows, axes: "[T+1][R][2]" },
      ...pathBuffers(own.path, rows),
      ...(code ? codeBuffers(code, steps, rows) : []),
    ],
    windowInputs: code?.deltaInput ? changesOfCode(code, rollout, scale) : undefined,
    made: code ? [rateTarget(code)] : [],
    hasPositions: true,
  };
}

function trialSource(
  { model, batch }: TrainSpec,
  task: TensorsTask,
  { iteration, selection: s }: JobContext & { readonly iteration: number },
): AwakeSource {
  const trials = new TrialOrder(task, model.rootSeed).training(iteration, batch).subarray(s.rows[0]);
  const place = (tensor: TrialTensor, chunk: Chunk, w: TimeWindow): Pass[] => {
    const slot = placedStride(task, tensor, chunkRows(chunk));
    const placed = tensor === "e0" ? { buffer: "e0" } : slotView(tensor === "u" ? "input" : tensor, slot, 0, w.steps);
    return [placePass(model, task, tensor, chunk, w, placed, s.rows[0] + chunk.row0)];
  };
  return {
    begin: (chunk) => place("e0", chunk, START),
    buffers: (rows) => trialBuffers(task, trialTensors(task), rows),
    windowInputs: (chunk, w) => place("u", chunk, w),
    made: (["target", "mask"] as const)
      .filter((array) => placedWidth(task, array) > 0)
      .map((array) => ({
        array,
        width: placedWidth(task, array),
        slot: (rows) => placedStride(task, array, rows),
        passes: (chunk, w) => place(array, chunk, w),
      })),
    hasPositions: false,
    bring: (gpu, program, { row0, rowsPerNetwork }) => {
      for (const tensor of trialTensors(task))
        writeTrials(gpu, program, task, tensor, trials.subarray(row0, row0 + rowsPerNetwork));
    },
  };
}

const anyArray = (s: Selection, name: string): boolean =>
  Object.keys(ROLLOUT_ARRAYS).some(
    (array) => !AWAKE_ONLY.includes(array as RolloutArray) && s.wants(`${name}_${array}`),
  );

/** Replays as `reverie replay` makes them, bit for bit; conditions of which nothing is wanted are not computed. */
export function replayJob(spec: ReplaySpec, names: readonly string[], o: JobContext): RolloutJob {
  const { selection: s } = o;
  const code = spec.code ?? null;
  const rows = keptRows(s, spec.repeats);
  const conditions = names.flatMap((name, index) => (anyArray(s, `replay_${name}`) ? [{ name, index }] : []));
  const sections = conditions.map(({ name }, i) => ({
    name: `replay_${name}`,
    row0: i * rows,
    rows,
    awake: false,
  }));
  const steps = spec.conditions.flatMap((own) => conditions.map(({ index }) => own[index] as (typeof own)[number]));
  const options = {
    model: spec.model,
    kind: spec.kind,
    steps: spec.steps,
    noise: steps.some((c) => c.noiseStd > 0 && c.noiseScale > 0),
    extra: steps.some(usesModifiers),
    start: spec.startStates ? null : replayStart(spec),
    code,
    adapter: o.adapter,
  };
  const wanted = demand(replayRollout(options), s, wanter(sections, code, s));
  const plan = planDump({
    ...wanted,
    name: "dump",
    networks: spec.seeds.length,
    rows: conditions.length * rows,
    code,
    made: [],
    begin: (chunk) => startPasses(options, wanted.rollout, chunk),
    beginBuffers: (count) => startBuffers(options, count),
    adapter: o.adapter,
    records: o.records,
  });
  const kept = replayRows(spec).map((own) =>
    conditions.flatMap(({ index }) =>
      own.slice(index * spec.repeats, (index + 1) * spec.repeats).slice(s.rows[0], s.rows[1]),
    ),
  );
  const startStates = spec.startStates && { states: spec.startStates, repeats: spec.repeats };
  const job = { plan, rollout: wanted.rollout, code, rows: kept, sections, iteration: 0, startStates };
  return { ...job, hasPositions: false, ...bringStarts(spec) };
}

/** Of given trials: e_0, one a repeat. */
function bringStarts({ task, model, repeats, startStates }: ReplaySpec): Pick<RolloutJob, "bring"> {
  if (task.kind !== "tensors" || startStates) return {};
  const trials = new TrialOrder(task, model.rootSeed).test(repeats);
  return { bring: (gpu, program) => writeTrials(gpu, program, task, "e0", trials) };
}
