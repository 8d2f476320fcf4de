/** `reverie replay`: rollouts without input from a run's checkpoint, beside the awake trajectories they are compared with. */

import { dirname } from "node:path";
import { shownOf } from "../code/passes.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError, EXIT, type ExitCode } from "../errors.ts";
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import { describePlan, dispatchCounts, type PlanKind } from "../gpu/plan.ts";
import { unlessAborted } from "../gpu/program.ts";
import { differingKeys, type LoadedCheckpoint, loadCheckpoint } from "../io/checkpoint.ts";
import { type ArrayToWrite, writeNpz } from "../io/npz.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import { metricRows } from "../metrics/csv.ts";
import { NO_PATHS } from "../metrics/readouts.ts";
import { rolloutsEnded } from "../model/outcome.ts";
import { savedSteps } from "../replay/plan.ts";
import { type ReplayOutcome, type ReplaySpec, replayPlanOf, runReplay as rollOut } from "../replay/replay.ts";
import { summaryTable } from "../report/terminal.ts";
import { TrialOrder, trialsOf } from "../task/tensors.ts";
import { testBatch } from "../train/test-batch.ts";
import { replaySize, replaySpecOf, trainSpecOf } from "./experiment.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { metricsOf, readoutArray, readReplays } from "./measured.ts";
import { requireReplaySpace } from "./needs.ts";
import { compiling, openForVerb, timedPlanKind } from "./open.ts";
import { prepareOutput } from "./output.ts";
import { awakeRates } from "./rates.ts";
import { codeArrays, distanceArrays } from "./replayed-code.ts";
import type { Io, ReplayOptions } from "./types.ts";
import { uploadWeights } from "./weights.ts";

export interface Replayed {
  readonly kind: ReplayOutcome["kind"];
  readonly seconds: number;
}

/** Of given tensors: which trials of the file the rows are, and what the readouts should have been, (time, row, O). */
function awakeTrials({ task, model }: ReplaySpec, repeats: number): Record<string, ArrayToWrite> {
  if (task.kind !== "tensors") return {};
  const trials = new TrialOrder(task, model.rootSeed).test(repeats);
  const { steps: T, outputs: O } = task;
  const [own, target] = [new Float32Array(T * O), new Float32Array(T * repeats * O)];
  trials.forEach((trial, b) => {
    trialsOf(task).read("target", trial, own, 0);
    for (let t = 0; t < T; t++) target.set(own.subarray(t * O, (t + 1) * O), (t * repeats + b) * O);
  });
  return {
    trials: { data: Int32Array.from(trials) },
    awake_target: { data: target, shape: [T, repeats, O] },
  };
}

/** Replays trained networks on an open GPU and writes the .npz. `trained` holds `weights` and `recurrent_t`. */
export async function replayInto(
  path: string,
  config: ExperimentConfig,
  gpu: Gpu,
  kind: PlanKind,
  trained: ReadonlyMap<string, DeviceBuffer>,
  io: Io,
): Promise<Replayed> {
  const layouts = recordLayouts(gpu.options.readShader);
  const { repeats, steps, saveEvery } = config.replay;
  const train = trainSpecOf(config, kind);
  const isTensors = config.task.kind === "tensors";
  const rates = isTensors ? null : awakeRates(config);
  const options = {
    keep: true,
    keepCode: train.code !== null,
    ...(rates ? { onState: rates.visit } : {}),
    onCompile: compiling(io),
    signal: io.signal,
  };
  const awake = await unlessAborted(io.signal, testBatch(gpu, train, trained, layouts, repeats, options));
  if (awake === null) return { kind: "interrupted", seconds: 0 };
  const spec = replaySpecOf(config, kind, config.replay.start === "awakeEnd" ? awake.last : null);
  const began = performance.now();
  let started = false;
  const outcome = await rollOut(gpu, spec, trained, {
    signal: io.signal,
    onCompile: compiling(io),
    onProgress: (done, total) => {
      if (!started) io.progress.start("replaying", total, "row-steps");
      started = true;
      io.progress.update(done);
    },
  });
  const seconds = (performance.now() - began) / 1000;
  io.progress.done(`${outcome.rowSteps.toLocaleString("en")} row-steps in ${seconds.toFixed(1)} s`);
  if (outcome.kind === "interrupted") return { kind: outcome.kind, seconds };
  const S = config.seeds.length;
  const [N, O] = [spec.model.shape.units, spec.model.shape.outputs];
  const { width } = shownOf(spec.code, O);
  const saved = savedSteps(steps, saveEvery);
  const manifest = {
    versions: versions(),
    ...gpuFacts(gpu),
    config,
    plan: { kind, dispatches: dispatchCounts(outcome.plan.plan.passes) },
    seconds,
  };
  const arrays: Record<string, ArrayToWrite> = {
    ...(awake.positions
      ? { awake_positions: { data: awake.positions, shape: [S, config.task.steps + 1, repeats, 2] } }
      : awakeTrials(spec, repeats)),
    awake_readout: { data: awake.readout as Float32Array, shape: [S, config.task.steps, repeats, width] },
    ...rates?.arrays(),
    ...(isTensors
      ? await distanceArrays(
          gpu,
          config,
          kind,
          [awake.readout as Float32Array, ...outcome.conditions.map((c) => c.readout)],
          io,
        )
      : await codeArrays(gpu, config, kind, awake.code, outcome, io)),
    manifest: { data: new TextEncoder().encode(JSON.stringify(manifest)) },
  };
  Object.keys(config.replay.conditions).forEach((name, i) => {
    const result = outcome.conditions[i];
    if (!result) return;
    arrays[readoutArray(config, name)] = { data: result.readout, shape: [S, saved, repeats, width] };
    arrays[`last_r_${name}`] = { data: result.last, shape: [S, repeats, N] };
    if (result.states) arrays[`r_${name}`] = { data: result.states, shape: [S, saved, repeats, N] };
  });
  writeNpz(path, arrays);
  return { kind: outcome.kind, seconds };
}

/** What may differ from the training that a checkpoint comes from. */
const FREE = /^(name|seed|test|replay)(\.|$)/;

/** @throws DataError where config.json was changed after the training, so that it no longer describes the networks */
function requireSameTraining({ path, meta }: LoadedCheckpoint, config: ExperimentConfig): void {
  const keys = differingKeys(meta.config ?? {}, config).filter((key) => !FREE.test(key));
  if (keys.length === 0) return;
  throw new DataError(
    `${path} was trained with another configuration (${keys.join(", ")} differ): restore the run's own config.json`,
  );
}

export async function runReplay(options: ReplayOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  const checkpoint = loadCheckpoint(options.run, io.note);
  requireSameTraining(checkpoint, config);
  if (!options.plan) {
    prepareOutput(options.out);
    requireReplaySpace(dirname(options.out), config);
  }
  const gpu = await openForVerb(options, io);
  try {
    const kind = await timedPlanKind(gpu, options, replaySize(config), io);
    if (options.plan) {
      const { plan } = replayPlanOf(
        // Only whether there are start states matters to a plan.
        replaySpecOf(config, kind, config.replay.start === "awakeEnd" ? new Float32Array() : null),
        adapterSpec(gpu),
        recordLayouts(gpu.options.readShader),
      );
      io.out(io.json ? JSON.stringify(plan) : describePlan(plan));
      return EXIT.ok;
    }
    const { model } = trainSpecOf(config, kind);
    const weights = uploadWeights(gpu, model, checkpoint.arrays.weights);
    const { kind: how } = await replayInto(options.out, config, gpu, kind, weights, io);
    if (how === "interrupted") {
      if (io.json)
        io.out(JSON.stringify({ out: null, outcome: rolloutsEnded(how, [], `npx reverie replay ${options.run}`) }));
      return EXIT.interrupted;
    }
    const records = metricsOf(readReplays(options.out, config));
    io.note(`wrote ${options.out}`);
    if (config.task.kind === "tensors") io.note(NO_PATHS);
    const shares = records.filter((r) => r.condition !== "awake").map((r) => r.values.diverged ?? 0);
    const outcome = rolloutsEnded(how, shares, "");
    if (outcome.remedy !== "") io.note(outcome.remedy);
    io.out(
      io.json
        ? JSON.stringify({
            out: options.out,
            outcome,
            metrics: metricRows(records),
          })
        : summaryTable(records),
    );
    return EXIT.ok;
  } finally {
    await gpu.close();
  }
}
