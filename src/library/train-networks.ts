/** Training from a program: events while it runs, a run directory when it is done. */
import type { ExperimentConfig } from "../config/schema.ts";
import { EXIT, type ExitCode } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { loadCheckpoint } from "../io/checkpoint.ts";
import { openRunDirectory } from "../io/run-dir.ts";
import { checkTask, noteTask, trainSize } from "../run/experiment.ts";
import { requireTrainingSpace } from "../run/needs.ts";
import { planKindFor } from "../run/open.ts";
import { exitCodeOf, trainInto } from "../run/train.ts";
import type { Outcome } from "../train/outcome.ts";
import type { IterationStats } from "../train/trainer.ts";
import { ioOf, type LibraryOptions, planOf, requireDirectory } from "./options.ts";

/** Where {@link trainNetworks} writes, and whether it goes on with what is there. */
export interface TrainNetworksOptions extends LibraryOptions {
  /** Where config, manifest, losses and checkpoints go. */
  readonly runDir: string;
  /** Go on with the run that is there: to the same bits as without the break, on the same adapter. */
  readonly resume?: boolean;
  /** Delete the run that is there. */
  readonly force?: boolean;
  /** Iterations between two progress events; 10 without. */
  readonly logEvery?: number;
}

/** Every `logEvery`-th iteration: loss (m², or of rates) and norm of the gradient before clipping, one per network; or a line for people. */
export type TrainEvent =
  | ({
      readonly kind: "progress";
      /** Iterations to be done in all. */
      readonly iterations: number;
    } & Pick<IterationStats, "iteration" | "loss" | "gradNorm">)
  | { readonly kind: "note"; readonly text: string };

/** How training ended, and where its files are. */
export interface TrainedNetworks {
  /** The run directory, which `replayNetworks`, `replaySweep` and `writeRunReport` take. */
  readonly run: string;
  /** Path of the last checkpoint. */
  readonly checkpoint: string;
  /** Completed, interrupted or not finite: of each network, and what can be done about it. */
  readonly outcome: Outcome;
  /** What the command line would exit with. */
  readonly exitCode: ExitCode;
  /** Of each network on fresh trajectories, noise on: m², or of rates with place cells. Empty if interrupted. */
  readonly testError: readonly number[];
}

/** Training under way: iterate over its events, or await its result; both may be done. */
export interface TrainingRun extends AsyncIterable<TrainEvent> {
  /** Rejects with a ReverieError: GpuError, DeviceLost, UsageError, DataError, LockedError, DiskError. */
  readonly result: Promise<TrainedNetworks>;
}

/** Events that nobody has taken so far. */
class Events {
  readonly #waiting: TrainEvent[] = [];
  #wake: (() => void) | null = null;
  #ended = false;

  push(event: TrainEvent): void {
    this.#waiting.push(event);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainEvent> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift() as TrainEvent;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/**
 * Trains the networks of a configuration, all at once, into a run directory.
 *
 * ```ts
 * const training = trainNetworks(gpu, config, { runDir: "runs/triangle" });
 * for await (const event of training) if (event.kind === "progress") console.error(event.iteration, event.loss);
 * const { outcome, testError } = await training.result;
 * ```
 *
 * It begins at once, whether anybody listens or not. A network that diverges is a result, not an error, and stops no other.
 */
export function trainNetworks(gpu: Gpu, config: ExperimentConfig, options: TrainNetworksOptions): TrainingRun {
  const events = new Events();
  const note = (text: string): void => {
    options.onNote?.(text);
    events.push({ kind: "note", text });
  };
  const result = train(gpu, config, { ...options, onNote: note }, (stats) => {
    const last = stats.iteration + 1 === config.train.iterations;
    if (!last && stats.iteration % (options.logEvery ?? 10) !== 0) return;
    const { iteration, loss, gradNorm } = stats;
    events.push({ kind: "progress", iterations: config.train.iterations, iteration, loss, gradNorm });
  }).finally(() => events.end());
  // Who only listens to events must not be ended by a rejection that nobody awaits: `result` still tells it.
  result.catch(() => undefined);
  return { result, [Symbol.asyncIterator]: () => events[Symbol.asyncIterator]() };
}

async function train(
  gpu: Gpu,
  config: ExperimentConfig,
  options: TrainNetworksOptions,
  onStats: (stats: IterationStats) => void,
): Promise<TrainedNetworks> {
  const io = ioOf(options);
  noteTask(config, io);
  await checkTask(config, io);
  const { resume = false, force = false } = options;
  const dir = openRunDirectory(requireDirectory("runDir", options.runDir), { resume, force });
  try {
    requireTrainingSpace(dir.path, config);
    const kind = planKindFor(gpu, planOf(options), trainSize(config));
    const { trainer, outcome, testError } = await trainInto(dir, config, gpu, kind, io, { resume, onStats });
    trainer.destroy();
    const exitCode = outcome.kind === "completed" ? EXIT.ok : exitCodeOf(outcome);
    return { run: dir.path, checkpoint: loadCheckpoint(dir.path).path, outcome, exitCode, testError };
  } finally {
    dir.close();
  }
}
