/**
 * Gaussian paths (model.md section 6): s_{t+1} = A s_t + w_t with w ~ N(0, Q) and s_0 ~ N(μ_0, P_0), so that
 * μ_{t+1} = A μ_t and P_{t+1} = A P_t Aᵀ + Q.
 */
import type { OuTask } from "../task/paths.ts";
import { add, apply, type Matrix, multiply, scalar, transpose } from "./matrix.ts";

/** s_{t+1} = A s_t + w_t, w ~ N(0, Q), s_0 ~ N(μ_0, P_0). */
export interface GaussianPath {
  /** A (d, d) */
  readonly transition: Matrix;
  /** Q (d, d) */
  readonly noise: Matrix;
  readonly start: Moments;
}

/** Mean (d) and covariance (d, d) of a Gaussian. */
export interface Moments {
  readonly mean: Float64Array;
  readonly covariance: Matrix;
}

/** Of s_t, t = 0 … steps. */
export function pathMoments({ transition, noise, start }: GaussianPath, steps: number): Moments[] {
  const out = [start];
  for (let t = 0; t < steps; t++) {
    const { mean, covariance } = out[t] as Moments;
    out.push({
      mean: apply(transition, mean),
      covariance: add(multiply(transition, covariance, transpose(transition)), noise),
    });
  }
  return out;
}

/** A = (1 − θ) I, Q = q² I; a random walk where θ = 0. */
export function ouPath({ start, startStd, pull, pathStd }: Omit<OuTask, "kind">): GaussianPath {
  const d = start.length;
  return {
    transition: scalar(d, 1 - pull),
    noise: scalar(d, pathStd ** 2),
    start: { mean: Float64Array.from(start), covariance: scalar(d, startStd ** 2) },
  };
}
