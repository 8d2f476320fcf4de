// Computes   the law of a standard normal Z as rates: hazard E(z) = −ln P(Z > z) and its inverse. A Rayleigh speed v of
//            scale ς has v²/2ς² distributed as E(Z), so this is the Gaussian copula of speeds without a difference
//            1 − Φ that would cancel: normal_of_hazard(v²/2ς²) = Φ⁻¹(1 − exp(−v²/2ς²)).
// Axes       pointwise.
// Bindings   none.
// Geometry   no entry point.
// Numerics   E is used for |z| ≤ 7: absolute error ≤ 1e-6·max(1, E) and relative error ≤ 2e-5 down to E(−7) = 1e-12.
//            Inverse: absolute error ≤ 2e-6 between its ends ±4.7534, where probabilities are cut at 1e-6 (model.md
//            section 7). Polynomials are minimax fits made for this file.
// Twin       src/reference/normal-law.ts; test/kernel/normal-law.test.ts.
//! import "lib/maths.wgsl"

const FURTHEST: f32 = 7.0;
// √(−2 ln 1e-6)
const TAIL_END: f32 = 5.2565218;

// For z ≥ 0: E(z) = z²/2 + p(z), p = −ln of Mills' ratio / √2π, smooth; fit to 1.7e-7.
fn upper_hazard(z: f32) -> f32 {
  let s = z - 3.0;
  var p = -7.38756445e-10;
  p = fma(p, s, 7.71534925e-9);
  p = fma(p, s, -1.39568721e-8);
  p = fma(p, s, -1.68675399e-7);
  p = fma(p, s, 1.79832887e-6);
  p = fma(p, s, -1.46620914e-5);
  p = fma(p, s, 1.12510046e-4);
  p = fma(p, s, -7.89061072e-4);
  p = fma(p, s, 5.2462793e-3);
  p = fma(p, s, -3.52793783e-2);
  p = fma(p, s, 0.283098072);
  p = fma(p, s, 2.1077261);
  return fma(0.5 * z, z, p);
}

// −ln(1 − a) for 0 ≤ a ≤ ½; its own series where 1 − a would round a away.
fn minus_log_of_rest(a: f32) -> f32 {
  let series = a * fma(a, fma(a, fma(a, fma(a, 0.2, 0.25), 0.33333333), 0.5), 1.0);
  return select(-log_f(1.0 - a), series, a < 0.02);
}

fn normal_hazard(value: f32) -> f32 {
  let z = clamp(value, -FURTHEST, FURTHEST);
  let upper = upper_hazard(abs(z));
  return select(upper, minus_log_of_rest(exp_f(-upper)), z < 0.0);
}

// The z ≥ 0 with P(Z > z) = exp(−t²/2), √(2 ln 2) ≤ t ≤ TAIL_END: t − p(1 / (t + 2)), fit to 7e-8.
fn upper_quantile(t: f32) -> f32 {
  let s = 1.0 / (t + 2.0) - 0.2265;
  var p = 1113.76855;
  p = fma(p, s, 228.757095);
  p = fma(p, s, 96.5710297);
  p = fma(p, s, 22.7806721);
  p = fma(p, s, 12.9695082);
  p = fma(p, s, 3.91604185);
  p = fma(p, s, 3.70561481);
  p = fma(p, s, 0.809059799);
  return t - p;
}

// The z with E(z) = x, x ≥ 0; probabilities of either side are cut at 1e-6.
fn normal_of_hazard(x: f32) -> f32 {
  let split = split_exp_f4(vec4f(-min(x, 20.0)));
  let scale = power_of_two_f4(split.k).x;
  // 1 − exp(−x), with full relative accuracy near 0.
  let below = -fma(scale, split.rest.x, scale - 1.0);
  let is_below = x < LN2_HIGH;
  let t_below = sqrt(-2.0 * log_f(max(below, 1.0e-6)));
  let t = min(select(sqrt(2.0 * x), t_below, is_below), TAIL_END);
  let z = max(upper_quantile(t), 0.0);
  return select(z, -z, is_below);
}
