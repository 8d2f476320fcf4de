/** From the rollouts of one network under one condition to the numbers of its line. Pure, in a fixed order. */
import { mean, median, standardDeviation } from "../metrics/statistics.ts";
import { pooledMetrics, type RowMetricName, type RowMetricValues } from "./path-records.ts";

/** Times, for which "never" is an answer, and what tells a rollout that cannot be measured. */
const SPECIAL: readonly RowMetricName[] = ["reach", "junction", "diverged", "diverged_at"];

/**
 * Mean and, as `name_sd`, sample standard deviation of every metric over the rollouts that did not diverge: a single
 * one at 10³⁰ m would be all that the others' mean is about. Reach times and `diverged` count every rollout:
 * one that diverges never arrives, whatever goal it passed on its way out.
 * @param steps T: a rollout that never arrives counts as T in `reach_rmean`
 */
export function aggregateRows(rows: readonly RowMetricValues[], steps: number): Record<string, number> {
  const of = (own: readonly RowMetricValues[], name: RowMetricName): number[] => own.map((r) => r[name]);
  const sound = rows.filter((r) => r.diverged === 0);
  const lost = rows.filter((r) => r.diverged !== 0);
  const timesOf = (name: "reach" | "junction"): number[] =>
    // NaN where the task has no goals at all.
    rows.map((r) => (r.diverged === 0 || Number.isNaN(r[name]) ? r[name] : Number.POSITIVE_INFINITY));
  const reach = timesOf("reach");
  const restricted = reach.map((t) => Math.min(t, steps));
  const out: Record<string, number> = {
    n_sound: sound.length,
    diverged: mean(of(rows, "diverged")),
    diverged_at: mean(of(lost, "diverged_at")),
    reach_rmean: mean(restricted),
    reach_rmean_sd: standardDeviation(restricted),
    reach_median: median(reach),
    reach_fraction: mean(reach.map((t) => (Number.isNaN(t) ? t : Number(t < Number.POSITIVE_INFINITY)))),
    junction_median: median(timesOf("junction")),
  };
  for (const name of Object.keys(rows[0] ?? {}) as RowMetricName[]) {
    if (SPECIAL.includes(name)) continue;
    const values = of(sound, name);
    out[name] = mean(values);
    out[`${name}_sd`] = standardDeviation(values);
  }
  return { ...out, ...pooledMetrics(rows) };
}
