/**
 * Global-norm clip, Adam and the learning-rate schedule; witness of the kernels under `shaders/optim/`.
 * Adam: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
 */
import { TENSOR_NAMES } from "../model/parameters.ts";
import type { ReferenceTensors } from "./tensors.ts";

export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/** First and second moments, one array per tensor; both start at 0. */
export interface Moments {
  readonly m: ReferenceTensors;
  readonly v: ReferenceTensors;
}

export interface AdamStep {
  /** 0-based iteration. */
  readonly iteration: number;
  readonly learningRate: number;
  /** Largest global norm of a gradient; a longer one is scaled to it. 0 = no limit. */
  readonly clipNorm: number;
}

/** Euclidean norm over all parameters of a network. */
export function gradNormReference(grads: ReferenceTensors): number {
  let squares = 0;
  for (const name of TENSOR_NAMES) for (const g of grads[name]) squares += g * g;
  return Math.sqrt(squares);
}

/** Clips, then updates `weights` and `moments` in place; returns the norm before the clip and the factor applied. */
export function clipAndAdamReference(
  weights: ReferenceTensors,
  grads: ReferenceTensors,
  moments: Moments,
  { iteration, learningRate, clipNorm }: AdamStep,
): { gradNorm: number; factor: number } {
  const { beta1, beta2, epsilon } = ADAM;
  const gradNorm = gradNormReference(grads);
  const factor = clipNorm > 0 ? Math.min(1, clipNorm / gradNorm) : 1;
  const correction1 = 1 - beta1 ** (iteration + 1);
  const correction2 = 1 - beta2 ** (iteration + 1);
  for (const name of TENSOR_NAMES) {
    const w = weights[name];
    const g = grads[name];
    const m = moments.m[name];
    const v = moments.v[name];
    for (let i = 0; i < w.length; i++) {
      const gi = factor * (g[i] as number);
      const mi = beta1 * (m[i] as number) + (1 - beta1) * gi;
      const vi = beta2 * (v[i] as number) + (1 - beta2) * gi * gi;
      m[i] = mi;
      v[i] = vi;
      w[i] = (w[i] as number) - (learningRate * (mi / correction1)) / (Math.sqrt(vi / correction2) + epsilon);
    }
  }
  return { gradNorm, factor };
}

/** Linear from `first` at iteration 0 to `last` at iteration `iterations` − 1. */
export function learningRateReference(iteration: number, iterations: number, first: number, last: number): number {
  return iterations > 1 ? first + ((last - first) * iteration) / (iterations - 1) : first;
}
