import { UsageError } from "../errors.ts";
import { type CodeMetricValues, codeMetricsOf, NO_CODE } from "./code.ts";
import { type KernelDensity, kernelDensity, klPlugin, klResampled } from "./density.ts";
import { coverage, offPathDistance, regionVisits, trackCoverage } from "./exploration.ts";
import { type Geometry, hasArrivals, hasLaps } from "./geometry.ts";
import { conditionalMutualInformation } from "./markov.ts";
import {
  autocorrelation,
  divergedFraction,
  lapsPerRow,
  msdExponent,
  outputVariance,
  pathLength,
  soundRows,
  speedAtLag,
} from "./motion.ts";
import { arrivalTimes, junctionTimes, reachTimes, summariseReach } from "./reach.ts";
import { mean, median } from "./statistics.ts";
import type { MetricValues } from "./table.ts";
import { firstSteps, type States, statesOf, type Tensor, type Trajectories, trajectoriesOf } from "./trajectories.ts";
import { type SlicedQuantiles, slicedQuantiles, slicedWasserstein } from "./wasserstein.ts";

/** What every condition of a network is compared with; computed once per network. */
export interface AwakeReference {
  readonly quantiles: SlicedQuantiles;
  readonly density: KernelDensity | null;
  readonly reachMedian: number;
  readonly speed5: number;
}

export function awakeReference(awake: Trajectories, geometry: Geometry): AwakeReference {
  const sound = soundRows(awake, geometry);
  return {
    quantiles: slicedQuantiles(sound.positions),
    density: kernelDensity(sound.positions),
    reachMedian: median(reachTimes(awake, geometry)),
    speed5: speedAtLag(sound),
  };
}

/**
 * All metrics of one network under one condition (`METRICS` defines them).
 *
 * Reach times and `diverged` count every row, and one that diverges never arrives; the others leave out rows that diverged,
 * and are NaN where none is left.
 *
 * @param awakeSteps length of the awake paths, steps: the T of `sw_T`
 * @param extra.reference metrics of the condition that the compression ratios compare with, usually plain replay; without
 *   one it is the reference itself
 * @param extra.states hidden states of the same rows, for `cmi1` and `cmi5`
 */
export function measure(
  trajectories: Trajectories,
  awake: AwakeReference,
  geometry: Geometry,
  awakeSteps: number,
  extra: { readonly reference?: MetricValues; readonly states?: States; readonly code?: CodeMetricValues } = {},
): MetricValues {
  const sound = soundRows(trajectories, geometry);
  const reach = summariseReach(arrivalTimes(trajectories, geometry), trajectories);
  const speed5 = speedAtLag(sound);
  const laps = hasLaps(geometry) ? lapsPerRow(sound, geometry) : null;
  const absLaps = laps === null ? Number.NaN : mean(laps.map(Math.abs));
  const visits = regionVisits(sound, geometry);
  const cells = coverage(sound, geometry);
  const density = kernelDensity(sound.positions);
  const early = firstSteps(sound, awakeSteps);
  const sw = slicedWasserstein(slicedQuantiles(sound.positions), awake.quantiles);
  const hasGoals = hasArrivals(geometry);
  const [cmi1, cmi5] =
    extra.states === undefined ? [Number.NaN, Number.NaN] : conditionalMutualInformation(extra.states, [1, 5]);
  const reference = extra.reference ?? { reach_median: reach.median, abs_laps: absLaps };
  return {
    reach_median: hasGoals ? reach.median : Number.NaN,
    reach_fraction: hasGoals ? reach.fraction : Number.NaN,
    reach_rmean: hasGoals ? reach.restrictedMean : Number.NaN,
    junction_median: geometry.junction === null ? Number.NaN : median(junctionTimes(trajectories, geometry)),
    compression_reach: ratio(awake.reachMedian, reach.median),
    compression_speed: speed5 / awake.speed5,
    compression_reference: ratio(reference.reach_median, reach.median),
    compression_laps: absLaps / reference.abs_laps,
    speed5,
    path_length: pathLength(sound),
    msd_exponent: msdExponent(sound),
    output_variance: outputVariance(sound),
    autocorrelation10: autocorrelation(sound, 10),
    laps: laps === null ? Number.NaN : mean(laps),
    abs_laps: absLaps,
    track: geometry.bins.length === 0 ? Number.NaN : mean(trackCoverage(sound, geometry)),
    cells: cells.cells,
    coverage_entropy: sound.rows === 0 ? Number.NaN : cells.entropy,
    regions: visits.distinct,
    entries: visits.entries,
    both_arms: visits.bothArms,
    occupancy_entropy: visits.occupancyEntropy,
    offpath: offPathDistance(sound, geometry),
    sw,
    sw_T: early === sound ? sw : slicedWasserstein(slicedQuantiles(early.positions), awake.quantiles),
    kde_kl: klResampled(density, awake.density),
    kde_kl_plugin: klPlugin(density, awake.density),
    ...(extra.code ?? NO_CODE),
    cmi1: cmi1 as number,
    cmi5: cmi5 as number,
    diverged: divergedFraction(trajectories, geometry),
  };
}

/** A ratio of medians says nothing where one of them is "never". */
const ratio = (a: number, b: number): number => (Number.isFinite(a) && Number.isFinite(b) ? a / b : Number.NaN);

/** The name under which the awake paths themselves are measured, as the line to compare with. */
export const AWAKE = "awake";

/** One row of metrics.csv. */
export interface MetricRecord {
  /** Index of the network. */
  readonly network: number;
  /** Its seed. */
  readonly seed: number;
  /** A condition's name, or "awake". */
  readonly condition: string;
  readonly values: MetricValues;
  /** Steps, one per row; Infinity = never. */
  readonly reachTimes: Float64Array;
}

export interface RunToMeasure {
  /** u32, one per network. */
  readonly seeds: readonly number[];
  readonly geometry: Geometry;
  /** Decoded awake positions y_1..y_T, (network, time, row, 2), metres. */
  readonly awake: Tensor;
  /** Decoded replays, (network, time, row, 2), metres; states (network, time, row, unit) where saved. */
  readonly conditions: readonly {
    readonly name: string;
    readonly positions: Tensor;
    readonly states?: Tensor;
    /** (network, metric), `CODE_METRICS` */
    readonly codeMetrics?: Tensor;
  }[];
  /** The same of the awake paths. */
  readonly awakeCodeMetrics?: Tensor;
  /** `replay.saveEvery`. */
  readonly every?: number;
  /** Condition that the compression ratios compare with; "plain" or else the first one where none is named. */
  readonly reference?: string;
}

/**
 * Metrics of every network under every condition, and of its awake paths.
 * @throws DataError where a tensor has another shape, UsageError where a condition is called "awake"
 */
export function measureRun(run: RunToMeasure): MetricRecord[] {
  const { geometry, conditions } = run;
  if (conditions.some((c) => c.name === AWAKE)) {
    throw new UsageError(`replay.conditions.${AWAKE}: the name belongs to the awake paths; choose another one`);
  }
  const named = conditions.find((c) => c.name === (run.reference ?? "plain"));
  const first = (named ?? conditions[0])?.name;
  // The reference first: the others' ratios need it.
  const order = [...conditions].sort((a, b) => Number(b.name === first) - Number(a.name === first));
  return run.seeds.flatMap((seed, network) => {
    const awakePaths = trajectoriesOf(run.awake, network, {
      name: "awake_readout",
    });
    const awake = awakeReference(awakePaths, geometry);
    const record = (condition: string, t: Trajectories, values: MetricValues): MetricRecord => ({
      network,
      seed,
      condition,
      values,
      reachTimes: arrivalTimes(t, geometry),
    });
    const records: MetricRecord[] = [];
    let compare: MetricValues | undefined;
    for (const c of order) {
      const every = run.every ?? 1;
      const t = trajectoriesOf(c.positions, network, { every, name: `positions_${c.name}` });
      const values = measure(t, awake, geometry, awakePaths.steps, {
        ...(compare === undefined ? {} : { reference: compare }),
        ...(c.states === undefined ? {} : { states: statesOf(c.states, network, every) }),
        ...(c.codeMetrics === undefined ? {} : { code: codeMetricsOf(c.codeMetrics.data, network) }),
      });
      compare ??= values;
      records.push(record(c.name, t, values));
    }
    // Awake paths are shorter than replays, so their number of laps compares with nothing.
    const forAwake = {
      ...(compare === undefined ? {} : { reference: { ...compare, abs_laps: Number.NaN } }),
      ...(run.awakeCodeMetrics === undefined ? {} : { code: codeMetricsOf(run.awakeCodeMetrics.data, network) }),
    };
    records.push(record(AWAKE, awakePaths, measure(awakePaths, awake, geometry, awakePaths.steps, forAwake)));
    const position = (name: string): number => (name === AWAKE ? -1 : conditions.findIndex((c) => c.name === name));
    return records.sort((a, b) => position(a.condition) - position(b.condition));
  });
}
