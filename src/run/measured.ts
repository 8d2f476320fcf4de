/** Reads a replay file back and measures it. */
import { pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError } from "../errors.ts";
import { readNpz } from "../io/npz.ts";
import { geometryOf } from "../metrics/geometry.ts";
import { AWAKE, type MetricRecord, measureRun } from "../metrics/measure.ts";
import type { RateMaps } from "../metrics/rate-maps.ts";
import { measureReadouts } from "../metrics/readouts.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { readRates } from "./rates.ts";

export interface Replays {
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
  const isTensors = config.task.kind === "tensors";
  const rates = isTensors ? undefined : readRates(npz, path, config);
  const awakeCodeMetrics = find("distances_awake");
  return {
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

export function metricsOf(config: ExperimentConfig, replays: Replays): MetricRecord[] {
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
