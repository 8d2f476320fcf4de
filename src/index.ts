/**
 * reverie as a library: open a GPU, train path-integrating networks, replay them, measure.
 *
 * ```ts
 * import { loadConfig, openGpu, trainSpecOf, Trainer, replaySpecOf, runReplay } from "reverie";
 *
 * const { config } = loadConfig({ preset: "tmaze" });
 * const gpu = await openGpu();
 * const trainer = await Trainer.create(gpu, trainSpecOf(config, "step"));
 * await trainer.run({ onStats: (s) => console.error(s.iteration, s.loss) });
 * const replay = await runReplay(gpu, replaySpecOf(config, "step", null), trainer.buffers);
 * trainer.destroy();
 * await gpu.close();
 * ```
 */
export { type LoadedConfig, loadConfig } from "./config/load.ts";
export { presets } from "./config/presets/index.ts";
export { networkSettings, networkShape, pathTask, replayConditions } from "./config/resolve.ts";
export type { ExperimentConfig } from "./config/schema.ts";
export * from "./errors.ts";
export { type EvaluateInput, type EvaluateOutput, evaluateModel } from "./evaluate/evaluate.ts";
export type { AdapterFacts } from "./gpu/adapter.ts";
export { Gpu } from "./gpu/context.ts";
export { type OpenOptions, openGpu } from "./gpu/open-node.ts";
export { describePlan, type Pass, type Plan, type PlanKind } from "./gpu/plan.ts";
export { adapterSpec, choosePlanKind, type ModelSpec, modelSpec } from "./kernels/spec.ts";
export { geometryOf } from "./metrics/geometry.ts";
export { type MetricRecord, measureRun } from "./metrics/measure.ts";
export { METRICS } from "./metrics/table.ts";
export type { Activation, StepParameters } from "./model/dynamics.ts";
export { type Profile, type ProfileOptions, profileShape } from "./profile/profile.ts";
export { PROFILE_SHAPES, type ProfileShape } from "./profile/shapes.ts";
export { type ReplayOutcome, type ReplaySpec, replayPlanOf, runReplay } from "./replay/replay.ts";
export { replaySpecOf, trainSpecOf } from "./run/experiment.ts";
export { generatePaths } from "./task/generate.ts";
export { ouTask, type PathTask, tmazeTask, triangleTask } from "./task/paths.ts";
export {
  GivenBatch,
  type GivenBatchSpec,
  type GivenStats,
  type GivenTensors,
  planGivenBatch,
} from "./train/given-batch.ts";
export type { Outcome } from "./train/outcome.ts";
export type { TrainSpec } from "./train/spec.ts";
export { type IterationStats, Trainer } from "./train/trainer.ts";
