// Computes  DU_t = G (W_outᵀ d_{t+1} + λ r_{t+1}) for the steps of a window, λ = 2 λ₂ / (T B N), G of
//           lib/activity.wgsl
// Axes      T steps, R rows, N units, O readouts
// Bindings  as readout_adjoint_lanes.wgsl
// Geometry  workgroup (x, y, z) = 32 units × 32 rows × one step (see product_tile.wgsl)
// Numerics  as readout_adjoint_lanes.wgsl, bit for bit
// Twin      src/reference/adjoint.ts, test/kernel/adjoint.test.ts
//! import "lib/window.wgsl"
//! import "lib/activity.wgsl"
//! import "lib/stored/quad_f32.wgsl" or STORED_F16 "lib/stored/quad_f16.wgsl"
//! import "lib/left_by_element.wgsl"

@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read> states: array<Stored>;
@group(0) @binding(5) var<storage, read_write> du: array<Stored>;

var<private> own: u32;
var<private> first: u32;

fn lhs(row: u32, k: u32) -> f32 {
  if (k >= 4u * window.output_quads) {
    return 0.0;
  }
  return dy[first + row * window.output_quads + k / 4u][k % 4u];
}

fn rhs(k: u32, quad: u32) -> vec4f {
  if (quad >= window.unit_quads || k >= 4u * window.output_quads) {
    return vec4f(0.0);
  }
  return weights[own + k * window.unit_quads + quad];
}

fn put(at: u32, sum: vec4f) {
  var total = sum;
  if (ACTIVITY_ON == 1u) {
    total = fma(vec4f(activity.scale), load4(states[at + window.rows * window.unit_quads]), total);
  }
  du[at] = store4(activity.gradient * total);
}

@compute @workgroup_size(64)
fn readout_adjoint_tile(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n4 = window.unit_quads;
  let row0 = group.y * TILE_ROWS;
  let quad0 = group.x * TILE_COLUMN_QUADS;
  own = (network_of(row0) * window.weight_stride + window.at_out) / 4u;
  first = group.z * window.rows * window.output_quads;
  let quad = quad0 + thread % TILE_COLUMN_QUADS;
  let at = (group.z * window.rows + row0 + 4u * (thread / TILE_COLUMN_QUADS)) * n4 + quad;
  let sums = product_tile(TileSums(), thread, row0, quad0, 4u * window.output_quads);
  if (quad < n4) {
    put(at, sums.r0);
    put(at + n4, sums.r1);
    put(at + 2u * n4, sums.r2);
    put(at + 3u * n4, sums.r3);
  }
}
