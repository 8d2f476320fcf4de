/** Reads a replay file back and measures it. */
import { parseConfig } from "../config/load.ts";
import { pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError } from "../errors.ts";
import { type Npz, readNpz } from "../io/npz.ts";
import { geometryOf } from "../metrics/geometry.ts";
import { AWAKE, type MetricRecord, measureRun } from "../metrics/measure.ts";
import type { RateMaps } from "../metrics/rate-maps.ts";
import { measureReadouts } from "../metrics/readouts.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { readRates } from "./rates.ts";

export interface Replays {
  /** The run's, with the replay that the file holds: flags of `reverie replay` make conditions of their own. */
  readonly config: ExperimentConfig;
  /** True positions; of given tensors there are none. */
  readonly awakePositions?: Tensor;
  /** Of given tensors, the targets of the readouts, (time, row, O). */
  readonly awakeTarget?: Tensor;
  /** … and which trials of the file they are. */
  readonly trials?: readonly number[];
  readonly awakeReadout: Tensor;
  /** Activity of hidden units by place; files of before 0.2 have none. */
  readonly rates?: readonly RateMaps[];
  readonly conditions: readonly {
    readonly name: string;
    /** Decoded positions; of given tensors their readouts. */
    readonly positions: Tensor;
    readonly states?: Tensor;
    readonly codeMetrics?: Tensor;
  }[];
  /** Distances in activity space, of place cells. */
  readonly awakeCodeMetrics?: Tensor;
}

/** What a condition's decoded positions, or readouts, are called in a replay file. */
export const readoutArray = ({ task }: ExperimentConfig, condition: string): string =>
  `${task.kind === "tensors" ? "readout" : "positions"}_${condition}`;

/** Settings of the replay that a file of ours holds, unchecked; undefined in somebody else's. @throws SyntaxError */
export function replaySettings(npz: Npz): unknown {
  const bytes = npz.get("manifest")?.data;
  return bytes instanceof Uint8Array ? JSON.parse(new TextDecoder().decode(bytes))?.config?.replay : undefined;
}

/** @throws DataError where the file's own settings are none */
function replayedConfig(npz: Npz, path: string, config: ExperimentConfig): ExperimentConfig {
  try {
    const replay = replaySettings(npz);
    return replay === undefined ? config : parseConfig({ ...config, replay });
  } catch (cause) {
    throw new DataError(
      `${path}: its manifest holds no settings of a replay; write the file again with reverie replay`,
      {
        cause,
      },
    );
  }
}

/** @throws DataError where an array is missing or not float32 */
export function readReplays(path: string, trained: ExperimentConfig): Replays {
  const npz = readNpz(path);
  const config = replayedConfig(npz, path, trained);
  const find = (name: string): Tensor | undefined => {
    const array = npz.get(name);
    if (array && !(array.data instanceof Float32Array))
      throw new DataError(`${path}: ${name}: expected float32, found ${array.dtype}`);
    return array ? { data: array.data as Float32Array, shape: array.shape } : undefined;
  };
  const need = (name: string): Tensor => {
    const found = find(name);
    if (!found) throw new DataError(`${path}: ${name} is missing; write the file again with reverie replay`);
    return found;
  };
  const isTensors = config.task.kind === "tensors";
  const rates = isTensors ? undefined : readRates(npz, path, config);
  const awakeCodeMetrics = find("distances_awake");
  return {
    config,
    ...(rates ? { rates } : {}),
    ...(isTensors
      ? { awakeTarget: need("awake_target"), trials: Array.from(npz.get("trials")?.data ?? [], Number) }
      : { awakePositions: need("awake_positions") }),
    awakeReadout: need("awake_readout"),
    conditions: Object.keys(config.replay.conditions).map((name) => {
      const states = find(`r_${name}`);
      const codeMetrics = find(`distances_${name}`);
      return {
        name,
        positions: need(readoutArray(config, name)),
        ...(states ? { states } : {}),
        ...(codeMetrics ? { codeMetrics } : {}),
      };
    }),
    ...(awakeCodeMetrics ? { awakeCodeMetrics } : {}),
  };
}

export function metricsOf(replays: Replays): MetricRecord[] {
  const { config } = replays;
  if (config.task.kind === "tensors") {
    const { awakeCodeMetrics: own } = replays;
    const awake = { name: AWAKE, positions: replays.awakeReadout, ...(own ? { codeMetrics: own } : {}) };
    const { seeds, replay } = config;
    return measureReadouts({ seeds, conditions: [awake, ...replays.conditions], every: replay.saveEvery });
  }
  return measureRun({
    seeds: config.seeds,
    geometry: geometryOf(pathTask(config)),
    awake: replays.awakeReadout,
    conditions: replays.conditions,
    ...(replays.awakeCodeMetrics ? { awakeCodeMetrics: replays.awakeCodeMetrics } : {}),
    every: config.replay.saveEvery,
  });
}
