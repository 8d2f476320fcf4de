/**
 * Covariances of Gaussian samples without the samples. The scatter matrix Σ_i (x_i − x̄)(x_i − x̄)ᵀ of n standard normal
 * vectors is A Aᵀ with A lower triangular, its entries independent: chi with n − 1 − i degrees of freedom on the
 * diagonal (i = 0 …), standard normal below (Bartlett, Proceedings of the Royal Society of Edinburgh 53, 1933). It is
 * the exact law, and costs H²/2 draws instead of n·H.
 */
import type { Draws } from "./draws.ts";
import { type Matrix, zeros } from "./matrix.ts";

/** A for vectors of `size` numbers. @throws Error where samples ≤ size: the scatter would be singular */
export function scatterFactor(size: number, samples: number, draws: Draws): Matrix {
  if (samples <= size) throw new Error(`${samples} samples do not determine a covariance of ${size} numbers`);
  const out = zeros(size, size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) out.data[i * size + j] = draws.normal();
    out.data[i * size + i] = draws.chi(samples - 1 - i);
  }
  return out;
}
