// Computes   the rate of place cells at a point p, d = |p − C_i|, g_w = exp(−d²/2w²):
//              gaussian                 g_w
//              gaussian threshold       max(g_w − e^(−½), 0) / (1 − e^(−½))
//              difference of gaussians  (2.25 g_w − g_1.5w) / 1.25
//              softmax                  g_w / Σ_j g_w(j)
//            A ring of head-direction cells is the first of them with centres on a circle: of a chord, a Gaussian is the
//            von Mises tuning exp(κ (cos Δ − 1)), κ = (radius / w)².
// Axes       cells in quads, those beyond the last have rate 0.
// Bindings   code: the population.
// Geometry   no entry point.
// Numerics   ≤ 4 ULP of the rate at the rounded exponent; softmax subtracts the largest exponent, and both it and the
//            sum are the caller's to keep (`code_norm`).
// Source     RatInABox, Neurons.py (place cells); model.md section 7.
// Twin       src/reference/place-code.ts; test/kernel/place-code.test.ts.
//! import "lib/maths.wgsl"

const TUNING: u32 = 0u; //! tune
const TUNING_GAUSSIAN: u32 = 0u;
const TUNING_THRESHOLD: u32 = 1u;
const TUNING_DIFFERENCE: u32 = 2u;
const TUNING_SOFTMAX: u32 = 3u;

const EXP_MINUS_HALF: f32 = 0.60653066;
const WIDE_SQUARE: f32 = 2.25;

struct PlaceCode {
  cells: u32,
  cell_quads: u32,
  exponent: f32,  // −1 / 2w²
  // Two a quad of cells: four x, then four y, metres.
  centre: array<vec4f, 1024>,
}

@group(0) @binding(9) var<uniform> code: PlaceCode;

// −d²/2w² of four cells.
fn code_exponent(p: vec2f, quad: u32) -> vec4f {
  let dx = p.x - code.centre[2u * quad];
  let dy = p.y - code.centre[2u * quad + 1u];
  return code.exponent * fma(dx, dx, dy * dy);
}

fn is_cell(quad: u32) -> vec4<bool> {
  return 4u * quad + vec4u(0u, 1u, 2u, 3u) < vec4u(code.cells);
}

// Softmax only: the largest exponent, and 1 / Σ exp(exponent − largest), cells ascending by quads.
fn code_norm(p: vec2f) -> vec2f {
  var largest = vec4f(-3.4e38);
  for (var q = 0u; q < code.cell_quads; q++) {
    largest = max(largest, select(vec4f(-3.4e38), code_exponent(p, q), is_cell(q)));
  }
  let most = max(max(largest.x, largest.y), max(largest.z, largest.w));
  var sum = vec4f(0.0);
  for (var q = 0u; q < code.cell_quads; q++) {
    sum += select(vec4f(0.0), exp_f4(code_exponent(p, q) - most), is_cell(q));
  }
  return vec2f(most, 1.0 / ((sum.x + sum.y) + (sum.z + sum.w)));
}

// `norm` is of no use but to the softmax.
fn code_rates(p: vec2f, quad: u32, norm: vec2f) -> vec4f {
  let x = code_exponent(p, quad);
  var rate: vec4f;
  switch TUNING {
    case TUNING_THRESHOLD: {
      rate = max(exp_f4(x) - EXP_MINUS_HALF, vec4f(0.0)) / (1.0 - EXP_MINUS_HALF);
    }
    case TUNING_DIFFERENCE: {
      rate = fma(vec4f(WIDE_SQUARE), exp_f4(x), -exp_f4(x / WIDE_SQUARE)) / (WIDE_SQUARE - 1.0);
    }
    case TUNING_SOFTMAX: {
      rate = exp_f4(x - norm.x) * norm.y;
    }
    default: {
      rate = exp_f4(x);
    }
  }
  return select(vec4f(0.0), rate, is_cell(quad));
}
