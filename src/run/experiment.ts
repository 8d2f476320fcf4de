/** From a configuration to what the trainer and the replay take. */
import { setImmediate } from "node:timers/promises";
import {
  awakeTask,
  codeSpec,
  networkSettings,
  networkShape,
  replayConditions,
  taskNote,
  trialsOfTask,
} from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { type LaunchSize, type ModelSpec, modelSpec } from "../kernels/spec.ts";
import { activityEvery } from "../metrics/code.ts";
import { paddedRows } from "../model/rows.ts";
import type { ReplaySpec } from "../replay/replay.ts";
import type { TrainSpec } from "../train/spec.ts";
import type { Io } from "./types.ts";

/** Reads recorded paths, where the task is some, and says what was done to them. @throws DataError */
export function noteTask(config: ExperimentConfig, io: Pick<Io, "note">): void {
  const note = taskNote(config);
  if (note !== null) io.note(note);
}

export function modelOf(config: ExperimentConfig): ModelSpec {
  return modelSpec({
    shape: networkShape(config),
    activation: config.rnn.activation,
    slope: config.rnn.leakySlope,
    rootSeed: config.seed,
    noiseRounds: config.train.noiseRounds,
  });
}

/** Rows of the test: given trials are tested on once each, paths are as many as asked for. */
export function testRows(config: ExperimentConfig): number {
  const { trajectories } = config.test;
  return Math.min(trajectories, trialsOfTask(config)?.file.test.length ?? trajectories);
}

/** Of the test error: that of positions alone has one. */
export const errorUnit = (config: ExperimentConfig): "m²" | "" =>
  config.task.cells === null && config.task.kind !== "tensors" ? "m²" : "";

/** What the choice of a plan looks at. */
export function trainSize(config: ExperimentConfig): LaunchSize {
  const networks = config.seeds.length;
  return { units: config.rnn.units, rows: networks * paddedRows(config.train.batch), networks };
}

export function replaySize(config: ExperimentConfig): LaunchSize {
  const conditions = Object.keys(config.replay.conditions).length;
  const networks = config.seeds.length;
  return { units: config.rnn.units, rows: networks * paddedRows(conditions * config.replay.repeats), networks };
}

/** What a configuration asks a {@link Trainer} to do. @throws DataError where its recording or trials cannot be used */
export function trainSpecOf(config: ExperimentConfig, kind: PlanKind): TrainSpec {
  return {
    model: modelOf(config),
    networks: networkSettings(config),
    task: awakeTask(config),
    code: codeSpec(config),
    maskRandom: config.task.maskOffset === "random",
    steps: config.task.steps,
    batch: config.train.batch,
    iterations: config.train.iterations,
    clipNorm: config.train.clipNorm,
    l2Activity: config.train.l2Activity,
    kind,
    stored: config.train.precision,
  };
}

/** What a configuration asks {@link runReplay} to do. @param startStates (S, repeats, N), or null to start from encoded positions */
export function replaySpecOf(config: ExperimentConfig, kind: PlanKind, startStates: Float32Array | null): ReplaySpec {
  const { replay } = config;
  return {
    model: modelOf(config),
    seeds: config.seeds,
    conditions: replayConditions(config).map((own) => own.map((c) => c.step)),
    repeats: replay.repeats,
    steps: replay.steps,
    saveEvery: replay.saveEvery,
    saveStates: replay.saveStates,
    codeEvery: codeEvery(config),
    pairedNoise: replay.pairedNoise,
    task: awakeTask(config),
    code: codeSpec(config),
    startStates,
    kind,
  };
}

/** Steps between two activities of place cells that a replay keeps: for its file, or only to be measured. */
export function codeEvery(config: ExperimentConfig): number {
  const { steps, repeats, saveEvery, saveCode } = config.replay;
  if (config.task.cells === null) return 0;
  return saveCode ? saveEvery : activityEvery(steps, repeats);
}

/**
 * Reads given tensors once from end to end: what is wrong with them must not be found after hours of training.
 * @throws DataError naming array, trial and place; the signal's reason
 */
export async function checkTask(config: ExperimentConfig, io: Pick<Io, "progress" | "signal">): Promise<void> {
  const trials = trialsOfTask(config);
  if (!trials) return;
  const total = Math.ceil(trials.file.bytes / MEBIBYTE);
  io.progress.start(`reading ${trials.file.path}`, total, "MiB");
  for (const bytes of trials.file.check()) {
    io.progress.update(Math.floor(bytes / MEBIBYTE));
    // Ctrl-C is heard between two pieces.
    await setImmediate();
    io.signal.throwIfAborted();
  }
  io.progress.done();
}

const MEBIBYTE = 2 ** 20;

/** Somebody's data as a manifest names them: which, how many, and where recorded paths lie. */
export function dataOf(config: ExperimentConfig): { readonly data?: object } {
  const task = awakeTask(config);
  if (task.kind === "tensors" || task.kind === "recorded") return { data: task };
  return {};
}
