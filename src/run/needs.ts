/** What a verb will write at most, known before its work: a full disk or a file too large must not be found after it. */
import { networkShape } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { formatBytes, type Plan, type PlanKind, planBytes } from "../gpu/plan.ts";
import { requireFreeSpace } from "../io/disk.ts";
import { availableMemory } from "../io/memory.ts";
import { MAX_ZIP_BYTES } from "../io/zip.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import { parameterLayout } from "../model/parameters.ts";
import { savedSteps } from "../replay/plan.ts";
import { replayPlanOf } from "../replay/replay.ts";
import type { TrainSpec } from "../train/spec.ts";
import { testPlan } from "../train/test-batch.ts";
import { replaySpecOf } from "./experiment.ts";
import { rateBytes } from "./rates.ts";

/** Two are kept, and a third is written before the oldest goes. */
const CHECKPOINTS = 3;
/** A number of train.jsonl with its comma. */
const DIGITS = 22;
/** Headers of arrays, manifests, figures, tables. */
const SMALL = 4 << 20;

/** Weights and both moments of all networks. */
export const checkpointBytes = (config: ExperimentConfig): number =>
  3 * 4 * config.seeds.length * parameterLayout(networkShape(config)).count;

/** Checkpoints and the losses of every iteration. */
export function trainingBytes(config: ExperimentConfig): number {
  const line = 48 + 2 * DIGITS * config.seeds.length;
  return CHECKPOINTS * checkpointBytes(config) + line * config.train.iterations + SMALL;
}

/** replay.npz: every condition, and the awake trajectories beside them. */
export function replayBytes(config: ExperimentConfig): number {
  const { units: N, outputs: O } = networkShape(config);
  const { steps, saveEvery, repeats, saveStates, conditions } = config.replay;
  const rows = config.seeds.length * repeats;
  const perStep = O + (saveStates ? N : 0);
  const replays = Object.keys(conditions).length * rows * (savedSteps(steps, saveEvery) * perStep + N);
  const awake = rows * ((config.task.steps + 1) * (config.task.kind === "tensors" ? O : 2) + config.task.steps * O);
  return 4 * (replays + awake) + rateBytes(config);
}

/** Host arrays that do not fit would be found after the work. `remedy`: what to change. @throws UsageError */
export function requireMemory(what: string, bytes: number, remedy: string): void {
  const available = availableMemory();
  if (bytes <= available) return;
  throw new UsageError(`${what} takes ${formatBytes(bytes)} of memory, ${formatBytes(available)} available: ${remedy}`);
}

const requirePlan = (gpu: Gpu, what: string, plan: Plan): void =>
  gpu.requireBytes(what, planBytes(plan), Math.max(...plan.buffers.map((b) => b.bytes)));

/** What comes after hours of training must not be what does not fit. @throws UsageError */
export function requireTestFits(gpu: Gpu, spec: TrainSpec, trajectories: number): void {
  const layouts = recordLayouts(gpu.options.readShader);
  requirePlan(gpu, "the test after training", testPlan(spec, adapterSpec(gpu), layouts, trajectories).plan);
}

/** @throws UsageError */
export function requireReplayFits(gpu: Gpu, config: ExperimentConfig, kind: PlanKind): void {
  // Only whether there are start states matters to a plan.
  const states = config.replay.start === "awakeEnd" ? new Float32Array() : null;
  const layouts = recordLayouts(gpu.options.readShader);
  requirePlan(gpu, "the replay", replayPlanOf(replaySpecOf(config, kind, states), adapterSpec(gpu), layouts).plan);
}

/** @throws DiskError */
export function requireTrainingSpace(directory: string, config: ExperimentConfig): void {
  requireFreeSpace(directory, trainingBytes(config));
}

/** @throws UsageError where one .npz or the memory cannot hold it, DiskError where the disk cannot */
export function requireReplaySpace(directory: string, config: ExperimentConfig): void {
  const bytes = replayBytes(config);
  const remedy = "raise replay.saveEvery, or take fewer repeats, conditions or networks";
  if (bytes > MAX_ZIP_BYTES) {
    const what = `the replay's positions${config.replay.saveStates ? " and states" : ""}`;
    throw new UsageError(`${what} come to ${formatBytes(bytes)}, a .npz holds 4 GiB: ${remedy}`);
  }
  requireMemory("the replay", bytes, remedy);
  requireFreeSpace(directory, bytes + SMALL);
}
