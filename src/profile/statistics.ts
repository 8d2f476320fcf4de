/** Medians and spreads of repeated timings. */

import { quantileSorted } from "../metrics/statistics.ts";

export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** Of values in any order; linear interpolation, as NumPy's default. */
export function quantile(values: readonly number[], q: number): number {
  return quantileSorted(Float64Array.from(values).sort(), q);
}

/** Median and quartiles. */
export function spread(values: readonly number[]): Spread {
  return {
    median: quantile(values, 0.5),
    lower: quantile(values, 0.25),
    upper: quantile(values, 0.75),
    count: values.length,
  };
}

/** Standard deviation of a median, relative to it, as if the timings were normal: quartiles are 1.35 σ apart. */
export function relativeError(s: Spread): number {
  if (s.count < 2 || s.median === 0) return 0;
  const deviation = (s.upper - s.lower) / 1.349;
  return (1.253 * deviation) / Math.sqrt(s.count) / s.median;
}
