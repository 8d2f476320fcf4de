/** Metrics in activity space, in the order in which a replay file holds them: they need the activity, and a GPU. */
export const CODE_METRICS = ["sw_code", "participation", "code_distance"] as const;
export type CodeMetricName = (typeof CODE_METRICS)[number];
export type CodeMetricValues = Readonly<Record<CodeMetricName, number>>;

export const NO_CODE: CodeMetricValues = { sw_code: Number.NaN, participation: Number.NaN, code_distance: Number.NaN };

/** Activities of a cloud that are enough to measure it by. */
const ENOUGH_ACTIVITIES = 4096;

/** Steps between two activities of a replay that are kept only to be measured. */
export const activityEvery = (steps: number, repeats: number): number =>
  Math.max(1, Math.min(steps, Math.floor((steps * repeats) / ENOUGH_ACTIVITIES)));

/** One network's line of `distances_<condition>` (network, metric). */
export function codeMetricsOf(data: Float32Array | Float64Array, network: number): CodeMetricValues {
  const at = (i: number): number => data[network * CODE_METRICS.length + i] ?? Number.NaN;
  return { sw_code: at(0), participation: at(1), code_distance: at(2) };
}

/** Of one cloud, by the names of the metrics. */
export const activityValues = (m: { sliced: number; participation: number; nearest: number }): CodeMetricValues => ({
  sw_code: m.sliced,
  participation: m.participation,
  code_distance: m.nearest,
});
