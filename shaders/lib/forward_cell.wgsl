// What every forward machine does once it has a product: noise, the cell, and the storing of what the next step and
// the adjoint need. A machine brings `acc = W_rec r_t + W_in u_t + b`.
// Bindings  rows: [R]; weights: [S][stride]; recurrent_t: [S][N][N] (W_recᵀ); input: [T][R][I], masked;
//           states: [T+1][R][N], slot 0 given; extra: [2][R][N] or [T+1][2][R][N]; phi_store: φ′ bits or φ(a),
//           [T][R][…]; noise_given: [T][R][N] or unused
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/step_noise.wgsl"
//! import "lib/phi_store.wgsl"
//! import "lib/stored/quad_f32.wgsl" or STORED_F16 "lib/stored/quad_f16.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> recurrent_t: array<vec4f>;
@group(0) @binding(4) var<storage, read> input: array<f32>;
@group(0) @binding(5) var<storage, read_write> states: array<Stored>;
@group(0) @binding(6) var<storage, read_write> extra: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> phi_store: array<u32>;

// 1: b + W_in u_t stands already where r_{t+1} will (rnn/affine_*.wgsl): for many inputs. `window.inputs` is then 0.
const INPUT_READY: u32 = 0u; //! tune

fn ready_input(s: u32, row: u32, quad: u32) -> vec4f {
  return load4(states[((s + 1u) * window.rows + row) * window.unit_quads + quad]);
}

// Four elements of a column of the flat vector: rows 4 quad … of a matrix of that width, or of a bias (width 1).
fn weight_quad(base: u32, quad: u32, width: u32) -> vec4f {
  let i = base + 4u * quad * width;
  return vec4f(weights[i], weights[i + width], weights[i + 2u * width], weights[i + 3u * width]);
}

// Step t0 + s of four units of a row, whose record is `p`. Returns their φ′ bits; the machine packs them into words.
fn advance(p: RowParams, s: u32, row: u32, quad: u32, acc: vec4f) -> u32 {
  let size = window.rows * window.unit_quads;
  let at = row * window.unit_quads + quad;
  let now = s * size + at;
  let x_now = s * window.extra_stride + at;
  var x: array<vec4f, CELL_EXTRA>;
  if (EXTRA_ON == 1u && window.t0 + s > 0u) {
    for (var e = 0u; e < CELL_EXTRA; e++) {
      x[e] = extra[x_now + e * size];
    }
  }
  let xi = step_noise(s, row, quad, p.network_seed, p.trajectory, p.epoch);
  let step = cell_step(p.cell, window.slope, load4(states[now]), x, acc, xi);
  states[now + size] = store4(step.r);
  if (EXTRA_ON == 1u) {
    for (var e = 0u; e < CELL_EXTRA; e++) {
      extra[x_now + window.extra_stride + e * size] = step.extra[e];
    }
  }
  if (PHI_STORE == PHI_VALUE) {
    let value = bitcast<vec4u>(step.phi);
    let to = s * window.phi_stride + 4u * at;
    phi_store[to] = value.x;
    phi_store[to + 1u] = value.y;
    phi_store[to + 2u] = value.z;
    phi_store[to + 3u] = value.w;
  }
  if (PHI_STORE == PHI_BITS) {
    return phi_prime_bits(step.a);
  }
  return 0u;
}
