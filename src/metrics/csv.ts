import type { MetricRecord } from "./measure.ts";
import { mean, standardDeviation } from "./statistics.ts";
import { definitionOf, METRIC_NAMES, type MetricName } from "./table.ts";

/** Shortest text that reads back as the same number; pandas reads "" as NaN and "inf" as infinity. */
function cell(value: number): string {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return String(value);
}

const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** metrics.csv: one line per network and condition; columns network, seed, condition, then every metric. */
export function metricsCsv(records: readonly MetricRecord[]): string {
  const head = ["network", "seed", "condition", ...METRIC_NAMES].join(",");
  const lines = records.map((r) =>
    [r.network, r.seed, quoted(r.condition), ...METRIC_NAMES.map((name) => cell(r.values[name]))].join(","),
  );
  return `${[head, ...lines].join("\n")}\n`;
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
  const lines = summaries.flatMap((s) =>
    METRIC_NAMES.map((name) => {
      const { mean: m, sd, n } = s.metrics[name];
      return [quoted(s.condition), name, definitionOf(name).unit, cell(m), cell(sd), n].join(",");
    }),
  );
  return `condition,metric,unit,mean,sd,n\n${lines.join("\n")}\n`;
}
