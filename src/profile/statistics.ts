/** Medians and spreads of repeated timings. */

export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

/** Linear interpolation between order statistics, as NumPy does by default. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low] as number;
  const b = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return a + (b - a) * (at - low);
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
