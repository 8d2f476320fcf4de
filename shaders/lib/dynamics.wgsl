// THE cell: its state variables, the step and the adjoint, for four units at a time. Nothing else on the GPU knows
// what is in here; the recurrence machines bring the product, the noise and the storage.
//
// Computes (acc = W_rec r_t + W_in u_t + b)
//   a      = acc − c                                    pre-activation
//   f      = −κ r + γ φ(a)                              drift
//   v'     = (1 − λ) v + f + ς ξ                        momentum
//   c'     = (1 − 1/τ_a) c + (b_a/τ_a) r                adaptation, from the old r
//   r'     = r + v'
// Adjoint (G = dL/d·, φ′ = φ′(a))
//   g      = G_v' + G_r'
//   ga     = γ φ′ g                                     dL/da
//   G_r    = G_r' − κ g + (b_a/τ_a) G_c'  [+ W_recᵀ ga, added by the machine]
//   G_c    = (1 − 1/τ_a) G_c' − ga
//   G_v    = (1 − λ) g
// Numerics  every multiply-add is one explicit fma, in this order in every plan
// Source    model.md sections 2 and 5 of the design; adaptation as in LevensteinLab/pRNN
// Twin      src/reference/dynamics.ts
//! import "lib/activation.wgsl"

struct CellParams {
  leak: f32,        // κ
  gain: f32,        // γ
  keep: f32,        // 1 − λ
  noise: f32,       // ς, standard deviation of what is added to the velocity
  adapt_keep: f32,  // 1 − 1/τ_a
  adapt_gain: f32,  // b_a/τ_a
}

// State variables beside r, in this order: v, c. All start at 0.
const CELL_EXTRA: u32 = 2u;
// 0: no row of the launch has momentum or adaptation; v and c are then neither read nor written.
const EXTRA_ON: u32 = 1u; //! tune

struct CellStep {
  r: vec4f,
  extra: array<vec4f, CELL_EXTRA>,
  a: vec4f,
  phi: vec4f,
}

fn cell_step(p: CellParams, slope: f32, r: vec4f, extra: array<vec4f, CELL_EXTRA>, acc: vec4f, xi: vec4f) -> CellStep {
  var next: CellStep;
  if (EXTRA_ON == 1u) {
    next.a = acc - extra[1];
  } else {
    next.a = acc;
  }
  next.phi = phi(next.a, slope);
  let drift = fma(vec4f(-p.leak), r, p.gain * next.phi);
  let kick = fma(vec4f(p.noise), xi, drift);
  if (EXTRA_ON == 1u) {
    next.extra[0] = fma(vec4f(p.keep), extra[0], kick);
    next.extra[1] = fma(vec4f(p.adapt_keep), extra[1], p.adapt_gain * r);
    next.r = r + next.extra[0];
  } else {
    next.r = r + kick;
  }
  return next;
}

struct CellAdjoint {
  gr: vec4f,  // without W_recᵀ ga
  extra: array<vec4f, CELL_EXTRA>,
  ga: vec4f,
}

fn cell_adjoint(p: CellParams, gr: vec4f, extra: array<vec4f, CELL_EXTRA>, phi_prime: vec4f) -> CellAdjoint {
  var back: CellAdjoint;
  var g = gr;
  if (EXTRA_ON == 1u) {
    g = extra[0] + gr;
  }
  back.ga = (p.gain * phi_prime) * g;
  back.gr = fma(vec4f(-p.leak), g, gr);
  if (EXTRA_ON == 1u) {
    back.gr = fma(vec4f(p.adapt_gain), extra[1], back.gr);
    back.extra[0] = p.keep * g;
    back.extra[1] = fma(vec4f(p.adapt_keep), extra[1], -back.ga);
  }
  return back;
}
