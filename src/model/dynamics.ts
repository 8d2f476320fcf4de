/**
 * Step parameters of the cell (`shaders/lib/dynamics.wgsl` holds the equations) and the constants derived from
 * them, each rounded to float32 once, here, so that every kernel and every plan sees the same bits.
 */

export const ACTIVATIONS = ["relu", "leakyRelu", "tanh", "identity"] as const;
export type Activation = (typeof ACTIVATIONS)[number];

/** One setting of the step parameters: what a user writes. */
export interface StepParameters {
  /** κ ≥ 0, share of r lost per step; 0 = no leak. */
  readonly leak: number;
  /** γ, scale of φ(…) per step. */
  readonly gain: number;
  /** σ ≥ 0, standard deviation of the noise per step and unit. */
  readonly noiseStd: number;
  /** Factor on σ: 1 awake, √2 in replay (model.md section 2). */
  readonly noiseScale: number;
  /** λ ∈ (0, 1]; 1 = overdamped, no momentum. */
  readonly friction: number;
  /** Whether the noise is multiplied by √λ (fluctuation–dissipation). */
  readonly noiseFriction: boolean;
  /** b_a ≥ 0; 0 = no adaptation. */
  readonly adaptStrength: number;
  /** τ_a ≥ 1, steps. */
  readonly adaptTau: number;
}

/** The record the kernels read for a row, field for field as in WGSL's `CellParams`. */
export interface CellParams {
  readonly leak: number;
  readonly gain: number;
  /** 1 − λ */
  readonly keep: number;
  /** ς: standard deviation of what is added to the velocity */
  readonly noise: number;
  /** 1 − 1/τ_a */
  readonly adapt_keep: number;
  /** b_a/τ_a */
  readonly adapt_gain: number;
}

export function cellParams(p: StepParameters): CellParams {
  const f = Math.fround;
  return {
    leak: f(p.leak),
    gain: f(p.gain),
    keep: f(1 - p.friction),
    noise: f(p.noiseStd * p.noiseScale * (p.noiseFriction ? Math.sqrt(p.friction) : 1)),
    adapt_keep: f(1 - 1 / p.adaptTau),
    adapt_gain: f(p.adaptStrength / p.adaptTau),
  };
}

/** Whether a row needs the state variables v and c at all. */
export function usesModifiers(p: StepParameters): boolean {
  return p.friction < 1 || p.adaptStrength > 0;
}

/** Initial gain of W_rec where none is set: total loop gain below 1 (model.md section 2, decision 11). */
export function defaultInitialGain(leak: number, gain: number): number {
  return Math.max(0.05, leak / gain);
}
