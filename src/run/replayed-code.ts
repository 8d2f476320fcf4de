/** What a replay of place cells leaves beside positions: centres, distances in activity space, activity if it is wanted. */
import { type ActivityMetrics, measureActivity } from "../code/activity.ts";
import { codeSpec, networkShape, pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import type { Gpu } from "../gpu/context.ts";
import type { PlanKind } from "../gpu/plan.ts";
import type { ArrayToWrite } from "../io/npz.ts";
import { CODE_METRICS } from "../metrics/code.ts";
import type { ReplayOutcome } from "../replay/replay.ts";
import { extentOf } from "../task/extent.ts";
import type { Io } from "./types.ts";

/** `distances_<condition>` (network, metric) and, if it is saved, `activity_<condition>` (network, time, row, cell). */
export async function codeArrays(
  gpu: Gpu,
  config: ExperimentConfig,
  kind: PlanKind,
  awake: Float32Array | null,
  outcome: ReplayOutcome,
  io: Pick<Io, "progress">,
): Promise<Record<string, ArrayToWrite>> {
  const code = codeSpec(config);
  if (code === null || awake === null) return {};
  const { centres } = code.population;
  const [S, O, repeats] = [config.seeds.length, centres.length, config.replay.repeats];
  const clouds = [awake, ...outcome.conditions.map((c) => c.code as Float32Array)];
  const arrays: Record<string, ArrayToWrite> = {
    cell_centres: { data: Float32Array.from(centres.flat()), shape: [O, 2] },
    ...(await distanceArrays(gpu, config, kind, clouds, io)),
  };
  if (config.replay.saveCode) {
    namesOf(config).forEach((name, i) => {
      const cloud = clouds[i] as Float32Array;
      arrays[`activity_${name}`] = { data: cloud, shape: [S, cloud.length / (S * repeats * O), repeats, O] };
    });
  }
  return arrays;
}

const namesOf = (config: ExperimentConfig): string[] => ["awake", ...Object.keys(config.replay.conditions)];

/**
 * `distances_<condition>` (network, metric) of place cells or, where given tensors are the targets, of the readouts.
 * @param clouds awake, then every condition; (network, …, O) each
 */
export async function distanceArrays(
  gpu: Gpu,
  config: ExperimentConfig,
  kind: PlanKind,
  clouds: readonly Float32Array[],
  io: Pick<Io, "progress">,
): Promise<Record<string, ArrayToWrite>> {
  const S = config.seeds.length;
  const { outputs: O } = networkShape(config);
  const own = codeSpec(config);
  const code = own && { population: own.population, extent: extentOf(pathTask(config)) };
  const names = namesOf(config);
  const measured = names.map(() => new Float32Array(S * CODE_METRICS.length));
  io.progress.start("measuring in activity space", S, "networks");
  for (let s = 0; s < S; s++) {
    const parts = clouds.map((c) => c.subarray((s * c.length) / S, ((s + 1) * c.length) / S));
    const all = await measureActivity(gpu, kind, O, code, parts);
    all.forEach((m, i) => {
      (measured[i] as Float32Array).set(valuesOf(m), s * CODE_METRICS.length);
    });
    io.progress.update(s + 1);
  }
  io.progress.done();
  return Object.fromEntries(
    names.map((name, i) => [
      `distances_${name}`,
      { data: measured[i] as Float32Array, shape: [S, CODE_METRICS.length] },
    ]),
  );
}

const valuesOf = (m: ActivityMetrics): number[] => [m.sliced, m.participation, m.nearest];
