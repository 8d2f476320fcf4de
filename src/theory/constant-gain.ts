/**
 * What a network with constant weights gives away (model.md section 6): the gain K_t follows the path's uncertainty,
 * but one K has to serve all times; and without a leak, the decay −I off the path's plane has to be learnt as well.
 * Losses are squared errors of the denoised state, summed over units.
 */
import { symmetricEigen } from "../metrics/linear-algebra.ts";
import type { Moments } from "./gaussian-path.ts";
import { add, inverse, type Matrix, multiply, subtract, trace, transpose, zeros } from "./matrix.ts";
import { embedding, gain, leastError, type Readout, stateMoments } from "./noisy-states.ts";

/** P_t + σ² D Dᵀ (d, d): covariance of a noisy state's readout. */
const readoutCovariance = (path: Moments, { matrix: d, noiseStd }: Readout): Matrix =>
  add(path.covariance, multiply(d, transpose(d)), noiseStd ** 2);

/** The K that loses least on average over the given times: (Σ P_t) (Σ (P_t + σ² D Dᵀ))⁻¹. */
export function bestConstantGain(times: readonly Moments[], readout: Readout): Matrix {
  const d = readout.matrix.rows;
  const uncertainty = times.reduce((sum, t) => add(sum, t.covariance), zeros(d, d));
  const all = times.reduce((sum, t) => add(sum, readoutCovariance(t, readout)), zeros(d, d));
  return multiply(uncertainty, inverse(all));
}

/** Loss of a gain above the best gain's, at one time: tr D⁺ (K − K_t) (P_t + σ² D Dᵀ) (K − K_t)ᵀ D⁺ᵀ. */
export function excessOfGain(k: Matrix, path: Moments, readout: Readout): number {
  const difference = multiply(embedding(readout), subtract(k, gain(path, readout)));
  return trace(multiply(difference, readoutCovariance(path, readout), transpose(difference)));
}

const average = (times: readonly Moments[], of: (t: Moments) => number): number =>
  times.reduce((sum, t) => sum + of(t) / times.length, 0);

/** Mean excess of the best constant gain over the times, as a share of the mean loss of the best gains K_t. */
export function excessOfConstantGain(times: readonly Moments[], readout: Readout): number {
  const k = bestConstantGain(times, readout);
  return average(times, (t) => excessOfGain(k, t, readout)) / average(times, (t) => leastError(t, readout));
}

/**
 * Least excess loss of a map of the states with the given rank and no leak beside it. The score's map is −σ² Σ⁻¹, and
 * weighed by the states that it meets −σ² Σ^{−½}, so what a rank leaves out are its smallest singular values. With the
 * leak given, rank d leaves out nothing.
 */
export function excessWithoutLeak(path: Moments, readout: Readout, rank: number): number {
  const { covariance } = stateMoments(path, readout);
  // Descending variances are ascending singular values.
  const { values } = symmetricEigen(covariance.data, covariance.rows);
  return values.slice(0, covariance.rows - rank).reduce((sum, v) => sum + readout.noiseStd ** 4 / v, 0);
}

/**
 * The same of the best constant map of the given rank without a leak. The best constant map of all is −σ² Σ̄⁻¹, Σ̄ the
 * mean over times of Σ_t, and is −I and the best constant gain's term; a rank loses in Σ̄ what it does not reach.
 */
export function excessOfConstantWithoutLeak(times: readonly Moments[], readout: Readout, rank: number): number {
  const [first] = times;
  if (first === undefined) return Number.NaN;
  const d = readout.matrix.rows;
  const covariance = times.reduce((sum, t) => add(sum, t.covariance, 1 / times.length), zeros(d, d));
  const missed = excessWithoutLeak({ mean: first.mean, covariance }, readout, rank);
  return excessOfConstantGain(times, readout) + missed / average(times, (t) => leastError(t, readout));
}
