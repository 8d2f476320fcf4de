/** The networks of a sweep, from runs and checkpoints, and the definition that they and a request add up to. */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { loadConfig, parseConfig } from "../config/load.ts";
import { codeSpec, networkSettings, networkShape, pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError, UsageError } from "../errors.ts";
import { formatBytes } from "../gpu/plan.ts";
import { loadCheckpoint } from "../io/checkpoint.ts";
import { differingKeys } from "../io/config-hash.ts";
import { bytesOf } from "../io/npy.ts";
import { type NetworkTensors, TENSOR_NAMES } from "../model/parameters.ts";
import { savedSteps } from "../replay/plan.ts";
import { FORMAT_VERSION, type Save, type SweepDefinition, type SweepNetwork } from "./definition.ts";
import { type ConditionRequest, conditionsOf } from "./grid.ts";

export interface LoadedNetworks {
  readonly configs: readonly ExperimentConfig[];
  readonly networks: readonly SweepNetwork[];
  readonly weights: readonly NetworkTensors[];
}

function weightsDigest(tensors: NetworkTensors): string {
  const hash = createHash("sha256");
  for (const name of TENSOR_NAMES) hash.update(name).update(bytesOf(tensors[name]));
  return hash.digest("hex");
}

const isDirectory = (path: string): boolean => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** @throws DataError where a source holds no trained networks */
function loadSource(
  source: string,
  note: (line: string) => void,
): Omit<LoadedNetworks, "configs"> & { config: ExperimentConfig } {
  const { meta, arrays, path } = loadCheckpoint(source, note);
  const ofRun = isDirectory(source);
  const file = join(source, "config.json");
  if (ofRun && !fs.existsSync(file))
    throw new DataError(`${source}: no run here (config.json is missing); check the path`);
  if (!ofRun && meta.config === undefined)
    throw new DataError(`${path}: holds no configuration; give its run directory`);
  const config = ofRun ? loadConfig({ file }).config : parseConfig(meta.config);
  if (meta.shape.units !== config.rnn.units || meta.networkSeeds.join() !== config.seeds.join()) {
    throw new DataError(`${path} and its configuration name other networks: restore the run's own config.json`);
  }
  meta.status.forEach((status, i) => {
    if (status !== "sound") note(`${source}: network ${i} (seed ${config.seeds[i]}) had diverged in training`);
  });
  const run = ofRun ? basename(resolve(source)) : basename(dirname(dirname(resolve(path))));
  const networks = networkSettings(config).map((n, i): SweepNetwork => {
    const { noiseScale, noiseFriction } = config.replay;
    return {
      run,
      seed: n.seed,
      weights: weightsDigest(arrays.weights[i] as NetworkTensors),
      step: { ...n.step, noiseScale, noiseFriction },
      awake: n.step,
      maskEvery: n.maskEvery,
    };
  });
  return { config, networks, weights: arrays.weights };
}

/** What networks must share to be one sweep's. */
const shared = (c: ExperimentConfig) => ({
  rnn: { units: c.rnn.units, activation: c.rnn.activation, leakySlope: c.rnn.leakySlope },
  task: { ...c.task, maskEvery: 0 },
  train: { noiseRounds: c.train.noiseRounds },
});

/** @throws DataError, UsageError where the networks do not fit together */
export function loadNetworks(sources: readonly string[], note: (line: string) => void): LoadedNetworks {
  const loaded = sources.map((s) => loadSource(s, note));
  const [first] = loaded;
  if (!first) throw new UsageError("whose networks? Name at least one run directory or checkpoint");
  loaded.forEach(({ config }, i) => {
    const keys = differingKeys(shared(first.config), shared(config));
    if (keys.length > 0) {
      throw new UsageError(`${sources[i]} and ${sources[0]} cannot share a sweep: ${keys.join(", ")} differ`);
    }
  });
  return {
    configs: loaded.map((l) => l.config),
    networks: loaded.flatMap((l) => l.networks),
    weights: loaded.flatMap((l) => l.weights),
  };
}

export interface SweepRequest extends Pick<ConditionRequest, "grid" | "list" | "random"> {
  /** Of the first run, unless given. */
  readonly seed?: number;
  readonly repeats?: number;
  readonly steps?: number;
  readonly start?: "encoded" | "awakeEnd";
  readonly pairedNoise?: boolean;
  /** Also measure in the activity space of place cells: takes time of its own for every network and condition. */
  readonly activity?: boolean;
  readonly save: Save;
  readonly saveEvery: number;
  readonly stateRepeats: number;
}

/** Positions and states of a file stay about here. */
const SHARD_BYTES = 64 << 20;
const LARGEST_SHARD_BYTES = 2 ** 31;

/** @throws UsageError */
export function defineSweep({ configs, networks }: LoadedNetworks, request: SweepRequest): SweepDefinition {
  const config = configs[0] as ExperimentConfig;
  const rootSeed = request.seed ?? config.seed;
  const { repeats, steps, start, pairedNoise } = replayOf(config, request);
  const { axes, conditions } = conditionsOf({ ...request, rootSeed });
  const save = request.save;
  const saved = savedSteps(steps, request.saveEvery);
  const stateRepeats = save === "states" ? Math.min(request.stateRepeats, repeats) : 0;
  if (save !== "summary" && saved === 0) {
    throw new UsageError(`--save-every ${request.saveEvery} keeps nothing of ${steps} steps: use at most ${steps}`);
  }
  const perCondition = 4 * networks.length * saved * (2 * repeats + stateRepeats * config.rnn.units);
  if (save !== "summary" && perCondition > LARGEST_SHARD_BYTES) {
    throw new UsageError(
      `one condition's ${save === "states" ? "positions and states" : "positions"} take ${formatBytes(perCondition)}, more than a file of ${formatBytes(LARGEST_SHARD_BYTES)} holds: use --save-every, fewer repeats or --save summary`,
    );
  }
  const fit = Math.max(1, Math.floor(SHARD_BYTES / perCondition));
  return {
    formatVersion: FORMAT_VERSION,
    rootSeed,
    shape: networkShape(config),
    activation: config.rnn.activation,
    leakySlope: config.rnn.leakySlope,
    noiseRounds: config.train.noiseRounds,
    task: pathTask(config),
    ...codeOf(config),
    ...activityOf(config, request),
    awakeSteps: config.task.steps,
    awakeTrajectories: Math.max(config.test.trajectories, start === "awakeEnd" ? repeats : 0),
    maskRandom: config.task.maskOffset === "random",
    networks,
    axes,
    conditions,
    repeats,
    steps,
    start,
    pairedNoise,
    save,
    saveEvery: request.saveEvery,
    stateRepeats,
    conditionsPerShard: save === "summary" ? 0 : Math.min(fit, conditions.length),
  };
}

/** @throws UsageError where there are no place cells */
function activityOf(config: ExperimentConfig, { activity }: SweepRequest): Pick<SweepDefinition, "activity"> {
  if (activity !== true) return {};
  if (config.task.cells !== null) return { activity };
  throw new UsageError(
    "--activity measures in the activity space of place cells, and these networks have none: leave it out",
  );
}

/** Without place cells the definition, and so its hash, is what it was before there were any. */
function codeOf(config: ExperimentConfig): Pick<SweepDefinition, "code"> {
  const code = codeSpec(config);
  return code === null ? {} : { code };
}

/** Replay as the first run has it, but for what is asked for; the configuration's own ranges hold. */
function replayOf(config: ExperimentConfig, request: SweepRequest): ExperimentConfig["replay"] {
  const flags = { repeats: "--repeats", steps: "--steps", start: "--start", pairedNoise: "--paired-noise" } as const;
  const overrides = Object.entries(flags).flatMap(([key, origin]) => {
    const value = request[key as keyof typeof flags];
    return value === undefined ? [] : [{ path: `replay.${key}`, value, origin }];
  });
  // A short replay must not fail for what the run's own replay saves.
  const base = { ...config.replay, saveEvery: 1 };
  const { replay } = loadConfig({
    overrides: [{ path: "replay", value: base, origin: "the run" }, ...overrides],
  }).config;
  return replay;
}
