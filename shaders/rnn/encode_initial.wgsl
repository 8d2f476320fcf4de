// Computes  r_0 = W_enc e_0 + b_enc
// Axes      R rows, N units, E encoder inputs
// Bindings  rows: [R]; weights: [S][stride]; e0: [R][E]; states: [T+1][R][N], slot 0 is written
// Geometry  one invocation = one row × 4 units; workgroup x over quads of units, y over rows
// Numerics  acc = b; e ascending. Padded rows get exactly 0
// Twin      src/reference/encode-initial.ts, test/kernel/rollout.test.ts
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/stored/quad_f32.wgsl" or STORED_F16 "lib/stored/quad_f16.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> e0: array<f32>;
@group(0) @binding(4) var<storage, read_write> states: array<Stored>;

@compute @workgroup_size(8, 8)
fn encode_initial(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  let row = id.y;
  if (quad >= window.unit_quads || row >= window.rows) {
    return;
  }
  let own = network_of(row) * window.weight_stride;
  let width = window.encoder_inputs;
  let b = own + window.at_b_enc + 4u * quad;
  let w = own + window.at_enc + 4u * quad * width;
  var acc = vec4f(weights[b], weights[b + 1u], weights[b + 2u], weights[b + 3u]);
  for (var e = 0u; e < width; e++) {
    let column = vec4f(weights[w + e], weights[w + width + e], weights[w + 2u * width + e], weights[w + 3u * width + e]);
    acc = fma(vec4f(e0[row * width + e]), column, acc);
  }
  states[row * window.unit_quads + quad] = store4(select(vec4f(0.0), acc, rows[row].valid == 1u));
}
