/** NaN for an empty list. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Sample standard deviation (n − 1); NaN for fewer than two values. */
export function standardDeviation(values: ArrayLike<number>): number {
  if (values.length < 2) return Number.NaN;
  const m = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - m) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/** Smallest and largest value; [∞, −∞] for an empty list. */
export function rangeOf(values: Iterable<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return [low, high];
}

/** Quantile of ascending values by linear interpolation, as NumPy's default; NaN for an empty list. */
export function quantileSorted(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = q * (sorted.length - 1);
  const low = Math.floor(at);
  const a = sorted[low] as number;
  const b = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  // Without the first case, ∞ − ∞ would make NaN out of an infinite median.
  return a === b ? a : a + (at - low) * (b - a);
}

/** Median; infinite values count, so "never" in half of the rows gives "never". */
export function median(values: ArrayLike<number>): number {
  return quantileSorted(Float64Array.from(values).sort(), 0.5);
}

/**
 * Which `count` of `n` items stand for all: the first ones of a permutation in golden-ratio strides, which never
 * falls into step with the length of a row as every k-th item would. All items where count ≥ n.
 */
export function spreadIndices(n: number, count: number): Int32Array {
  if (count >= n) return Int32Array.from({ length: n }, (_, i) => i);
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.round((n * (Math.sqrt(5) - 1)) / 2));
  while (divisor(stride, n) !== 1) stride++;
  return Int32Array.from({ length: count }, (_, i) => (i * stride) % n);
}

/**
 * Ascending order of finite numbers: buckets of equal width, then each bucket by itself. Ten times faster than the
 * built-in sort on the clouds of a replay, which the sliced distance sorts 64 times.
 */
export function sortInPlace(values: Float64Array): void {
  const n = values.length;
  const [low, high] = rangeOf(values);
  const buckets = Math.ceil(n / 8);
  const scale = (buckets - 1) / (high - low);
  // A range of zero, or beyond a float64, cannot be cut into buckets.
  if (n < 64 || !(scale > 0 && scale < Number.POSITIVE_INFINITY)) {
    values.sort();
    return;
  }
  const starts = new Int32Array(buckets + 1);
  for (let i = 0; i < n; i++) {
    const next = Math.trunc(((values[i] as number) - low) * scale) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  for (let b = 0; b < buckets; b++) starts[b + 1] = (starts[b + 1] as number) + (starts[b] as number);
  const ordered = new Float64Array(n);
  const free = starts.slice();
  for (let i = 0; i < n; i++) {
    const v = values[i] as number;
    const b = Math.trunc((v - low) * scale);
    const at = free[b] as number;
    ordered[at] = v;
    free[b] = at + 1;
  }
  for (let b = 0; b < buckets; b++) {
    const [from, to] = [starts[b] as number, starts[b + 1] as number];
    if (to - from > 32) ordered.subarray(from, to).sort();
    else insertionSort(ordered, from, to);
  }
  values.set(ordered);
}

function insertionSort(values: Float64Array, from: number, to: number): void {
  for (let i = from + 1; i < to; i++) {
    const v = values[i] as number;
    let k = i;
    while (k > from && (values[k - 1] as number) > v) {
      values[k] = values[k - 1] as number;
      k--;
    }
    values[k] = v;
  }
}
