/** `reverie train`: trains the networks of a configuration into a run directory, or goes on with one. */

import type { ExperimentConfig } from "../config/schema.ts";
import { EXIT, type ExitCode, GpuError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { describePlan, dispatchCounts, formatBytes, type PlanKind, planBytes } from "../gpu/plan.ts";
import { unlessAborted } from "../gpu/program.ts";
import { configHash } from "../io/config-hash.ts";
import type { JsonlAppender } from "../io/jsonl.ts";
import { openRunDirectory, type RunDirectory } from "../io/run-dir.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import { STREAM } from "../model/streams.ts";
import { describeNetwork, type Outcome } from "../train/outcome.ts";
import { planAwake } from "../train/plan.ts";
import { type PrecisionError, precisionError } from "../train/precision.ts";
import type { TestResult } from "../train/test-batch.ts";
import { type IterationStats, Trainer } from "../train/trainer.ts";
import { Checkpoints, deviceFailure, openLog } from "./checkpoints.ts";
import { checkTask, dataOf, errorUnit, noteTask, testRows, trainSize, trainSpecOf } from "./experiment.ts";
import { describeForecast, forecastTraining, paceOf } from "./forecast.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { requireTestFits, requireTrainingSpace } from "./needs.ts";
import { compiling, openForVerb, planKindFor, timedPlanKind } from "./open.ts";
import { whyPlan } from "./plan-timing.ts";
import { compareStep, FRESH, fork, resume } from "./resume.ts";
import type { Io, TrainOptions } from "./types.ts";

const CHECKPOINT_EVERY_MS = 30_000;

export interface Trained {
  readonly trainer: Trainer;
  readonly outcome: Outcome;
  /** Mean squared error of each network on fresh trajectories, m² or of rates; empty unless training was completed. */
  readonly testError: readonly number[];
  /** Name of the last checkpoint within `checkpoints/`. */
  readonly checkpoint: string | null;
  /** Of training, without the test. */
  readonly seconds: number;
}

/** Writes what is about to be done; the manifest is the first file of a run. */
function begin(
  dir: RunDirectory,
  config: ExperimentConfig,
  gpu: Gpu,
  kind: PlanKind,
  trainer: Trainer,
  more: object,
): void {
  dir.writeManifest({
    versions: versions(),
    ...gpuFacts(gpu),
    configHash: configHash(config),
    seed: config.seed,
    seeds: config.seeds,
    ...dataOf(config),
    plan: {
      kind,
      why: whyPlan(gpu, kind, trainSize(config)),
      bytes: planBytes(trainer.batch.plan),
      notes: trainer.batch.plan.notes,
      dispatchesPerIteration: dispatchCounts(trainer.batch.plan.passes),
    },
    ...more,
    started: new Date().toISOString(),
    outcome: { kind: "running" },
  });
  dir.writeConfig(config);
}

const unitOf = (config: ExperimentConfig): string => (errorUnit(config) === "" ? "" : ` ${errorUnit(config)}`);

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export interface TrainHooks {
  readonly resume: boolean;
  /** Run or checkpoint whose networks a new training begins with. */
  readonly fork?: string;
  /** Called once the rate is known, with the forecast of the whole training. */
  readonly onForecast?: (seconds: number) => void;
  /** Every iteration of every network, in order. */
  readonly onStats?: (stats: IterationStats) => void;
}

/** Trains on an open GPU into an open run directory. The caller destroys the trainer. */
export async function trainInto(
  dir: RunDirectory,
  config: ExperimentConfig,
  gpu: Gpu,
  kind: PlanKind,
  io: Io,
  hooks: TrainHooks,
): Promise<Trained> {
  const spec = trainSpecOf(config, kind);
  requireTestFits(gpu, spec, testRows(config));
  const trainer = await Trainer.create(gpu, spec);
  io.note(
    `plan ${kind} (${whyPlan(gpu, kind, trainSize(config))}): ${spec.networks.length} networks at once, ${trainer.batch.plan.passes.length} passes an iteration, ${formatBytes(planBytes(trainer.batch.plan))} on the device`,
  );
  const checkpoints = new Checkpoints(dir, config, gpu, trainer);
  let log: JsonlAppender | null = null;
  try {
    let from = FRESH;
    if (hooks.resume) {
      from = resume(dir, config, gpu, trainer, io);
    } else {
      const forkedFrom = hooks.fork === undefined ? undefined : fork(hooks.fork, trainer, io);
      begin(dir, config, gpu, kind, trainer, forkedFrom ? { forkedFrom } : {});
    }
    const state = await trainer.state();
    const step = await trainer.probe(state, compiling(io));
    compareStep(from, step, io);
    log = openLog(dir, from, io);
    checkpoints.last = from.checkpoint;
    if (from.checkpoint === null) await checkpoints.save(log, state, step);
    dir.updateManifest({ outcome: { kind: "running" } });
    const lines = log;
    const first = trainer.iteration;
    const began = performance.now();
    let saved = began;
    let told = false;
    io.progress.start("training", spec.iterations, "iterations");
    const onStats = (s: IterationStats): void => {
      lines.append({ iteration: s.iteration, loss: s.loss, gradNorm: s.gradNorm });
      hooks.onStats?.(s);
      io.progress.update(s.iteration + 1, `loss ${s.loss.map((x) => x.toPrecision(3)).join(" ")}`);
      const seconds = (performance.now() - began) / 1000;
      if (!told && (seconds > 5 || s.iteration + 1 === spec.iterations)) {
        told = true;
        hooks.onForecast?.((seconds / (s.iteration + 1 - first)) * (spec.iterations - first));
      }
    };
    const due = () => performance.now() - saved > CHECKPOINT_EVERY_MS;
    // A network that diverged does not stop the others.
    const unfinished = ({ networks }: Outcome) =>
      trainer.iteration < spec.iterations && networks.some((n) => n.kind === "completed");
    let outcome: Outcome;
    do {
      outcome = await trainer.run({ signal: io.signal, pause: due, onStats });
      await checkpoints.save(log);
      saved = performance.now();
    } while (unfinished(outcome) && !io.signal.aborted);
    if (unfinished(outcome)) outcome = { ...outcome, kind: "interrupted", remedy: "go on with --resume" };
    const seconds = (performance.now() - began) / 1000;
    io.progress.done(`${trainer.iteration - first} iterations in ${seconds.toFixed(1)} s`);
    outcome.networks.forEach((n, i) => {
      if (n.kind !== "completed") io.note(describeNetwork(i, config.seeds[i] as number, n));
    });
    const { mse: testError, decodingError } =
      outcome.kind === "interrupted" ? { mse: [], decodingError: null } : await test(trainer, config, io);
    const precision = outcome.kind === "completed" ? await tellPrecision(gpu, trainer, io) : null;
    dir.updateManifest({
      outcome: { ...outcome, iteration: trainer.iteration },
      ...(precision === null ? {} : { precision }),
      trainSeconds: seconds,
      ...(testError.length > 0 ? { testError } : {}),
      ...(decodingError === null ? {} : { decodingError }),
      ended: new Date().toISOString(),
    });
    return { trainer, outcome, testError, checkpoint: checkpoints.last, seconds };
  } catch (error) {
    trainer.destroy();
    if (!(error instanceof GpuError)) throw error;
    throw deviceFailure(error, dir, `npx reverie train --resume --out ${dir.path}`, checkpoints.last);
  } finally {
    log?.close();
  }
}

/** What float16 changed, on one more batch; null for float32. */
async function tellPrecision(gpu: Gpu, trainer: Trainer, io: Io): Promise<PrecisionError | null> {
  const { spec } = trainer;
  if (spec.stored !== "f16") return null;
  const error = await precisionError(gpu, spec, trainer.buffers, trainer.iteration);
  const worst = (x: readonly number[]) => Math.max(...x).toExponential(1);
  io.note(
    `activations stored as float16: on one batch the loss differs by ${worst(error.loss)} and the gradient by ${worst(error.gradient)} (normwise) from float32's`,
  );
  return error;
}

async function test(
  trainer: Trainer,
  config: ExperimentConfig,
  io: Io,
): Promise<Pick<TestResult, "mse" | "decodingError">> {
  io.progress.start("testing");
  const tested = await unlessAborted(io.signal, trainer.test(testRows(config), { signal: io.signal }));
  if (tested === null) {
    io.progress.done("not tested: --resume does it");
    return { mse: [], decodingError: null };
  }
  const { mse, decodingError } = tested;
  const all = (values: readonly number[]) => values.map((x) => x.toPrecision(3)).join(", ");
  const unit = unitOf(config);
  const decoded = decodingError === null ? "" : `, decoded to ${all(decodingError)} m in the median`;
  io.progress.done(`test error ${mean(mse).toPrecision(3)}${unit} (${all(mse)})${decoded}`);
  return { mse, decodingError };
}

export function exitCodeOf(outcome: Outcome): ExitCode {
  return outcome.kind === "nonFinite" ? EXIT.diverged : outcome.kind === "interrupted" ? EXIT.interrupted : EXIT.ok;
}

export async function runTrain(options: TrainOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  if (options.plan) return printPlan(options, io);
  // A recording that cannot be used leaves no run behind.
  noteTask(config, io);
  await checkTask(config, io);
  const dir = openRunDirectory(options.out, { resume: options.resume, force: options.force });
  try {
    requireTrainingSpace(dir.path, config);
    const gpu = await openForVerb(options, io);
    try {
      const { trainer, outcome, testError, checkpoint, seconds } = await trainInto(
        dir,
        config,
        gpu,
        await timedPlanKind(gpu, options, trainSize(config), io),
        io,
        {
          resume: options.resume,
          ...(options.fork === undefined ? {} : { fork: options.fork }),
        },
      );
      trainer.destroy();
      if (outcome.remedy) io.note(outcome.remedy);
      io.out(
        io.json
          ? JSON.stringify({
              run: dir.path,
              checkpoint: checkpoint === null ? null : dir.file("checkpoints", checkpoint),
              outcome,
              testError,
              testErrorUnit: errorUnit(config),
              iteration: trainer.iteration,
              seconds,
            })
          : `${dir.path}: ${outcome.kind}, ${trainer.iteration} iterations${testError.length > 0 ? `, test error ${mean(testError).toPrecision(3)}${unitOf(config)}` : ""}`,
      );
      return exitCodeOf(outcome);
    } finally {
      await gpu.close();
    }
  } finally {
    dir.close();
  }
}

async function printPlan(options: TrainOptions, io: Io): Promise<ExitCode> {
  const gpu = await openForVerb(options, io);
  try {
    const { config } = options.config;
    const kind = planKindFor(gpu, options, trainSize(config));
    const why = whyPlan(gpu, kind, trainSize(config));
    const { plan } = planAwake(trainSpecOf(config, kind), adapterSpec(gpu), recordLayouts(gpu.options.readShader), {
      name: "train",
      batch: config.train.batch,
      gradients: true,
      keepReadout: false,
      stream: STREAM.trainPaths,
    });
    const pace = paceOf(gpu.adapter.software, "training", config.rnn.units);
    const estimate = forecastTraining(plan.passes, config.train.iterations, pace);
    io.out(
      io.json
        ? JSON.stringify({ ...plan, kind, why, estimate })
        : `${describePlan(plan)}\n${describeForecast(estimate)}\nplan ${kind}: ${why}`,
    );
    return EXIT.ok;
  } finally {
    await gpu.close();
  }
}
