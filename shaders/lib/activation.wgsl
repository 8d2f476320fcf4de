// Computes   φ(a) and what its derivative needs: for (leaky) ReLU the mask a > 0, for tanh φ(a) itself.
//            φ′(0) is the negative side's.
// Axes       four units a call.
// Bindings   none; the nonlinearity is a constant of the pipeline.
// Geometry   no entry point.
// Numerics   ReLU, leaky ReLU and identity exact, tanh ≤ 3 ULP. NaN gives NaN whatever its sign.
// Twin       src/reference/activation.ts; test/kernel/activation.test.ts.
//! import "lib/maths.wgsl"

const ACTIVATION: u32 = 0u; //! tune
const ACTIVATION_RELU: u32 = 0u;
const ACTIVATION_LEAKY_RELU: u32 = 1u;
const ACTIVATION_TANH: u32 = 2u;
const ACTIVATION_IDENTITY: u32 = 3u;

// −0 … −∞ as integers: NaN with its sign set lies above. A compare of floats would be turned into max(a, 0), which
// makes 0 of NaN.
fn is_negative_f4(a: vec4f) -> vec4<bool> {
  return bitcast<vec4i>(a) <= vec4i(-8388608);
}

fn phi(a: vec4f, slope: f32) -> vec4f {
  switch ACTIVATION {
    case ACTIVATION_LEAKY_RELU: {
      return select(a, slope * a, is_negative_f4(a));
    }
    case ACTIVATION_TANH: {
      return tanh_f4(a);
    }
    case ACTIVATION_IDENTITY: {
      return a;
    }
    default: {
      return select(a, vec4f(0.0), is_negative_f4(a));
    }
  }
}

// Bit j is set where a_j > 0: all that the adjoint of (leaky) ReLU keeps of a.
fn phi_prime_bits(a: vec4f) -> u32 {
  let mask = select(vec4u(0u), vec4u(1u, 2u, 4u, 8u), bitcast<vec4i>(a) > vec4i(0));
  return mask.x | mask.y | mask.z | mask.w;
}

fn phi_prime_from_bits(bits: u32, slope: f32) -> vec4f {
  let negative_side = select(0.0, slope, ACTIVATION == ACTIVATION_LEAKY_RELU);
  let positive = (vec4u(bits) & vec4u(1u, 2u, 4u, 8u)) != vec4u(0u);
  return select(vec4f(negative_side), vec4f(1.0), positive);
}

// For tanh and identity, from the stored value φ(a).
fn phi_prime_from_value(value: vec4f) -> vec4f {
  if ACTIVATION == ACTIVATION_TANH {
    return fma(-value, value, vec4f(1.0));
  }
  return vec4f(1.0);
}
