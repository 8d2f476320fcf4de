/** Reads a replay file back and measures it. */
import { pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError } from "../errors.ts";
import { readNpz } from "../io/npz.ts";
import { geometryOf } from "../metrics/geometry.ts";
import { type MetricRecord, measureRun } from "../metrics/measure.ts";
import type { RateMaps } from "../metrics/rate-maps.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { readRates } from "./rates.ts";

export interface Replays {
  readonly awakePositions: Tensor;
  readonly awakeReadout: Tensor;
  /** Activity of hidden units by place; files of before 0.2 have none. */
  readonly rates?: readonly RateMaps[];
  readonly conditions: readonly {
    readonly name: string;
    readonly positions: Tensor;
    readonly states?: Tensor;
    readonly codeMetrics?: Tensor;
  }[];
  /** Distances in activity space, of place cells. */
  readonly awakeCodeMetrics?: Tensor;
}

/** @throws DataError where an array is missing or not float32 */
export function readReplays(path: string, config: ExperimentConfig): Replays {
  const npz = readNpz(path);
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
  const rates = readRates(npz, path, config);
  const awakeCodeMetrics = find("distances_awake");
  return {
    ...(rates ? { rates } : {}),
    awakePositions: need("awake_positions"),
    awakeReadout: need("awake_readout"),
    conditions: Object.keys(config.replay.conditions).map((name) => {
      const states = find(`r_${name}`);
      const codeMetrics = find(`distances_${name}`);
      return {
        name,
        positions: need(`positions_${name}`),
        ...(states ? { states } : {}),
        ...(codeMetrics ? { codeMetrics } : {}),
      };
    }),
    ...(awakeCodeMetrics ? { awakeCodeMetrics } : {}),
  };
}

export function metricsOf(config: ExperimentConfig, replays: Replays): MetricRecord[] {
  return measureRun({
    seeds: config.seeds,
    geometry: geometryOf(pathTask(config)),
    awake: replays.awakeReadout,
    conditions: replays.conditions,
    ...(replays.awakeCodeMetrics ? { awakeCodeMetrics: replays.awakeCodeMetrics } : {}),
    every: config.replay.saveEvery,
  });
}
