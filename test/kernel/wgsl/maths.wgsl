// Computes   y[i] = f(x[i]); f by number.
// Bindings   x, y: [n / 4] vec4 · launch.
// Geometry   one invocation = four values.
//! import "lib/maths.wgsl"

const FUNCTION: u32 = 0u; //! tune

struct Launch {
  count: u32,  // vectors: under test, a binding reaches into the guard words, so arrayLength says too much
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> launch: Launch;

fn evaluate(v: vec4f) -> vec4f {
  switch FUNCTION {
    case 0u: {
      return exp_f4(v);
    }
    case 1u: {
      return log_f4(v);
    }
    case 2u: {
      return tanh_f4(v);
    }
    case 3u: {
      return cos2pi_f4(v);
    }
    case 4u: {
      return sin2pi_f4(v);
    }
    case 5u: {
      return select(vec4f(0.0), vec4f(1.0), nonfinite_f4(v));
    }
    // The scalar forms: the same bits are expected of them.
    case 10u: {
      return vec4f(exp_f(v.x), exp_f(v.y), exp_f(v.z), exp_f(v.w));
    }
    case 11u: {
      return vec4f(log_f(v.x), log_f(v.y), log_f(v.z), log_f(v.w));
    }
    case 12u: {
      return vec4f(tanh_f(v.x), tanh_f(v.y), tanh_f(v.z), tanh_f(v.w));
    }
    case 13u: {
      return vec4f(cos2pi_f(v.x), cos2pi_f(v.y), cos2pi_f(v.z), cos2pi_f(v.w));
    }
    case 14u: {
      return vec4f(sin2pi_f(v.x), sin2pi_f(v.y), sin2pi_f(v.z), sin2pi_f(v.w));
    }
    default: {
      return select(vec4f(0.0), vec4f(1.0), vec4<bool>(nonfinite(v.x), nonfinite(v.y), nonfinite(v.z), nonfinite(v.w)));
    }
  }
}

@compute @workgroup_size(64)
fn maths(@builtin(global_invocation_id) id: vec3u) {
  if id.x < launch.count {
    y[id.x] = evaluate(x[id.x]);
  }
}
