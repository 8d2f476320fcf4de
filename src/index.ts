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
export { codeSpec, networkSettings, networkShape, pathTask, replayConditions } from "./config/resolve.ts";
export * from "./core.ts";
export { kernelNames, type OpenOptions, openGpu, readShaderFile } from "./gpu/open-node.ts";
export { readNpz, writeNpz } from "./io/npz.ts";
export { type LoadedRecording, loadRecording, type RecordedOptions } from "./io/recorded-task.ts";
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
export { replaySpecOf, trainSpecOf } from "./run/experiment.ts";
