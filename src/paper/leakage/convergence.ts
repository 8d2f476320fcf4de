/** When training has got where. Pure. */
import { mean } from "../../metrics/statistics.ts";

/**
 * Mean over the last `window` iterations at each of them; over fewer at the beginning.
 * @param loss of one network, by iteration; NaN where it was not finite
 */
export function smoothed(loss: readonly number[], window: number): number[] {
  return loss.map((_, i) => mean(loss.slice(Math.max(0, i + 1 - window), i + 1)));
}

/** Iterations after which the loss was below the threshold for the first time; one more than there are for never. */
export function iterationsTo(loss: readonly number[], threshold: number): number {
  const found = loss.findIndex((x) => x < threshold);
  return found < 0 ? loss.length + 1 : found + 1;
}
