/**
 * Every metric's name, unit, meaning and equation, once: column titles, the report and the README read it here.
 * x is a decoded position, ℓ a lag in steps, T the length of a replay, means are over the replays of one network.
 */
export interface MetricDefinition {
  readonly name: string;
  /** The question that it answers. */
  readonly group: "time" | "exploration" | "motion" | "fidelity" | "memory";
  /** "" for a pure number. */
  readonly unit: string;
  readonly meaning: string;
  readonly equation: string;
}

const define = <const T extends readonly MetricDefinition[]>(table: T): T => table;

/** All metrics, in the order of metrics.csv. */
export const METRICS = define([
  {
    name: "reach_median",
    group: "time",
    unit: "steps",
    meaning: "median reach time; infinite where half of the replays never arrive",
    equation: "median of min{t ≥ 1 : |x_t − goal| < ρ}; boxes: |x_t − x_1| > ρ",
  },
  {
    name: "reach_fraction",
    group: "time",
    unit: "",
    meaning: "share of replays that arrive",
    equation: "mean [t_reach < ∞]",
  },
  {
    name: "reach_rmean",
    group: "time",
    unit: "steps",
    meaning: "restricted mean reach time; a replay that never arrives counts as T",
    equation: "mean min(t_reach, T)",
  },
  {
    name: "junction_median",
    group: "time",
    unit: "steps",
    meaning: "median time to the junction of an open maze",
    equation: "median of min{t ≥ 1 : |x_t − junction| < ρ}",
  },
  {
    name: "compression_reach",
    group: "time",
    unit: "",
    meaning: "how many times faster than awake the goal is reached",
    equation: "median t_reach(awake) / median t_reach",
  },
  {
    name: "compression_speed",
    group: "time",
    unit: "",
    meaning: "replay speed over awake speed",
    equation: "speed5 / speed5(awake)",
  },
  {
    name: "compression_reference",
    group: "time",
    unit: "",
    meaning: "how many times faster than the reference condition the goal is reached",
    equation: "median t_reach(reference) / median t_reach",
  },
  {
    name: "compression_laps",
    group: "time",
    unit: "",
    meaning: "laps over the reference condition's laps, closed mazes",
    equation: "abs_laps / abs_laps(reference)",
  },
  {
    name: "speed5",
    group: "motion",
    unit: "m/step",
    meaning: "speed over 5 steps, less sensitive to readout noise than path_length",
    equation: "mean |x_{t+5} − x_t| / 5",
  },
  {
    name: "path_length",
    group: "motion",
    unit: "m",
    meaning: "length of the decoded path",
    equation: "Σ_t |x_{t+1} − x_t|",
  },
  {
    name: "msd_exponent",
    group: "motion",
    unit: "",
    meaning: "growth of the mean squared displacement: 1 diffusion, 2 straight runs",
    equation: "slope of log MSD(ℓ) on log ℓ, ℓ = 1, 2, 4, 8, 16",
  },
  {
    name: "output_variance",
    group: "motion",
    unit: "m²",
    meaning: "variance over the time of a replay, x and y added",
    equation: "mean Σ_t |x̃_t|² / (T − 1), x̃ = x − its mean over time",
  },
  {
    name: "autocorrelation10",
    group: "motion",
    unit: "",
    meaning: "autocorrelation of the position over 10 steps",
    equation: "Σ_t x̃_{t+10}·x̃_t / Σ_t |x̃_t|²",
  },
  {
    name: "laps",
    group: "motion",
    unit: "laps",
    meaning: "signed laps, counter-clockwise positive",
    equation: "Δ unwrapped angle / 2π",
  },
  {
    name: "abs_laps",
    group: "motion",
    unit: "laps",
    meaning: "laps in either direction",
    equation: "mean |laps of a replay|",
  },
  {
    name: "track",
    group: "exploration",
    unit: "",
    meaning: "track coverage: share of the maze that a replay visits",
    equation: "mean share of ≈ 0.1 m bins with min_t |x_t − bin| < 0.15 m",
  },
  {
    name: "cells",
    group: "exploration",
    unit: "cells",
    meaning: "different cells of a 20 × 20 grid that a replay visits, off the maze too",
    equation: "mean |{cell(x_t)}|",
  },
  {
    name: "coverage_entropy",
    group: "exploration",
    unit: "",
    meaning: "evenness of all replays' steps over the grid: 0 one cell, 1 uniform",
    equation: "−Σ p log p / log 400",
  },
  {
    name: "regions",
    group: "exploration",
    unit: "regions",
    meaning: "different regions (discs at corners, ends, edges; 4 × 4 cells of a box) that a replay visits",
    equation: "mean |{region(x_t)}|",
  },
  {
    name: "entries",
    group: "exploration",
    unit: "",
    meaning: "entries into a region, returns after another region included",
    equation: "mean (1 + changes of region)",
  },
  {
    name: "both_arms",
    group: "exploration",
    unit: "",
    meaning: "share of replays that visit two ends of an open maze",
    equation: "mean [ends visited ≥ 2]",
  },
  {
    name: "occupancy_entropy",
    group: "exploration",
    unit: "",
    meaning: "evenness of a replay's steps over the regions",
    equation: "mean −Σ p log p / log(regions)",
  },
  {
    name: "offpath",
    group: "fidelity",
    unit: "m",
    meaning: "distance to the nearest point of the maze",
    equation: "mean min_s |x_t − path(s)|",
  },
  {
    name: "sw",
    group: "fidelity",
    unit: "m",
    meaning: "sliced Wasserstein distance of all replay positions to the awake ones",
    equation: "mean over 64 directions of W₁",
  },
  {
    name: "sw_T",
    group: "fidelity",
    unit: "m",
    meaning: "the same for the first T steps of replay, T the awake length",
    equation: "mean over 64 directions of W₁",
  },
  {
    name: "kde_kl",
    group: "fidelity",
    unit: "nats",
    meaning: "divergence of replay from awake positions, at 2000 points drawn from the replay density",
    equation: "KL(replay ‖ awake), Gaussian kernels, Scott",
  },
  {
    name: "kde_kl_plugin",
    group: "fidelity",
    unit: "nats",
    meaning: "the same at the replay positions themselves",
    equation: "KL(replay ‖ awake), Gaussian kernels, Scott",
  },
  {
    name: "sw_code",
    group: "fidelity",
    unit: "rate",
    meaning: "sliced Wasserstein distance of replayed to awake activity of the place cells",
    equation: "mean over 128 fixed directions in activity space of W₁",
  },
  {
    name: "participation",
    group: "fidelity",
    unit: "",
    meaning: "participation ratio: dimensions that the activity of the place cells fills",
    equation: "(tr C)² / tr C², C the covariance of the activity",
  },
  {
    name: "code_distance",
    group: "fidelity",
    unit: "rate",
    meaning: "distance of an activity from the nearest code of any position, root mean square over cells",
    equation: "mean min_p |y − rates(p)| / √N_pc, p on a 64 × 64 grid",
  },
  {
    name: "cmi1",
    group: "memory",
    unit: "nats",
    meaning: "memory beyond the present state, per component; needs saved states",
    equation: "I(z_{t+1}; z_{t−1} | z_t) / 8, z = 8 PCs of r",
  },
  {
    name: "cmi5",
    group: "memory",
    unit: "nats",
    meaning: "the same for the state 5 steps before",
    equation: "I(z_{t+1}; z_{t−5} | z_t) / 8, z = 8 PCs of r",
  },
  {
    name: "diverged",
    group: "fidelity",
    unit: "",
    meaning: "share of replays that leave ten maze sizes or stop being finite",
    equation: "mean [∃t : |x_t − centre| > 10 scale or not finite]",
  },
]);

export type MetricName = (typeof METRICS)[number]["name"];

/** NaN = not defined here (no junction, no states, …); Infinity = never. */
export type MetricValues = Readonly<Record<MetricName, number>>;

export const METRIC_NAMES: readonly MetricName[] = METRICS.map((m) => m.name);

export function definitionOf(name: MetricName): MetricDefinition {
  return METRICS.find((m) => m.name === name) as MetricDefinition;
}
