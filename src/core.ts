/**
 * What of reverie needs no Node, for web pages: `import { Gpu, Trainer, runReplay } from "reverie/core"`. A page brings the
 * adapter and the text of the shaders, which the package has under `reverie/shaders/`. Files, and what reads them, are left
 * out.
 *
 * ```ts
 * const adapter = await navigator.gpu.requestAdapter();
 * const gpu = await Gpu.open(navigator.gpu, adapter, { readShader: (path) => textOf(path) });
 * const trainer = await Trainer.create(gpu, spec);
 * await trainer.run({ onStats: ({ iteration, loss }) => console.log(iteration, loss) });
 * const { conditions } = await runReplay(gpu, replaySpec, trainer.buffers);
 * ```
 *
 * @packageDocumentation
 */
export { type Preset, presets } from "./config/presets/index.ts";
export { configJsonSchema, type ExperimentConfig } from "./config/schema.ts";
export * from "./errors.ts";
export { type EvaluateInput, type EvaluateOutput, evaluateModel } from "./evaluate/evaluate.ts";
export type { AdapterFacts } from "./gpu/adapter.ts";
export { Gpu } from "./gpu/context.ts";
export { describePlan, type Pass, type Plan, type PlanKind } from "./gpu/plan.ts";
export { describeKernel, type KernelDescription } from "./kernels/catalog.ts";
export { adapterSpec, choosePlanKind, type ModelSpec, modelSpec } from "./kernels/spec.ts";
export { geometryOf } from "./metrics/geometry.ts";
export { type MetricRecord, measureRun } from "./metrics/measure.ts";
export { METRICS } from "./metrics/table.ts";
export type { Activation, StepParameters } from "./model/dynamics.ts";
export type { Ended, OutcomeKind, RolloutsEnded } from "./model/outcome.ts";
export type { NetworkShape, NetworkTensors } from "./model/parameters.ts";
export { type Profile, type ProfileOptions, profileShape } from "./profile/profile.ts";
export { PROFILE_SHAPES, type ProfileShape } from "./profile/shapes.ts";
export { type ReplayOutcome, type ReplaySpec, replayPlanOf, runReplay } from "./replay/replay.ts";
export { type BoxTask, boxTask, PREDECESSOR, RAT_IN_A_BOX } from "./task/box.ts";
export { generatePaths } from "./task/generate.ts";
export { type HeadDirectionTask, headDirectionTask } from "./task/head-direction.ts";
export { ouTask, type PathTask, tmazeTask, triangleTask } from "./task/paths.ts";
export * as theory from "./theory/index.ts";
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
