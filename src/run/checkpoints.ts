/** Checkpoints of a run while it trains, the losses that belong to them, and what to say when the device fails. */
import { basename } from "node:path";
import type { ExperimentConfig } from "../config/schema.ts";
import { DeviceLost, GpuError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { configHash, saveCheckpoint } from "../io/checkpoint.ts";
import type { JsonlAppender } from "../io/jsonl.ts";
import type { RunDirectory } from "../io/run-dir.ts";
import type { Ended } from "../model/outcome.ts";
import type { StepProbe, Trainer, TrainState } from "../train/trainer.ts";
import { type Beginning, storedStep } from "./resume.ts";
import type { Io } from "./types.ts";
import { checkpointArrays, statusWord } from "./weights.ts";

/** The run's networks as they are on the device, and as files. */
export class Checkpoints {
  /** File name of the newest, null while there is none. */
  last: string | null = null;
  readonly #dir: RunDirectory;
  readonly #config: ExperimentConfig;
  readonly #gpu: Gpu;
  readonly #trainer: Trainer;

  constructor(dir: RunDirectory, config: ExperimentConfig, gpu: Gpu, trainer: Trainer) {
    this.#dir = dir;
    this.#config = config;
    this.#gpu = gpu;
    this.#trainer = trainer;
  }

  /** @param step the next step from this very state, where it is known already */
  async save(log: JsonlAppender, state?: TrainState, step?: StepProbe): Promise<void> {
    const s = state ?? (await this.#trainer.state());
    const nextStep = storedStep(step ?? (await this.#trainer.probe(s)));
    const { model } = this.#trainer.spec;
    // A checkpoint counts its lines: they must not come later than it does.
    log.sync();
    const path = saveCheckpoint(this.#dir.path, {
      arrays: checkpointArrays(model, s),
      meta: {
        iteration: s.iteration,
        shape: model.shape,
        configHash: configHash(this.#config),
        config: this.#config,
        rootSeed: this.#config.seed,
        networkSeeds: this.#config.seeds,
        status: s.status.map((word, i) => statusWord(word, s.bad[i] ?? 0xffffffff)),
        adapter: this.#gpu.adapter.name,
        driver: this.#gpu.adapter.driver,
        lossHistoryLength: log.lines,
        lossHistoryHash: log.digest,
        nextStep,
      },
    });
    this.last = basename(path);
  }
}

/** The losses so far. What became of them since the checkpoint was written cannot be computed again, but it is told. */
export function openLog(dir: RunDirectory, from: Beginning, io: Io): JsonlAppender {
  const log = dir.trainLog(from.lines);
  if (log.lines < from.lines)
    io.note(`${log.path}: only ${log.lines} of ${from.lines} lines are sound, the rest is lost`);
  else if (from.history !== undefined && from.history !== log.digest) {
    io.note(`${log.path}: changed since its checkpoint was written; the losses that it shows may be wrong`);
  }
  return log;
}

/** The error with what to do: nothing that was saved is lost with a device. @param goOn the command line that resumes */
export function deviceFailure(
  error: GpuError,
  dir: Pick<RunDirectory, "updateManifest">,
  goOn: string,
  last?: string | null,
): GpuError {
  const remedy = `go on with: ${goOn}`;
  const ended: Ended = { kind: error instanceof DeviceLost ? "deviceLost" : "gpuError", remedy };
  const checkpoint = last === undefined ? {} : { checkpoint: last };
  try {
    dir.updateManifest({ outcome: { ...ended, ...checkpoint } });
  } catch {
    // The device's failure is the one to tell.
  }
  const message = error.message.replace("; resume from the last checkpoint", "");
  const saved = last === undefined ? "what is done is saved" : `last checkpoint ${last ?? "none"}`;
  return new GpuError(`${message}; ${saved}; ${remedy}`, { cause: error });
}
