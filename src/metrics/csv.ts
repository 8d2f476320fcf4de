import { formatCsv } from "../io/csv.ts";
import type { MetricRecord } from "./measure.ts";
import { mean, standardDeviation } from "./statistics.ts";
import { definitionOf, METRIC_NAMES, type MetricName } from "./table.ts";

/** In CSV and JSON: nothing where a metric is not defined, "inf" where it is never. pandas reads both. */
export function cell(value: number): number | string | null {
  if (Number.isNaN(value)) return null;
  return Number.isFinite(value) ? value : value > 0 ? "inf" : "-inf";
}

/** One flat record per network and condition: network, seed, condition, then every metric. */
export const metricRows = (records: readonly MetricRecord[]) =>
  records.map(({ network, seed, condition, values }) => ({
    network,
    seed,
    condition,
    ...Object.fromEntries(METRIC_NAMES.map((name) => [name, cell(values[name])])),
  }));

/** metrics.csv: a line per record. */
export function metricsCsv(records: readonly MetricRecord[]): string {
  return formatCsv(["network", "seed", "condition", ...METRIC_NAMES], metricRows(records));
}

/** Mean and spread over networks. */
export interface Spread {
  /** NaN where no network defines the metric; Infinity where any of them says "never". */
  readonly mean: number;
  /** Sample standard deviation (n − 1); NaN for n < 2 or an infinite mean. */
  readonly sd: number;
  /** Networks that define the metric. */
  readonly n: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const defined = values.filter((v) => !Number.isNaN(v));
  const m = mean(defined);
  return {
    mean: m,
    sd: Number.isFinite(m) ? standardDeviation(defined) : Number.NaN,
    n: defined.length,
  };
}

export interface ConditionSummary {
  readonly condition: string;
  readonly networks: number;
  readonly metrics: Readonly<Record<MetricName, Spread>>;
}

/** Mean, standard deviation and n over networks, conditions in the order in which they first appear. */
export function summarise(records: readonly MetricRecord[]): ConditionSummary[] {
  return [...new Set(records.map((r) => r.condition))].map((condition) => {
    const own = records.filter((r) => r.condition === condition);
    const spreads = METRIC_NAMES.map((name) => [name, spreadOf(own.map((r) => r.values[name]))] as const);
    return {
      condition,
      networks: own.length,
      metrics: Object.fromEntries(spreads) as Record<MetricName, Spread>,
    };
  });
}

/** The summary as a long table: condition, metric, unit, mean, sd, n. */
export function summaryCsv(summaries: readonly ConditionSummary[]): string {
  const rows = summaries.flatMap((s) =>
    METRIC_NAMES.map((metric) => {
      const { mean: m, sd, n } = s.metrics[metric];
      return { condition: s.condition, metric, unit: definitionOf(metric).unit, mean: cell(m), sd: cell(sd), n };
    }),
  );
  return formatCsv(["condition", "metric", "unit", "mean", "sd", "n"], rows);
}
