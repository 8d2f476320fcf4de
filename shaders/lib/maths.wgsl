// Computes   exp x, log x, tanh x, cos 2πu, sin 2πu and the angle of (x, y) in float32. Some adapters' built-ins are unfit
//            (tanh(100) = NaN, cosines wrong by 2e-4, tanh with no relative accuracy near 0), so no kernel calls them.
// Axes       pointwise; the four-lane forms (…_f4) are the originals, a scalar form is their first lane.
// Bindings   none.
// Geometry   no entry point.
// Numerics   ≤ 3 ULP of float64 wherever the result is a normal number. Only + − × ÷, round, compares and bit patterns.
//            Products that must be exact are exact with and without a fused fma. Polynomials are minimax fits of the
//            relative error, made for this file (each is quoted with its error). NaN gives NaN; infinities and, for
//            log, zero and negative numbers give what IEEE 754 expects.
// Twin       Math.exp, log, tanh, cos, sin, atan2; test/kernel/maths.test.ts, path-metrics.test.ts.

// ln 2 in two parts. The first has 16 significant bits: times an exponent (8 bits) it is exact in float32.
const LN2_HIGH: f32 = 0.693145751953125;
const LN2_LOW: f32 = 1.42860677e-6;
const LOG2_E: f32 = 1.44269504;
const SQRT_HALF_BITS: i32 = 0x3f3504f3;

// NaN or ±infinity. By bit pattern, because compilers fold x != x to false, and min, max and clamp launder NaN.
fn nonfinite_f4(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7f800000u)) == vec4u(0x7f800000u);
}

fn nonfinite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}

fn is_nan_f4(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

// 2^k for k in −126 … 127.
fn power_of_two_f4(k: vec4i) -> vec4f {
  return bitcast<vec4f>((k + vec4i(127)) << vec4u(23u));
}

// exp x = 2^k (1 + rest): k the whole number nearest to x / ln 2, rest with full relative accuracy near 0.
struct SplitExp {
  k: vec4i,
  rest: vec4f,
}

// rest = r + r² p(r), fit to 0.12 ULP for |r| ≤ ln 2 / 2.
fn split_exp_f4(x: vec4f) -> SplitExp {
  let nearest = round(x * LOG2_E);
  let k = vec4i(nearest);
  // The second product takes k by way of an integer: of two products with one factor, a compiler that reassociates
  // makes one, and the 17 bits won here are lost.
  let r = fma(vec4f(k), vec4f(-LN2_LOW), fma(nearest, vec4f(-LN2_HIGH), x));
  var p = vec4f(1.3870649e-3);
  p = fma(p, r, vec4f(8.366259e-3));
  p = fma(p, r, vec4f(4.1667435e-2));
  p = fma(p, r, vec4f(1.6666546e-1));
  p = fma(p, r, vec4f(4.9999997e-1));
  return SplitExp(k, fma(r * r, p, r));
}

fn exp_f4(x: vec4f) -> vec4f {
  // Beyond these the result is 0 or infinite anyway, and k fits the exponent's field in two halves.
  let split = split_exp_f4(clamp(x, vec4f(-104.0), vec4f(89.0)));
  let half = split.k >> vec4u(1u);
  let y = (1.0 + split.rest) * power_of_two_f4(half) * power_of_two_f4(split.k - half);
  return select(y, x, is_nan_f4(x));
}

// With e = exp(−2|x|) − 1: tanh |x| = −e / (2 + e). Never overflows, and e carries the relative accuracy near 0.
fn tanh_f4(x: vec4f) -> vec4f {
  // From |x| = 9.02 on the result rounds to 1.
  let split = split_exp_f4(max(-2.0 * abs(x), vec4f(-19.0)));
  let scale = power_of_two_f4(split.k);
  let e = fma(scale, split.rest, scale - 1.0);
  let magnitude = bitcast<vec4u>(abs(e) / (2.0 + e));
  let sign = bitcast<vec4u>(x) & vec4u(0x80000000u);
  return select(bitcast<vec4f>(magnitude | sign), x, is_nan_f4(x));
}

// For positive normal numbers: x = 2^e (1 + f), √½ ≤ 1 + f < √2; log(1 + f) = f − f²/2 + f³ p(f), fit to 0.05 ULP.
fn log_normal_f4(x: vec4f) -> vec4f {
  let offset = bitcast<vec4i>(x) - vec4i(SQRT_HALF_BITS);
  let e = vec4f(offset >> vec4u(23u));
  let f = bitcast<vec4f>((offset & vec4i(0x007fffff)) + vec4i(SQRT_HALF_BITS)) - 1.0;
  var p = vec4f(-7.636396e-2);
  p = fma(p, f, vec4f(1.2762198e-1));
  p = fma(p, f, vec4f(-1.3159613e-1));
  p = fma(p, f, vec4f(1.4201581e-1));
  p = fma(p, f, vec4f(-1.6623409e-1));
  p = fma(p, f, vec4f(2.0001242e-1));
  p = fma(p, f, vec4f(-2.500082e-1));
  p = fma(p, f, vec4f(3.333333e-1));
  let square = f * f;
  let small = fma(vec4f(-0.5), square, fma(e, vec4f(LN2_LOW), f * square * p));
  return fma(e, vec4f(LN2_HIGH), f + small);
}

fn log_f4(x: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let magnitude = bits & vec4u(0x7fffffffu);
  // A denormal is its bits times 2⁻¹⁴⁹; as a product it would be lost where denormals count as 0.
  let tiny = bits < vec4u(0x00800000u);
  let lifted = log_normal_f4(select(x, vec4f(bits), tiny));
  var y = select(lifted, lifted - 103.27893, tiny);
  y = select(y, x, bits >= vec4u(0x7f800000u));
  y = select(y, bitcast<vec4f>(bits | vec4u(0x7fc00000u)), bits > vec4u(0x80000000u));
  return select(y, bitcast<vec4f>(magnitude | vec4u(0xff800000u)), magnitude == vec4u(0u));
}

// sin 2πb for |b| ≤ ¼. In quarters w = 4b: w + w (π/2 − 1 + p(w²)), fit to 0.1 ULP. w is exact and the rest small
// where the sine is large, so that the roundings of the rest hardly count.
fn sine_quarter_f4(b: vec4f) -> vec4f {
  let w = 4.0 * b;
  let z = w * w;
  var p = vec4f(1.5016996e-4);
  p = fma(p, z, vec4f(-4.671238e-3));
  p = fma(p, z, vec4f(7.968818e-2));
  p = fma(p, z, vec4f(-6.4596343e-1));
  p = fma(p, z, vec4f(5.7079631e-1));
  return fma(w, p, w);
}

// u in turns, of any size: the fraction is taken exactly, so no accuracy is lost to a product with 2π.
fn cos2pi_f4(u: vec4f) -> vec4f {
  let turn = u - round(u);
  return sine_quarter_f4(0.25 - abs(turn));
}

fn sin2pi_f4(u: vec4f) -> vec4f {
  let turn = u - round(u);
  let folded = select(vec4f(-0.5), vec4f(0.5), turn > vec4f(0.0)) - turn;
  return sine_quarter_f4(select(turn, folded, abs(turn) > vec4f(0.25)));
}

// Angle of (x, y) in turns, −½ … ½, for finite arguments; 0 at the origin. atan q / 2π = q (c₀ + z p(z)), z = q², fit to
// 0.4 ULP for 0 ≤ q ≤ 1, then folded into the octant. For q near 0 the relative accuracy is kept.
fn turns_f4(y: vec4f, x: vec4f) -> vec4f {
  let high = max(abs(x), abs(y));
  let q = min(abs(x), abs(y)) / select(high, vec4f(1.0), high == vec4f(0.0));
  let z = q * q;
  var p = vec4f(4.5357403e-4);
  p = fma(p, z, vec4f(-2.5574018e-3));
  p = fma(p, z, vec4f(6.7945663e-3));
  p = fma(p, z, vec4f(-1.1943456e-2));
  p = fma(p, z, vec4f(1.6935572e-2));
  p = fma(p, z, vec4f(-2.2605803e-2));
  p = fma(p, z, vec4f(3.1819243e-2));
  p = fma(p, z, vec4f(-5.3051233e-2));
  p = fma(p, z, vec4f(1.5915494e-1));
  var turn = q * p;
  turn = select(turn, 0.25 - turn, abs(y) > abs(x));
  turn = select(turn, 0.5 - turn, x < vec4f(0.0));
  return bitcast<vec4f>(bitcast<vec4u>(turn) | (bitcast<vec4u>(y) & vec4u(0x80000000u)));
}

fn exp_f(x: f32) -> f32 {
  return exp_f4(vec4f(x)).x;
}

fn log_f(x: f32) -> f32 {
  return log_f4(vec4f(x)).x;
}

fn tanh_f(x: f32) -> f32 {
  return tanh_f4(vec4f(x)).x;
}

fn cos2pi_f(u: f32) -> f32 {
  return cos2pi_f4(vec4f(u)).x;
}

fn sin2pi_f(u: f32) -> f32 {
  return sin2pi_f4(vec4f(u)).x;
}

// (cos, sin) of an angle in turns: its point on the unit circle.
fn on_circle_f(turns: f32) -> vec2f {
  return cos2pi_f4(vec4f(turns, turns - 0.25, 0.0, 0.0)).xy;
}

fn turns_f(y: f32, x: f32) -> f32 {
  return turns_f4(vec4f(y), vec4f(x)).x;
}
