// Computes  a_t = W_rec r_t + W_in u_t + b − c_t, which the forward pass does not keep
// Axes      T steps, R rows, N units, I inputs
// Bindings  weights: [S][stride]; recurrent_t: [S][N][N]; input: [steps][R][I]; states: [steps][R][N] and
//           extra: [steps][v, c][R][N], both bound from slot t0 on; a: [steps][R][N], which INPUT_READY finds to be
//           b + W_in u already
// Geometry  one invocation = one (step, row) × 4 units; workgroup x over quads of units, y over rows, z over steps
// Numerics  acc = b; inputs ascending; units ascending; then − c: the bits that the cell saw
// Twin      test/story/dump.test.ts
//! import "lib/window.wgsl"

const INPUT_READY: u32 = 0u; //! tune

@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> recurrent_t: array<vec4f>;
@group(0) @binding(3) var<storage, read> input: array<f32>;
@group(0) @binding(4) var<storage, read> states: array<vec4f>;
@group(0) @binding(5) var<storage, read> extra: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> a: array<vec4f>;

fn weight_quad(base: u32, quad: u32, width: u32) -> vec4f {
  let i = base + 4u * quad * width;
  return vec4f(weights[i], weights[i + width], weights[i + 2u * width], weights[i + 3u * width]);
}

@compute @workgroup_size(8, 8)
fn pre_activation(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  let row = id.y;
  let n4 = window.unit_quads;
  if (quad >= n4 || row >= window.rows || id.z >= window.steps) {
    return;
  }
  let network = network_of(row);
  let own = network * window.weight_stride;
  let slot = (id.z * window.rows + row) * n4;
  var acc = weight_quad(own + window.at_b, quad, 1u);
  if (INPUT_READY == 1u) {
    acc = a[slot + quad];
  } else {
    for (var i = 0u; i < window.inputs; i++) {
      let u = input[id.z * window.input_stride + row * window.inputs + i];
      acc = fma(vec4f(u), weight_quad(own + window.at_in + i, quad, window.inputs), acc);
    }
  }
  let columns = network * 4u * n4 * n4 + quad;
  for (var k = 0u; k < n4; k++) {
    let r = states[slot + k];
    for (var j = 0u; j < 4u; j++) {
      acc = fma(vec4f(r[j]), recurrent_t[columns + (4u * k + j) * n4], acc);
    }
  }
  // c_0 = 0 is nowhere stored.
  if (window.t0 + id.z > 0u) {
    acc -= extra[id.z * window.extra_stride + (window.rows + row) * n4 + quad];
  }
  a[slot + quad] = acc;
}
