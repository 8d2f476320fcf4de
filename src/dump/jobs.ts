/** The rollouts of a run as jobs of a dump: an iteration's awake batch, and the replays of conditions. */
import { deltaPass } from "../code/passes.ts";
import type { CodeSpec } from "../code/population.ts";
import type { Pass } from "../gpu/plan.ts";
import { awakePaths, codeBuffers } from "../kernels/batch.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import { type Chunk, chunkRows, encodePass, slotView, type TimeWindow, windowUniform } from "../kernels/recurrence.ts";
import { type AdapterSpec, type RolloutSpec, slots } from "../kernels/spec.ts";
import { usesModifiers } from "../model/dynamics.ts";
import { STREAM } from "../model/streams.ts";
import { replayRollout, startBuffers, startPasses } from "../replay/plan.ts";
import { type ReplaySpec, replayRows } from "../replay/replay.ts";
import { pathBuffers } from "../task/path-pass.ts";
import { pathKernel } from "../task/path-uniforms.ts";
import { inputScale } from "../task/paths.ts";
import { awakeRollout, awakeRows } from "../train/plan.ts";
import type { TrainSpec } from "../train/spec.ts";
import { AWAKE_ONLY, CELLS_ONLY, HAS_END, ROLLOUT_ARRAYS, type RolloutArray } from "./arrays.ts";
import { type DumpPlanOptions, planDump } from "./plan.ts";
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
  const task = { path: pathKernel(spec.task), inputScale: inputScale(spec.task), stream: STREAM.trainPaths, code };
  const plan = planDump({
    ...wanted,
    name: "dump",
    networks: spec.networks.length,
    rows: sections[0]?.rows ?? 0,
    code,
    begin: (chunk): Pass[] => [
      ...awakePaths({ task, rollout, adapter }, chunk),
      ...(wants("visible") ? [visiblePass(rollout, chunk)] : []),
      encodePass(rollout, chunk),
    ],
    ...(code?.deltaInput ? { windowInputs: changesOfCode(code, rollout, task.inputScale) } : {}),
    beginBuffers: (rows) => [
      { name: "positions", bytes: 8 * (spec.steps + 1) * rows, axes: "[T+1][R][2]" },
      ...(wants("visible") ? [{ name: "visible", bytes: 4 * spec.steps * rows, axes: "[T][R]" }] : []),
      ...pathBuffers(task.path, rows),
      ...(code ? codeBuffers(code, spec.steps, rows) : []),
    ],
    adapter,
    records: o.records,
  });
  const rows = awakeRows(spec, spec.batch).map((own) => own.slice(s.rows[0], s.rows[1]));
  return { plan, rollout, code, rows, sections, iteration: o.iteration, startStates: null };
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
    start: spec.startStates ? null : { path: pathKernel(spec.task), inputScale: inputScale(spec.task) },
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
  return { plan, rollout: wanted.rollout, code, rows: kept, sections, iteration: 0, startStates };
}
