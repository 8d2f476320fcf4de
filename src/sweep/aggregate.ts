/** From the rollouts of one network under one condition to one line of the results. Pure, in a fixed order. */
import { mean, median, standardDeviation } from "../metrics/statistics.ts";

/** Metrics of one rollout by name; NaN = not defined, Infinity = never. */
export type RowValues = Readonly<Record<string, number>>;

/** Times, for which "never" is an answer, and what tells a rollout that cannot be measured. */
const SPECIAL: readonly string[] = ["reach", "junction", "diverged", "diverged_step"];

/**
 * Mean and, as `name_sd`, sample standard deviation of every metric over the rollouts that did not diverge: a single
 * one at 10³⁰ m would be all that the others' mean is about. Reach times and `diverged` count every rollout.
 * @param steps T: a rollout that never arrives counts as T in `reach_rmean`
 */
export function aggregateRows(rows: readonly RowValues[], steps: number): Record<string, number> {
  const of = (own: readonly RowValues[], name: string): number[] => own.map((r) => r[name] ?? Number.NaN);
  const sound = rows.filter((r) => r.diverged === 0);
  const out: Record<string, number> = { n_sound: sound.length, diverged: mean(of(rows, "diverged")) };
  const reach = of(rows, "reach");
  const restricted = reach.map((t) => Math.min(t, steps));
  out.reach_rmean = mean(restricted);
  out.reach_rmean_sd = standardDeviation(restricted);
  out.reach_median = median(reach);
  // NaN where the task has no goals at all.
  out.reach_fraction = mean(reach.map((t) => (Number.isNaN(t) ? t : Number(t < Number.POSITIVE_INFINITY))));
  out.junction_median = median(of(rows, "junction"));
  for (const name of Object.keys(rows[0] ?? {})) {
    if (SPECIAL.includes(name)) continue;
    const defined = of(sound, name).filter((v) => !Number.isNaN(v));
    out[name] = mean(defined);
    out[`${name}_sd`] = standardDeviation(defined);
  }
  return out;
}
