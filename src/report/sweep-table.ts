import { type Spread, spreadOf } from "../metrics/csv.ts";
import type { Geometry } from "../metrics/geometry.ts";
import { mean } from "../metrics/statistics.ts";
import { METRICS } from "../metrics/table.ts";
import { type SweepAxis, sweepAxis } from "./sweep-axes.ts";

/** A sweep's results as its figures use them: conditions placed on axes, networks within each. */

/** One network under one condition: a line of metrics.csv. */
export interface SweepRecord {
  readonly network: number;
  /** Step parameters by name; every condition of a network has the same names. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Metrics by name: means over repeats. NaN = not defined, Infinity = never. */
  readonly values: Readonly<Record<string, number>>;
}

export interface SweepCondition {
  readonly name: string;
  /** Its value on each axis. */
  readonly at: readonly number[];
  /** One per network. */
  readonly records: readonly SweepRecord[];
}

export interface SweepTable {
  /** What differs between conditions, in the order of the parameters. */
  readonly axes: readonly SweepAxis[];
  readonly conditions: readonly SweepCondition[];
  /** Most combinations of the axes' values are there, each once: all of them when the sweep is finished. */
  readonly isGrid: boolean;
  /** Names of the metrics that any record defines, in the order of the records. */
  readonly metrics: readonly string[];
  readonly networks: number;
}

/** Records by condition name, in any order. */
export function sweepTable(byCondition: ReadonlyMap<string, readonly SweepRecord[]>): SweepTable {
  const all = [...byCondition.values()].flat();
  const names = Object.keys(all[0]?.parameters ?? {});
  // Networks may differ in their own parameters; an axis is what differs between conditions of one network.
  const networks = new Set(all.map((r) => r.network));
  const first = all.filter((r) => r.network === all[0]?.network);
  const axes = names
    .map((name) =>
      sweepAxis(
        name,
        first.map((r) => r.parameters[name] as number),
      ),
    )
    .filter((axis) => axis.values.length > 1);
  const conditions = [...byCondition].map(([name, records]) => ({
    name,
    at: axes.map((axis) => records[0]?.parameters[axis.name] as number),
    records,
  }));
  const places = new Set(conditions.map((c) => c.at.join(" ")));
  const combinations = axes.reduce((product, axis) => product * axis.values.length, 1);
  const metrics = [...new Set(all.flatMap((r) => Object.keys(r.values)))];
  return {
    axes,
    conditions,
    isGrid: places.size === conditions.length && 2 * conditions.length > combinations,
    metrics: metrics.filter((m) => all.some((r) => !Number.isNaN(r.values[m] ?? Number.NaN))),
    networks: networks.size,
  };
}

/** Mean and spread over networks. */
export const spreadAt = (condition: SweepCondition, metric: string): Spread =>
  spreadOf(condition.records.map((r) => r.values[metric] ?? Number.NaN));

/** Share of rollouts that diverged, over all networks. */
export function divergedShare(condition: SweepCondition): number {
  const shares = condition.records.map((r) => r.values.diverged ?? 0).filter((x) => !Number.isNaN(x));
  return shares.length === 0 ? 0 : mean(shares);
}

/**
 * Whether a figure shows the mean over networks. Half of the networks must define the metric; a ratio of times, which
 * is not defined where a network never arrives, all of them: those that arrive are the fast ones.
 */
export function isShown(condition: SweepCondition, metric: string): boolean {
  const { n } = spreadAt(condition, metric);
  const all = condition.records.length;
  return !isDiverged(condition) && n > 0 && (isRatio(metric) ? n === all : 2 * n >= all);
}

/** What is left of a cell where more than half of the rollouts diverged is the luck of the others. */
export const isDiverged = (condition: SweepCondition): boolean => divergedShare(condition) > 0.5;

/** Conditions with these values on these axes. */
export function slice(table: SweepTable, fixed: ReadonlyMap<number, number>): SweepCondition[] {
  return table.conditions.filter((c) => [...fixed].every(([axis, value]) => c.at[axis] === value));
}

/** The condition without momentum and adaptation, as far as the sweep varies them; undefined where it has none. */
export function referenceCondition(table: SweepTable): SweepCondition | undefined {
  const plain: Readonly<Record<string, number>> = { friction: 1, adaptStrength: 0 };
  const isPlain = (c: SweepCondition): boolean =>
    Object.entries(plain).every(([name, v]) => (c.records[0]?.parameters[name] ?? v) === v);
  const found = table.conditions.filter(isPlain);
  // Where something else varies, too, there are several, and none of them is the reference.
  return found.length === 1 ? found[0] : undefined;
}

const TITLES: Readonly<Record<string, string>> = {
  reach_rmean: "Mean reach time",
  reach_median: "Median reach time",
  reach_fraction: "Share that arrives",
  junction_median: "Median time to the junction",
  compression_reach: "Compression against awake",
  compression_speed: "Speed against awake",
  compression_reference: "Compression against plain replay",
  compression_laps: "Laps against plain replay",
  speed5: "Speed over 5 steps",
  path_length: "Path length",
  msd_exponent: "Exponent of the displacement",
  output_variance: "Variance of the position",
  autocorrelation10: "Autocorrelation, 10 steps",
  laps: "Laps, signed",
  abs_laps: "Laps",
  track: "Track coverage",
  cells: "Cells visited",
  coverage_entropy: "Evenness of the occupancy",
  regions: "Regions visited",
  entries: "Entries into regions",
  both_arms: "Share that visits both arms",
  occupancy_entropy: "Evenness over regions",
  offpath: "Distance from the maze",
  sw_binned: "Distance to awake occupancy",
  kl_binned: "Divergence from awake occupancy",
  diverged: "Share that diverged",
};

const UNITS: Readonly<Record<string, string>> = { sw_binned: "m", kl_binned: "nats", track: "share of the maze" };

export const metricTitle = (metric: string): string => TITLES[metric] ?? metric;

export function metricUnit(metric: string): string {
  return UNITS[metric] ?? METRICS.find((m) => m.name === metric)?.unit ?? "";
}

/** "Track coverage (share of the maze)". */
export function metricLabel(metric: string): string {
  const unit = metricUnit(metric);
  return unit === "" || unit === metric ? metricTitle(metric) : `${metricTitle(metric)} (${unit})`;
}

/** Above and below 1 are opposite findings. */
export const isRatio = (metric: string): boolean => metric.startsWith("compression_");

const CHOICES: Readonly<Record<Geometry["kind"], readonly string[]>> = {
  open: ["reach_rmean", "compression_reference", "track", "offpath", "compression_reach", "both_arms", "speed5"],
  closed: ["reach_rmean", "compression_laps", "track", "offpath", "compression_reference", "speed5", "entries"],
  box: ["reach_rmean", "speed5", "regions", "sw_binned", "cells", "kl_binned", "coverage_entropy"],
  ring: ["reach_rmean", "speed5", "track", "offpath", "abs_laps", "regions"],
  free: ["speed5", "cells", "coverage_entropy", "sw_binned", "output_variance", "msd_exponent"],
};

/** The four metrics that answer "how fast, how far, how faithful" for this kind of maze. */
export function mainMetrics(table: SweepTable, kind: Geometry["kind"]): string[] {
  return CHOICES[kind].filter((m) => table.metrics.includes(m)).slice(0, 4);
}
