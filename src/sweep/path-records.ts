/** What the metrics kernels' records mean: names, units and equations, and the float64 end of each computation. */
import { ShaderError } from "../errors.ts";
import type { StructLayout } from "../gpu/reflect.ts";
import type { Geometry } from "../metrics/geometry.ts";
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
      meaning: "reach time: any end of an open maze, the next corner of a closed one; infinite = never",
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
      meaning: "sliced Wasserstein distance of the replay positions to the awake ones, both binned on the coverage grid",
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

/** What the kernels add up over a row's steps; d_t = x_t − x_1. */
export interface PathSums {
  /** Σ |x_t − x_{t−ℓ}| for ℓ = 1 and 5. */
  readonly step1: number;
  readonly step5: number;
  /** Σ |x_t − x_{t−ℓ}|² for ℓ = 1, 2, 4, 8, 16. */
  readonly squares: readonly number[];
  readonly offpath: number;
  /** Σ d_t */
  readonly sum: readonly [number, number];
  /** Σ |d_t|² */
  readonly square: number;
  /** Σ_{t > 10} (d_t + d_{t−10}) and Σ_{t > 10} d_t·d_{t−10} */
  readonly pair10: readonly [number, number];
  readonly product10: number;
}
