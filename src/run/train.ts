/** `reverie train`: trains the networks of a configuration into a run directory, or goes on with one. */
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError, EXIT, type ExitCode } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { describePlan, dispatchCounts, formatBytes, type PlanKind, planBytes } from "../gpu/plan.ts";
import { configHash, differingKeys, loadCheckpoint, saveCheckpoint } from "../io/checkpoint.ts";
import { openRunDirectory, type RunDirectory } from "../io/run-dir.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import { STREAM } from "../model/streams.ts";
import { describeNetwork, type Outcome } from "../train/outcome.ts";
import { planAwake } from "../train/plan.ts";
import { type IterationStats, Trainer } from "../train/trainer.ts";
import { trainSize, trainSpecOf } from "./experiment.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { compiling, openForVerb, planKindFor } from "./open.ts";
import type { Io, TrainOptions } from "./types.ts";
import { checkpointArrays, statusWord, trainState } from "./weights.ts";

const CHECKPOINT_EVERY_MS = 30_000;

export interface Trained {
  readonly trainer: Trainer;
  readonly outcome: Outcome;
  /** Mean squared error of each network on fresh trajectories, m²; empty unless training was completed. */
  readonly testError: readonly number[];
}

/** Writes the manifest that says what is about to be done; the first file of a run. */
function writeManifest(dir: RunDirectory, config: ExperimentConfig, gpu: Gpu, kind: PlanKind, trainer: Trainer): void {
  dir.writeConfig(config);
  dir.writeManifest({
    versions: versions(),
    ...gpuFacts(gpu),
    configHash: configHash(config),
    seed: config.seed,
    seeds: config.seeds,
    plan: {
      kind,
      bytes: planBytes(trainer.batch.plan),
      notes: trainer.batch.plan.notes,
      dispatchesPerIteration: dispatchCounts(trainer.batch.plan.passes),
    },
    started: new Date().toISOString(),
    outcome: { kind: "running" },
  });
}

/** Puts the newest sound checkpoint into the trainer; returns the lines of train.jsonl that belong to it. */
function resume(dir: RunDirectory, config: ExperimentConfig, gpu: Gpu, trainer: Trainer, io: Io): number {
  const checkpoint = loadCheckpoint(dir.path, io.note);
  const { meta } = checkpoint;
  if (meta.configHash !== configHash(config)) {
    const keys = meta.config === undefined ? [] : differingKeys(meta.config, config);
    throw new DataError(
      `${checkpoint.path} belongs to another configuration (${keys.join(", ") || "unknown keys"} differ): resume with the same one, or start anew with another --out`,
    );
  }
  if (meta.adapter !== gpu.adapter.name || meta.driver !== gpu.adapter.driver) {
    io.note(
      `the checkpoint comes from ${meta.adapter} (${meta.driver}): on another adapter the same seed gives other bits`,
    );
  }
  trainer.load(trainState(trainer.spec.model, checkpoint.arrays, meta.iteration, meta.status));
  io.note(`going on from iteration ${meta.iteration}`);
  return meta.lossHistoryLength;
}

async function checkpoint(
  dir: RunDirectory,
  config: ExperimentConfig,
  gpu: Gpu,
  trainer: Trainer,
  lines: number,
): Promise<string> {
  const state = await trainer.state();
  return saveCheckpoint(dir.path, {
    arrays: checkpointArrays(trainer.spec.model, state),
    meta: {
      iteration: state.iteration,
      shape: trainer.spec.model.shape,
      configHash: configHash(config),
      config,
      rootSeed: config.seed,
      networkSeeds: config.seeds,
      status: state.status.map((s, i) => statusWord(s, state.bad[i] ?? 0xffffffff)),
      adapter: gpu.adapter.name,
      driver: gpu.adapter.driver,
      lossHistoryLength: lines,
    },
  });
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export interface TrainHooks {
  readonly resume: boolean;
  /** Called once the rate is known, with the forecast of the whole training. */
  readonly onForecast?: (seconds: number) => void;
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
  const trainer = await Trainer.create(gpu, spec);
  io.note(
    `plan ${kind}: ${spec.networks.length} networks at once, ${trainer.batch.plan.passes.length} passes an iteration, ${formatBytes(planBytes(trainer.batch.plan))} on the device`,
  );
  let keep: number | undefined;
  if (hooks.resume) keep = resume(dir, config, gpu, trainer, io);
  else writeManifest(dir, config, gpu, kind, trainer);
  dir.updateManifest({ outcome: { kind: "running" } });
  const log = dir.trainLog(keep);
  try {
    await trainer.warmUp(compiling(io));
    const first = trainer.iteration;
    const began = performance.now();
    let saved = began;
    let told = false;
    io.progress.start("training", spec.iterations, "iterations");
    const onStats = (s: IterationStats): void => {
      log.append({ iteration: s.iteration, loss: s.loss, gradNorm: s.gradNorm });
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
      await checkpoint(dir, config, gpu, trainer, log.lines);
      saved = performance.now();
    } while (unfinished(outcome) && !io.signal.aborted);
    if (unfinished(outcome)) outcome = { ...outcome, kind: "interrupted", remedy: "go on with --resume" };
    const seconds = (performance.now() - began) / 1000;
    io.progress.done(`${trainer.iteration - first} iterations in ${seconds.toFixed(1)} s`);
    outcome.networks.forEach((n, i) => {
      if (n.kind !== "completed") io.note(describeNetwork(i, config.seeds[i] as number, n));
    });
    const testError = outcome.kind === "interrupted" ? [] : await test(trainer, config, io);
    dir.updateManifest({
      outcome: { ...outcome, iteration: trainer.iteration },
      trainSeconds: seconds,
      ...(testError.length > 0 ? { testError } : {}),
      ended: new Date().toISOString(),
    });
    return { trainer, outcome, testError };
  } catch (error) {
    trainer.destroy();
    throw error;
  } finally {
    log.close();
  }
}

async function test(trainer: Trainer, config: ExperimentConfig, io: Io): Promise<readonly number[]> {
  io.progress.start("testing");
  const { mse } = await trainer.test(config.test.trajectories);
  io.progress.done(`test error ${mean(mse).toPrecision(3)} m² (${mse.map((x) => x.toPrecision(3)).join(", ")})`);
  return mse;
}

export function exitCodeOf(outcome: Outcome): ExitCode {
  return outcome.kind === "nonFinite" ? EXIT.diverged : outcome.kind === "interrupted" ? EXIT.interrupted : EXIT.ok;
}

export async function runTrain(options: TrainOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  if (options.plan) return printPlan(options, io);
  const dir = openRunDirectory(options.out, { resume: options.resume, force: options.force });
  try {
    const gpu = await openForVerb(options, io);
    try {
      const { trainer, outcome, testError } = await trainInto(
        dir,
        config,
        gpu,
        planKindFor(gpu, options, trainSize(config)),
        io,
        {
          resume: options.resume,
        },
      );
      trainer.destroy();
      if (outcome.remedy) io.note(outcome.remedy);
      io.out(
        io.json
          ? JSON.stringify({ run: dir.path, outcome, testError, iteration: trainer.iteration })
          : `${dir.path}: ${outcome.kind}, ${trainer.iteration} iterations${testError.length > 0 ? `, test error ${mean(testError).toPrecision(3)} m²` : ""}`,
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
    const { plan } = planAwake(
      trainSpecOf(config, planKindFor(gpu, options, trainSize(config))),
      adapterSpec(gpu),
      recordLayouts(gpu.options.readShader),
      {
        name: "train",
        batch: config.train.batch,
        gradients: true,
        keepReadout: false,
        stream: STREAM.trainPaths,
      },
    );
    io.out(io.json ? JSON.stringify(plan) : describePlan(plan));
    return EXIT.ok;
  } finally {
    await gpu.close();
  }
}
