/** Float64 witness of `shaders/code/decode.wgsl`: the position that an activity of place cells stands for. */
import type { Decoder, Population } from "../code/population.ts";

/** Ten times the largest rate. */
const DIVERGED_ACTIVITY = 10;

export function decodeReference(
  { centres }: Population,
  { method, k }: Decoder,
  activity: ArrayLike<number>,
): [number, number] {
  const all = Array.from({ length: centres.length }, (_, i) => i);
  // Written so that NaN counts as beyond.
  if (all.some((i) => !(Math.abs(activity[i] as number) <= DIVERGED_ACTIVITY))) return [Number.NaN, Number.NaN];
  const weights =
    method === "topK"
      ? topWeights(activity, all, Math.min(k, centres.length))
      : all.map((i) => Math.max(activity[i] as number, 0));
  const total = weights.reduce((a, b) => a + b, 0);
  const share = (i: number): number => (total > 0 ? (weights[i] as number) / total : 1 / centres.length);
  const mean = (axis: 0 | 1): number => centres.reduce((sum, c, i) => sum + share(i) * c[axis], 0);
  return [mean(0), mean(1)];
}

/** 1 for the k largest, of equals the first. */
function topWeights(activity: ArrayLike<number>, all: readonly number[], k: number): number[] {
  const order = [...all].sort((a, b) => (activity[b] as number) - (activity[a] as number) || a - b);
  const weights = all.map(() => 0);
  for (const i of order.slice(0, k)) weights[i] = 1;
  return weights;
}
