import { coverage, offPathDistance, regionVisits, trackCoverage } from "./exploration.ts";
import { type Geometry, hasArrivals, hasLaps } from "./geometry.ts";
import { lapsPerRow, outputVariance, pathLength, soundRows, speedAtLag } from "./motion.ts";
import { arrivalTimes } from "./reach.ts";
import { standardDeviation } from "./statistics.ts";
import type { MetricName } from "./table.ts";
import { duration, type Trajectories } from "./trajectories.ts";

/** Metrics that are a mean over rows of something that each row has by itself. */
const OF_ONE_ROW = {
  speed5: (row) => speedAtLag(row),
  path_length: pathLength,
  output_variance: outputVariance,
  laps: (row, g) => (hasLaps(g) ? (lapsPerRow(row, g)[0] as number) : Number.NaN),
  abs_laps: (row, g) => (hasLaps(g) ? Math.abs(lapsPerRow(row, g)[0] as number) : Number.NaN),
  track: (row, g) => (g.bins.length === 0 ? Number.NaN : (trackCoverage(row, g)[0] as number)),
  cells: (row, g) => coverage(row, g).cells,
  regions: (row, g) => regionVisits(row, g).distinct,
  entries: (row, g) => regionVisits(row, g).entries,
  occupancy_entropy: (row, g) => regionVisits(row, g).occupancyEntropy,
  offpath: offPathDistance,
} as const satisfies Partial<Record<MetricName, (row: Trajectories, geometry: Geometry) => number>>;

export type SpreadMetric = keyof typeof OF_ONE_ROW | "reach_rmean";

export const SPREAD_METRICS: readonly SpreadMetric[] = [
  "reach_rmean",
  ...(Object.keys(OF_ONE_ROW) as (keyof typeof OF_ONE_ROW)[]),
];

/**
 * Standard deviation (n − 1) over rows of the metrics whose value `measure` gives as a mean over rows; rows that
 * diverged count only for `reach_rmean`, as never arriving, as in `measure`. NaN for fewer than two rows, or where nothing is defined.
 */
export function spreadOverRows(t: Trajectories, geometry: Geometry): Readonly<Record<SpreadMetric, number>> {
  const sound = soundRows(t, geometry);
  const width = sound.steps * 2;
  const rows = Array.from({ length: sound.rows }, (_, r) => ({
    ...sound,
    rows: 1,
    positions: sound.positions.subarray(r * width, (r + 1) * width),
  }));
  const limit = duration(t);
  const hasGoals = hasArrivals(geometry);
  const reach = arrivalTimes(t, geometry).map((x) => (hasGoals ? Math.min(x, limit) : Number.NaN));
  const spreads = Object.entries(OF_ONE_ROW).map(([name, of]) => [
    name,
    standardDeviation(rows.map((row) => of(row, geometry))),
  ]);
  return { ...Object.fromEntries(spreads), reach_rmean: standardDeviation(reach) };
}
