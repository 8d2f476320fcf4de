/** Where a training begins: from fresh networks, from a checkpoint of its own run, or from the networks of another. */
import { basename } from "node:path";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError, UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { configHash, differingKeys, loadCheckpoint, type StoredStep } from "../io/checkpoint.ts";
import { isBarren, type RunDirectory } from "../io/run-dir.ts";
import type { StepProbe, Trainer } from "../train/trainer.ts";
import { dataOf } from "./experiment.ts";
import type { Io } from "./types.ts";
import { trainState } from "./weights.ts";

export interface Beginning {
  /** Lines of train.jsonl that belong to it, and their digest where the checkpoint states one. */
  readonly lines: number;
  readonly history: string | undefined;
  /** The next step as the checkpoint's own adapter computed it. */
  readonly step: StoredStep | undefined;
  /** Whether that was this adapter, with this driver. */
  readonly sameAdapter: boolean;
  /** File name of the checkpoint, null where there is none yet. */
  readonly checkpoint: string | null;
}

export const FRESH: Beginning = { lines: 0, history: undefined, step: undefined, sameAdapter: true, checkpoint: null };

/** What a manifest says of the run that this one was forked from. */
export interface ForkedFrom {
  readonly path: string;
  readonly iteration: number;
  readonly configHash: string;
}

/**
 * Puts the networks of another run into the trainer; its moments, iteration and losses stay behind.
 * @throws UsageError where the networks are not of the same number and shape; DataError
 */
export function fork(source: string, trainer: Trainer, io: Io): ForkedFrom {
  const { meta, arrays, path } = loadCheckpoint(source, io.note);
  const { shape } = trainer.spec.model;
  const wanted = { ...shape, networks: trainer.spec.networks.length };
  const found = { ...meta.shape, networks: meta.networkSeeds.length };
  const keys = differingKeys(found, wanted);
  if (keys.length > 0) {
    const words = keys.map(
      (k) => `${k} ${found[k as keyof typeof found]} instead of ${wanted[k as keyof typeof wanted]}`,
    );
    throw new UsageError(
      `${path} holds other networks (${words.join(", ")}): give rnn.units and seeds as they are there`,
    );
  }
  const zero = arrays.weights.map((t) =>
    Object.fromEntries(Object.entries(t).map(([name, x]) => [name, new Float32Array(x.length)])),
  ) as unknown as typeof arrays.m;
  const sound = meta.status.map(() => "sound");
  trainer.load(trainState(trainer.spec.model, { weights: arrays.weights, m: zero, v: zero }, 0, sound));
  io.note(`forked from ${path}, iteration ${meta.iteration}: its networks, with fresh moments`);
  return { path: source, iteration: meta.iteration, configHash: meta.configHash };
}

/** A file that was changed meanwhile would train on something else without a word. @throws DataError */
function requireSameData(dir: RunDirectory, config: ExperimentConfig): void {
  const { data } = dir.readManifest() as { data?: { digest?: unknown } };
  const now = dataOf(config).data as { digest: string } | undefined;
  if (now === undefined || typeof data?.digest !== "string" || data.digest === now.digest) return;
  const { task } = config;
  throw new DataError(
    `${"path" in task ? task.path : "the data"}: not what the run in ${dir.path} was trained on (its digest differs): restore the file, or start anew from the run's networks with --fork ${dir.path} --out DIR`,
  );
}

/** Puts the newest sound checkpoint of the run into the trainer. @throws DataError naming the keys that differ */
export function resume(dir: RunDirectory, config: ExperimentConfig, gpu: Gpu, trainer: Trainer, io: Io): Beginning {
  if (isBarren(dir.path)) {
    io.note("the run was stopped before its first checkpoint: it starts from the beginning");
    const { forkedFrom } = dir.readManifest() as { forkedFrom?: { path?: unknown } };
    if (typeof forkedFrom?.path === "string") fork(forkedFrom.path, trainer, io);
    return FRESH;
  }
  const { meta, arrays, path } = loadCheckpoint(dir.path, io.note);
  if (meta.configHash !== configHash(config)) {
    const keys = meta.config === undefined ? [] : differingKeys(meta.config, config);
    throw new DataError(
      `${path} belongs to another configuration (${keys.join(", ") || "unknown keys"} differ): resume with the same one, or start anew from its networks with --fork ${dir.path} --out DIR`,
    );
  }
  requireSameData(dir, config);
  const sameAdapter = meta.adapter === gpu.adapter.name && meta.driver === gpu.adapter.driver;
  if (!sameAdapter) {
    io.note(
      `the checkpoint comes from ${meta.adapter} (${meta.driver}): on another adapter or driver the same seed gives other bits`,
    );
  }
  trainer.load(trainState(trainer.spec.model, arrays, meta.iteration, meta.status));
  io.note(`going on from iteration ${meta.iteration}`);
  return {
    lines: meta.lossHistoryLength,
    history: meta.lossHistoryHash,
    step: meta.nextStep,
    sameAdapter,
    checkpoint: basename(path),
  };
}

/** NaN and infinities have no place in JSON. */
const storable = (values: readonly number[]) => values.map((x) => (Number.isFinite(x) ? x : null));

export const storedStep = ({ loss, gradNorm }: StepProbe): StoredStep => ({
  loss: storable(loss),
  gradNorm: storable(gradNorm),
});

/** Largest |got − stored| / |stored| over the networks; infinite where only one of the two is finite. */
function deviation(stored: readonly (number | null)[], got: readonly number[]): number {
  let worst = 0;
  for (const [i, s] of stored.entries()) {
    const g = storable(got)[i] ?? null;
    if (s === g) continue;
    worst = Math.max(worst, s === null || g === null ? Number.POSITIVE_INFINITY : Math.abs(g - s) / Math.abs(s));
  }
  return worst;
}

const relative = (x: number): string => (x === 0 ? "0" : x.toExponential(1));

/** The stored step, computed again: says how far another adapter is from the one that stored it, or this from itself. */
export function compareStep({ step, sameAdapter }: Beginning, got: StepProbe, io: Io): void {
  if (step === undefined) return;
  const [loss, norm] = [deviation(step.loss, got.loss), deviation(step.gradNorm, got.gradNorm)];
  if (sameAdapter && loss === 0 && norm === 0) return;
  const far = `loss ${relative(loss)}, gradient norm ${relative(norm)} (relative)`;
  io.note(
    sameAdapter
      ? `this adapter does not repeat the stored step to the bit: ${far}; check the machine (npx reverie doctor --gradcheck)`
      : `the stored step, computed again here, deviates by ${far}`,
  );
}
