/** Metrics in activity space, in the order in which a replay file holds them: they need the activity, and a GPU. */
export const CODE_METRICS = ["sw_code", "participation", "code_distance"] as const;
export type CodeMetricName = (typeof CODE_METRICS)[number];
export type CodeMetricValues = Readonly<Record<CodeMetricName, number>>;

export const NO_CODE: CodeMetricValues = { sw_code: Number.NaN, participation: Number.NaN, code_distance: Number.NaN };

/** One network's line of `distances_<condition>` (network, metric). */
export function codeMetricsOf(data: Float32Array | Float64Array, network: number): CodeMetricValues {
  const at = (i: number): number => data[network * CODE_METRICS.length + i] ?? Number.NaN;
  return { sw_code: at(0), participation: at(1), code_distance: at(2) };
}
