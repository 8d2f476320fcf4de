/** What the metrics kernels' records mean: names, units and equations, and the float64 end of each computation. */
import { ShaderError } from "../errors.ts";
import type { StructLayout } from "../gpu/reflect.ts";
import { type Geometry, hasArrivals, hasLaps } from "../metrics/geometry.ts";
import { mean } from "../metrics/statistics.ts";
import { definitionOf, type MetricDefinition, type MetricName } from "../metrics/table.ts";

const define = <const T extends readonly MetricDefinition[]>(table: T): T => table;

/** Definitions that per-row values share with `METRICS`: there they are means over the rows of a condition. */
const shared = <const T extends readonly MetricName[]>(names: T) =>
  names.map((name) => ({ ...definitionOf(name), name })) as { [K in keyof T]: MetricDefinition & { name: T[K] } };

const meanSquare = <const N extends string>(name: N, lag: number) =>
  ({
    name,
    group: "motion",
    unit: "m²",
    meaning: `mean squared displacement over ${lag} step${lag > 1 ? "s" : ""}`,
    equation: `mean_t |x_{t+${lag}} − x_t|²`,
  }) as const;

/** Metrics of a single rollout. NaN = not defined (no such place, too short, or diverged); Infinity = never. */
export const ROW_METRICS = [
  ...define([
    {
      name: "reach",
      group: "time",
      unit: "steps",
      meaning:
        "reach time: any end of an open maze, the next corner of a closed one, away from the start in a box; infinite = never",
      equation: "min{t ≥ 1 : |x_t − goal| < ρ}",
    },
    {
      name: "junction",
      group: "time",
      unit: "steps",
      meaning: "time to the junction of an open maze; infinite = never",
      equation: "min{t ≥ 1 : |x_t − junction| < ρ}",
    },
  ]),
  ...shared(["speed5", "path_length"]),
  ...define([
    meanSquare("msd1", 1),
    meanSquare("msd2", 2),
    meanSquare("msd4", 4),
    meanSquare("msd8", 8),
    meanSquare("msd16", 16),
    {
      name: "autocovariance10",
      group: "motion",
      unit: "m²",
      meaning: "covariance of the position with itself 10 steps later, x and y added",
      equation: "Σ_t x̃_{t+10}·x̃_t / (T − 1), x̃ = x − its mean over time",
    },
  ]),
  ...shared([
    "output_variance",
    "laps",
    "abs_laps",
    "track",
    "cells",
    "regions",
    "entries",
    "both_arms",
    "occupancy_entropy",
    "offpath",
    "diverged",
  ]),
  ...define([
    {
      name: "diverged_at",
      group: "fidelity",
      unit: "steps",
      meaning: "first step that is not finite or ten maze sizes away; infinite = never",
      equation: "min{t ≥ 1 : |x_t − centre| > 10 scale or not finite}",
    },
  ]),
] as const;

export type RowMetricName = (typeof ROW_METRICS)[number]["name"];
export type RowMetricValues = Readonly<Record<RowMetricName, number>>;

/** Metrics of the pooled cloud of a (network, condition). Rows that diverged are left out. */
export const SUMMARY_METRICS = [
  ...shared(["coverage_entropy"]),
  ...define([
    {
      name: "sw_binned",
      group: "fidelity",
      unit: "m",
      meaning:
        "sliced Wasserstein distance of the replay positions to the awake ones, both binned on the coverage grid",
      equation: "mean over 64 directions of W₁, each cell's steps at its centre",
    },
    {
      name: "kl_binned",
      group: "fidelity",
      unit: "nats",
      meaning: "divergence of the replay positions from the awake ones, both binned and smoothed",
      equation: "Σ_i p_i (log p̂(z_i) − log q̂(z_i)); Gaussian kernels, min(n, 2000)^(−1/3) (Cov + cell²/12)",
    },
    {
      name: "inside",
      group: "fidelity",
      unit: "",
      meaning: "share of the steps of the rows that did not diverge that fall into the coverage grid",
      equation: "steps in the grid / steps",
    },
  ]),
] as const;

export type SummaryMetricName = (typeof SUMMARY_METRICS)[number]["name"];
export type SummaryMetricValues = Readonly<Record<SummaryMetricName, number>>;

/** A named field of record `index`: a number, or the two of a vec2. */
function fieldReader(layout: StructLayout, bytes: ArrayBuffer, index: number) {
  const view = new DataView(bytes, index * layout.bytes, layout.bytes);
  const lane = (name: string, k = 0): number => {
    const f = layout.fields.find((x) => x.name === name);
    if (!f) throw new ShaderError(`${layout.name} has no field ${name}`);
    const at = f.offset + 4 * k;
    if (f.scalar === "f32") return view.getFloat32(at, true);
    return f.scalar === "u32" ? view.getUint32(at, true) : view.getInt32(at, true);
  };
  return lane;
}

const never = (step: number): number => (step === 0 ? Number.POSITIVE_INFINITY : step);
const where = (defined: boolean, value: number): number => (defined ? value : Number.NaN);

/**
 * Metrics of row `row` of `path_stats`, as read back.
 *
 * A diverged row keeps `reach`, `junction`, `diverged` and `diverged_at`; everything else is NaN.
 */
export function rowMetrics(
  layout: StructLayout,
  bytes: ArrayBuffer,
  row: number,
  spec: { readonly geometry: Geometry; readonly steps: number },
): RowMetricValues {
  const { geometry: g, steps: T } = spec;
  const field = fieldReader(layout, bytes, row);
  // The two levels of the kernel's sums: finished blocks of steps, and the last, unfinished one.
  const sum = (name: string, k = 0): number => field(`total.${name}`, k) + field(`recent.${name}`, k);
  const diverged = field("diverged");
  const live = diverged === 0;
  const closed = live && hasLaps(g);
  const laps = where(closed, field("last_turn") - field("first_turn") - field("wraps"));
  const squareOfSum = sum("offset", 0) ** 2 + sum("offset", 1) ** 2;
  // With m = Σd / T: Σ (d_t − m)(d_{t−10} − m) = Σ d_t·d_{t−10} − m·Σ (d_t + d_{t−10}) + (T − 10) |m|².
  const pairs = (sum("offset", 0) * sum("pair10", 0) + sum("offset", 1) * sum("pair10", 1)) / T;
  const product = sum("product10") - pairs + ((T - 10) * squareOfSum) / T ** 2;
  const msd = (lag: number): number => where(live && T > lag, sum(`square${lag}`) / (T - lag));
  return {
    reach: where(hasArrivals(g), never(field("reach"))),
    junction: where(g.junction !== null, never(field("junction"))),
    speed5: where(live && T > 5, sum("step5") / (5 * (T - 5))),
    path_length: where(live, sum("step1")),
    msd1: msd(1),
    msd2: msd(2),
    msd4: msd(4),
    msd8: msd(8),
    msd16: msd(16),
    autocovariance10: where(live && T > 10, product / (T - 1)),
    output_variance: where(live && T > 1, Math.max(0, sum("square") - squareOfSum / T) / (T - 1)),
    laps,
    abs_laps: Math.abs(laps),
    track: where(live && g.bins.length > 0, field("bins") / g.bins.length),
    cells: where(live, field("cells")),
    regions: where(live && g.regions.length > 0, field("regions")),
    entries: where(live && g.regions.length > 0, field("entries")),
    both_arms: where(live && g.ends.length >= 2, field("ends") >= 2 ? 1 : 0),
    occupancy_entropy: where(live && g.regions.length > 0, field("entropy") / Math.log(g.regions.length)),
    offpath: where(live && g.segments.length > 0, sum("offpath") / T),
    diverged: live ? 0 : 1,
    diverged_at: never(diverged),
  };
}

/**
 * The metrics of `METRICS` that are ratios or slopes of means over rows, from the means themselves. Lags at which
 * nothing moved are left out of the slope.
 */
export function pooledMetrics(rows: readonly RowMetricValues[]): {
  readonly msd_exponent: number;
  readonly autocorrelation10: number;
} {
  const live = rows.filter((r) => r.diverged === 0);
  const over = (name: RowMetricName): number => mean(live.map((r) => r[name]));
  const points = ([1, 2, 4, 8, 16] as const)
    .map((lag) => [Math.log(lag), over(`msd${lag}`)] as const)
    .filter(([, square]) => square > 0)
    .map(([x, square]) => [x, Math.log(square)] as const);
  const [mx, my] = [mean(points.map((p) => p[0])), mean(points.map((p) => p[1]))];
  const slope = (axis: 0 | 1): number => points.reduce((sum, p) => sum + (p[0] - mx) * (p[axis] - (axis ? my : mx)), 0);
  return {
    msd_exponent: points.length < 2 ? Number.NaN : slope(1) / slope(0),
    autocorrelation10: over("autocovariance10") / over("output_variance"),
  };
}

/**
 * Metrics of record `index` of `summaries`; `steps` is T. NaN where no row is left, where a cloud has no step in the
 * grid (distances), or without awake occupancy.
 */
export function summaryMetrics(
  layout: StructLayout,
  bytes: ArrayBuffer,
  index: number,
  spec: { readonly steps: number; readonly awakeOccupancy: boolean },
): SummaryMetricValues {
  const field = fieldReader(layout, bytes, index);
  const [live, counted] = [field("live_rows"), field("counted")];
  const comparable = spec.awakeOccupancy && counted > 0 && field("awake_counted") > 0;
  return {
    coverage_entropy: where(live > 0, field("entropy")),
    sw_binned: where(comparable, field("sliced")),
    kl_binned: where(comparable, field("divergence")),
    inside: where(live > 0, counted / (live * spec.steps)),
  };
}
