/**
 * When momentum keeps a linear mode (model.md section 4): an eigenvalue k of −∂f/∂r gives
 *
 *     z² − (2 − λ − k) z + (1 − λ) = 0,
 *
 * and the mode is stable where both |z| < 1. For complex k the Schur–Cohn conditions of this polynomial make an ellipse,
 *
 *     ((2 − λ − Re k) / (2 − λ))² + (Im k / λ)² < 1,
 *
 * centred at 2 − λ on the real axis, with half-axes 2 − λ along it and λ across: at λ = 1 the unit disc about 1, and the
 * less friction, the flatter. Real modes: 0 < k < 4 − 2λ. Momentum helps none that rotate. Pure, float64.
 */
import type { Activation } from "../model/dynamics.ts";
import type { Complex } from "./eigenvalues.ts";

/** Below 1 inside the ellipse of stable modes, above 1 outside. */
export function ellipse({ re, im }: Complex, friction: number): number {
  return ((2 - friction - re) / (2 - friction)) ** 2 + (im / friction) ** 2;
}

export const isStableMode = (k: Complex, friction: number): boolean => ellipse(k, friction) < 1;

/** max |z|: by how much the mode grows in a step. */
export function growth(k: Complex, friction: number): number {
  // z = p ± √(p² − (1 − λ)), p = (2 − λ − k) / 2, in complex numbers.
  const [x, y] = [(2 - friction - k.re) / 2, -k.im / 2];
  const [a, b] = [x * x - y * y - (1 - friction), 2 * x * y];
  const size = Math.hypot(a, b);
  const re = Math.sqrt(Math.max(0, (size + a) / 2));
  const im = (b < 0 ? -1 : 1) * Math.sqrt(Math.max(0, (size - a) / 2));
  return Math.max(Math.hypot(x + re, y + im), Math.hypot(x - re, y - im));
}

/** Friction is looked for down to here. */
export const LEAST_FRICTION = 0.01;

/**
 * The λ above which a mode that is stable at λ = 1 stays so: the lower end of the interval of stable λ that ends at 1.
 * 0 where every λ is stable, NaN where λ = 1 is not.
 */
export function criticalFriction(k: Complex): number {
  if (!isStableMode(k, 1)) return Number.NaN;
  // Coarse steps find the first crossing, halving pins it down.
  const steps = 400;
  const at = (i: number): number => 1 - ((1 - LEAST_FRICTION) * i) / steps;
  for (let i = 1; i <= steps; i++) {
    if (isStableMode(k, at(i))) continue;
    let [stable, unstable] = [at(i - 1), at(i)];
    for (let j = 0; j < 40; j++) {
      const middle = (stable + unstable) / 2;
      if (isStableMode(k, middle)) stable = middle;
      else unstable = middle;
    }
    return stable;
  }
  return 0;
}

export interface LinearisedNetwork {
  readonly units: number;
  /** (N, N), row = output unit. */
  readonly recurrent: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
  /** κ */
  readonly leak: number;
  /** γ */
  readonly gain: number;
  readonly activation: Activation;
  readonly leakySlope: number;
}

/** φ′; a kink belongs to its left side. */
function slopeAt({ activation, leakySlope }: LinearisedNetwork, a: number): number {
  switch (activation) {
    case "relu":
      return a > 0 ? 1 : 0;
    case "leakyRelu":
      return a > 0 ? 1 : leakySlope;
    case "tanh":
      return 1 - Math.tanh(a) ** 2;
    case "identity":
      return 1;
  }
}

/**
 * −∂f/∂r = κI − γΦ′W, (N, N), averaged over states, (state, N) from `first` on: Φ′ is the mean of diag φ′(a). Of one
 * state it is the Jacobian itself, constant within a piece of a piecewise linear network.
 */
export function driftMatrix(n: LinearisedNetwork, states: ArrayLike<number>, first = 0, count = 1): Float64Array {
  const N = n.units;
  const slope = new Float64Array(N);
  for (let s = first; s < first + count; s++) {
    for (let i = 0; i < N; i++) {
      let a = n.bias[i] as number;
      for (let j = 0; j < N; j++) a += (n.recurrent[i * N + j] as number) * (states[s * N + j] as number);
      slope[i] = (slope[i] as number) + slopeAt(n, a) / count;
    }
  }
  return Float64Array.from({ length: N * N }, (_, at) => {
    const i = Math.floor(at / N);
    return (at % N === i ? n.leak : 0) - n.gain * (slope[i] as number) * (n.recurrent[at] as number);
  });
}
