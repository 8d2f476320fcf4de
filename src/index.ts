/**
 * reverie as a library: open a GPU, train path-integrating networks, replay them, measure and report.
 *
 * ```ts
 * import { loadConfig, openGpu, replayNetworks, replaySweep, trainNetworks, writeRunReport } from "reverie";
 *
 * const { config } = loadConfig({ preset: "triangle", set: ["rnn.leak=0.1", "seeds=[0,1,2]"] });
 * const gpu = await openGpu();
 * console.error(gpu.describe());
 *
 * const training = trainNetworks(gpu, config, { runDir: "runs/triangle" });
 * for await (const event of training) if (event.kind === "progress") console.error(event.iteration, event.loss);
 * const trained = await training.result;
 * if (trained.outcome.kind !== "completed") process.exit(trained.exitCode);
 *
 * const { metrics } = await replayNetworks(gpu, trained.run);
 * console.log(metrics.map(({ condition, network, values }) => [condition, network, values.reach_fraction]));
 * await replaySweep(gpu, trained.run, {
 *   out: "runs/triangle-sweep",
 *   grid: { friction: [1, 0.6, 0.3], adaptStrength: [0, 0.05, 0.1] },
 *   repeats: 32,
 * });
 * await writeRunReport(trained.run);
 * await gpu.close();
 * ```
 *
 * Everything fails with a class of its own, whose message says what, where and how to mend it ({@link ReverieError}).
 * Work with your own tensors: {@link evaluateModel} and {@link GivenBatch}. Passes and kernels by name:
 * {@link Trainer}, {@link describePlan}, {@link describeKernel}.
 *
 * @packageDocumentation
 */
export { type ConfigSources, type LoadedConfig, loadConfig, parseConfig } from "./config/load.ts";
export { type Preset, presets } from "./config/presets/index.ts";
export { codeSpec, networkSettings, networkShape, pathTask, replayConditions } from "./config/resolve.ts";
export { configJsonSchema, type ExperimentConfig } from "./config/schema.ts";
export * from "./errors.ts";
export { type EvaluateInput, type EvaluateOutput, evaluateModel } from "./evaluate/evaluate.ts";
export type { AdapterFacts } from "./gpu/adapter.ts";
export { Gpu } from "./gpu/context.ts";
export { kernelNames, type OpenOptions, openGpu, readShaderFile } from "./gpu/open-node.ts";
export { describePlan, type Pass, type Plan, type PlanKind } from "./gpu/plan.ts";
export { readNpz, writeNpz } from "./io/npz.ts";
export { type LoadedRecording, loadRecording, type RecordedOptions } from "./io/recorded-task.ts";
export { describeKernel, type KernelDescription } from "./kernels/catalog.ts";
export { adapterSpec, choosePlanKind, type ModelSpec, modelSpec } from "./kernels/spec.ts";
export type { LibraryOptions, ProgressListener } from "./library/options.ts";
export {
  type ReplayedNetworks,
  type ReplayNetworksOptions,
  type ReplaySweepOptions,
  replayNetworks,
  replaySweep,
  type SweptReplays,
  writeRunReport,
} from "./library/replay-networks.ts";
export {
  type TrainEvent,
  type TrainedNetworks,
  type TrainingRun,
  type TrainNetworksOptions,
  trainNetworks,
} from "./library/train-networks.ts";
export { geometryOf } from "./metrics/geometry.ts";
export { type MetricRecord, measureRun } from "./metrics/measure.ts";
export { METRICS } from "./metrics/table.ts";
export type { Activation, StepParameters } from "./model/dynamics.ts";
export type { Ended, OutcomeKind, RolloutsEnded } from "./model/outcome.ts";
export type { NetworkShape, NetworkTensors } from "./model/parameters.ts";
export { type Profile, type ProfileOptions, profileShape } from "./profile/profile.ts";
export { PROFILE_SHAPES, type ProfileShape } from "./profile/shapes.ts";
export { type ReplayOutcome, type ReplaySpec, replayPlanOf, runReplay } from "./replay/replay.ts";
export { replaySpecOf, trainSpecOf } from "./run/experiment.ts";
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
