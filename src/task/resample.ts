/** Samples at any times → samples `dt` apart, by straight lines between neighbours. */
import { DataError } from "../errors.ts";

export interface ResampleOptions {
  /** Seconds between two samples of the result. */
  readonly dt: number;
  /** Hertz, for trials without times; null: they must have times. */
  readonly rate: number | null;
  /** Longest time between two samples that is bridged, seconds. */
  readonly largestGap: number;
}

/**
 * (samples, 2) at t_0, t_0 + dt, … up to the last time.
 * @param where file and trial, for messages
 * @throws DataError where times are missing, or too far apart
 */
export function resample(
  positions: Float64Array,
  times: Float64Array | null,
  where: string,
  { dt, rate, largestGap }: ResampleOptions,
): Float64Array {
  const count = positions.length / 2;
  if (!times && rate === null) {
    throw new DataError(`${where}: no times; give timestamps (or a column t), or set task.rate in hertz`);
  }
  const at = (i: number): number => times?.[i] ?? i / (rate as number);
  for (let i = 1; i < count; i++) {
    const gap = at(i) - at(i - 1);
    // The last bit of a difference of times is nobody's gap.
    if (gap > largestGap * (1 + 1e-9)) {
      throw new DataError(
        `${where}: ${gap.toPrecision(3)} s from sample ${i - 1} to ${i} are more than task.largestGap = ${largestGap} s; split the trial there, or allow it`,
      );
    }
  }
  const steps = Math.floor((at(count - 1) - at(0)) / dt + 1e-6);
  const out = new Float64Array(2 * (steps + 1));
  let i = 0;
  for (let k = 0; k <= steps; k++) {
    const t = at(0) + k * dt;
    while (i + 2 < count && at(i + 1) <= t) i++;
    const next = Math.min(i + 1, count - 1);
    const share = next === i ? 0 : Math.min(1, (t - at(i)) / (at(next) - at(i)));
    for (let axis = 0; axis < 2; axis++) {
      const [a, b] = [positions[2 * i + axis] as number, positions[2 * next + axis] as number];
      out[2 * k + axis] = a + share * (b - a);
    }
  }
  return out;
}
