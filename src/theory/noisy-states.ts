/**
 * The law of noisy states that read out a Gaussian path, and its score (model.md section 6):
 * r_t = D⁺ s_t + n_t with n ~ N(0, σ² I) and D⁺ = Dᵀ (D Dᵀ)⁻¹, so r_t ~ N(D⁺ μ_t, Σ_t), Σ_t = D⁺ P_t D⁺ᵀ + σ² I.
 */
import type { Moments } from "./gaussian-path.ts";
import { add, apply, identity, inverse, type Matrix, multiply, scalar, subtract, trace, transpose } from "./matrix.ts";

/** D, d × H, and the standard deviation of the states' noise. */
export interface Readout {
  /** D (d, H), of full rank d */
  readonly matrix: Matrix;
  /** σ: standard deviation of the states' noise, of each unit. */
  readonly noiseStd: number;
}

/** D⁺ (H, d): the shortest state with a given readout. */
export function embedding({ matrix: d }: Readout): Matrix {
  const dt = transpose(d);
  return multiply(dt, inverse(multiply(d, dt)));
}

/** Mean D⁺ μ (H) and covariance Σ (H, H) of the states. */
export function stateMoments(path: Moments, readout: Readout): Moments {
  const up = embedding(readout);
  const spread = multiply(up, path.covariance, transpose(up));
  return {
    mean: apply(up, path.mean),
    covariance: add(spread, scalar(up.rows, readout.noiseStd ** 2)),
  };
}

/** ∇ log p(r) = −Σ⁻¹ (r − mean) as the matrix −Σ⁻¹ (H, H), by inversion: what the gain says without one. */
export function scoreMatrix(states: Moments): Matrix {
  const precision = inverse(states.covariance);
  return { ...precision, data: precision.data.map((x) => -x) };
}

/** K = P (P + σ² D Dᵀ)⁻¹ (d, d): how far a readout's deviation is believed, from 0 (certain path) to I. */
export function gain({ covariance }: Moments, { matrix: d, noiseStd }: Readout): Matrix {
  const noise = multiply(d, transpose(d));
  return multiply(covariance, inverse(add(covariance, noise, noiseStd ** 2)));
}

/** D⁺ K D (H, H): the recurrent term of rank d, beside the leak −I. By Woodbury's identity it is I − σ² Σ⁻¹. */
export const recurrentTerm = (k: Matrix, readout: Readout): Matrix => multiply(embedding(readout), k, readout.matrix);

/** σ² ∇ log p as a map of r − mean: the leak and the recurrent term, −I + D⁺ K D. */
export function scoreMap(path: Moments, readout: Readout): Matrix {
  const term = recurrentTerm(gain(path, readout), readout);
  return subtract(term, identity(term.rows));
}

/** Tweedie: E[D⁺ s | r] = r + σ² ∇ log p(r), the path's state behind a noisy one. */
export function denoised(path: Moments, readout: Readout, r: ArrayLike<number>): Float64Array {
  return believed(path, readout, identity(path.covariance.rows), r);
}

/** The best next state without input, E[D⁺ s_{t+1} | r_t] = D⁺ A μ + D⁺ A K D (r − D⁺ μ). The best drift is that − r. */
export function bestNextState(path: Moments, readout: Readout, transition: Matrix, r: ArrayLike<number>): Float64Array {
  return believed(path, readout, transition, r);
}

function believed(path: Moments, readout: Readout, transition: Matrix, r: ArrayLike<number>): Float64Array {
  const surprise = apply(readout.matrix, r).map((y, i) => y - (path.mean[i] as number));
  const update = apply(gain(path, readout), surprise);
  const s = path.mean.map((m, i) => m + (update[i] as number));
  return apply(embedding(readout), apply(transition, s));
}

/** tr E[(D⁺ s − E[D⁺ s | r]) (…)ᵀ]: squared error that nobody can avoid, summed over units. */
export function leastError(path: Moments, readout: Readout): number {
  const up = embedding(readout);
  const rest = subtract(path.covariance, multiply(gain(path, readout), path.covariance));
  const gram = multiply(transpose(up), up);
  return trace(multiply(rest, gram));
}
