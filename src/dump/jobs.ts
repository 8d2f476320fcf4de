/** The rollouts of a run as jobs of a dump: an iteration's awake batch, and the replays of all conditions. */
import { UsageError } from "../errors.ts";
import type { Pass } from "../gpu/plan.ts";
import { awakePaths, codeBuffers } from "../kernels/batch.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import { chunkRows, encodePass, windowUniform } from "../kernels/recurrence.ts";
import { type AdapterSpec, hasManyInputs, type RolloutSpec } from "../kernels/spec.ts";
import { STREAM } from "../model/streams.ts";
import { replayRollout, startBuffers, startPasses } from "../replay/plan.ts";
import { type ReplaySpec, replayRows } from "../replay/replay.ts";
import { pathBuffers } from "../task/path-pass.ts";
import { pathKernel } from "../task/path-uniforms.ts";
import { inputScale } from "../task/paths.ts";
import { awakeRows } from "../train/plan.ts";
import type { TrainSpec } from "../train/spec.ts";
import { planDump } from "./plan.ts";
import type { RolloutJob } from "./rollout.ts";

/** Steps 0 … `until` of what iteration `iteration` trains on. @throws UsageError for inputs that are made in windows */
export function awakeJob(
  spec: TrainSpec,
  o: {
    readonly name: string;
    readonly iteration: number;
    readonly adapter: AdapterSpec;
    readonly records: RecordLayouts;
  },
): RolloutJob {
  const rollout: RolloutSpec = {
    model: spec.model,
    kind: spec.kind,
    ...(o.adapter.workgroupStorage === undefined ? {} : { workgroupStorage: o.adapter.workgroupStorage }),
    steps: spec.steps,
    noise: spec.networks.some((n) => n.step.noiseStd > 0) ? "drawn" : "none",
    stream: STREAM.awakeNoise,
    clocked: true,
    extra: true,
    extraHistory: true,
    adjoint: false,
    inputs: spec.model.shape.inputs,
  };
  if (hasManyInputs(rollout)) {
    throw new UsageError(
      `awake states of a network with ${rollout.inputs} inputs cannot be dumped (at most 16); leave them out: --include 'W_*,replay_*'`,
    );
  }
  const task = {
    path: pathKernel(spec.task),
    inputScale: inputScale(spec.task),
    stream: STREAM.trainPaths,
    code: spec.code ?? null,
  };
  const plan = planDump({
    name: "dump",
    rollout,
    networks: spec.networks.length,
    rows: spec.batch,
    begin: (chunk): Pass[] => [
      ...awakePaths({ task, rollout, adapter: o.adapter }, chunk),
      {
        kind: "dispatch",
        label: "visible",
        kernel: "task/visible",
        tune: { PHILOX_ROUNDS: spec.model.noiseRounds },
        bind: { rows: { buffer: chunk.table }, visible: { buffer: "visible" } },
        uniforms: { window: windowUniform(rollout, chunk, { t0: 0, steps: 0 }) },
        groups: [Math.ceil(chunkRows(chunk) / 32), 1, 1],
      },
      encodePass(rollout, chunk),
    ],
    beginBuffers: (rows) => [
      { name: "positions", bytes: 8 * (spec.steps + 1) * rows, axes: "[T+1][R][2]" },
      { name: "visible", bytes: 4 * spec.steps * rows, axes: "[T][R]" },
      ...pathBuffers(task.path, rows),
      ...(task.code ? codeBuffers(task.code, spec.steps, rows) : []),
    ],
    adapter: o.adapter,
    records: o.records,
  });
  const rows = awakeRows(spec, spec.batch);
  const sections = [{ name: o.name, row0: 0, rows: spec.batch, awake: true }];
  return { plan, rollout, rows, sections, iteration: o.iteration };
}

/** Replays as `reverie replay` makes them, bit for bit. @throws UsageError where they start from awake states */
export function replayJob(
  spec: ReplaySpec,
  names: readonly string[],
  o: { readonly adapter: AdapterSpec; readonly records: RecordLayouts },
): RolloutJob {
  const all = spec.conditions.flat();
  const start = { path: pathKernel(spec.task), inputScale: inputScale(spec.task) };
  const options = {
    model: spec.model,
    kind: spec.kind,
    steps: spec.steps,
    noise: all.some((c) => c.noiseStd > 0 && c.noiseScale > 0),
    extra: true,
    start,
    code: spec.code ?? null,
    adapter: o.adapter,
  };
  const rollout = { ...replayRollout(options), extraHistory: true };
  const plan = planDump({
    name: "dump",
    rollout,
    networks: spec.seeds.length,
    rows: names.length * spec.repeats,
    begin: (chunk) => startPasses(options, rollout, chunk),
    beginBuffers: (rows) => startBuffers(options, rows),
    adapter: o.adapter,
    records: o.records,
  });
  const sections = names.map((name, i) => ({
    name: `replay_${name}`,
    row0: i * spec.repeats,
    rows: spec.repeats,
    awake: false,
  }));
  return { plan, rollout, rows: replayRows(spec), sections, iteration: 0 };
}
