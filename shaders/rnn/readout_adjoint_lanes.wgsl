// Computes  DU_t = G (W_outᵀ d_{t+1} + λ r_{t+1}) for the steps of a window, λ = 2 λ₂ / (T B N), G of
//           lib/activity.wgsl
// Axes      T steps, R rows, N units, O readouts
// Bindings  weights: [S][stride]; dy: [steps][R][O]; states: [T+1][R][N], bound from slot t0 on; du: [T][R][N], bound
//           from step t0 on
// Geometry  workgroup (x, y, z) = one tile of units × 32 rows × one step; a lane owns 4 rows (see product_lanes.wgsl)
// Numerics  readouts ascending, then + λ r
// Twin      src/reference/adjoint.ts, test/kernel/adjoint.test.ts
//! import "lib/window.wgsl"
//! import "lib/activity.wgsl"
//! import "lib/stored/quad_f32.wgsl" or STORED_F16 "lib/stored/quad_f16.wgsl"
//! import "lib/product_lanes.wgsl"

@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read> states: array<Stored>;
@group(0) @binding(5) var<storage, read_write> du: array<Stored>;

// Where the lane's tile begins in du, and how many of its quads are there.
var<private> to: u32;
var<private> left: u32;

fn put(j: u32, q: u32, sum: vec4f) {
  if (q < left) {
    let at = to + j * window.unit_quads + q;
    var total = sum;
    if (ACTIVITY_ON == 1u) {
      total = fma(vec4f(activity.scale), load4(states[at + window.rows * window.unit_quads]), total);
    }
    du[at] = store4(activity.gradient * total);
  }
}

@compute @workgroup_size(8)
fn readout_adjoint_lanes(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let n4 = window.unit_quads;
  let o4 = window.output_quads;
  let row0 = group.y * 32u + local * LANE_ROWS;
  let quad0 = group.x * TILE_QUADS;
  let quads = min(TILE_QUADS, n4 - quad0);
  let mine = min(quad0 + lane_quad(lane), n4 - 1u);
  to = (group.z * window.rows + row0) * n4 + quad0;
  left = quads;
  start(vec4f(0.0));
  let w = (network_of(group.y * 32u) * window.weight_stride + window.at_out) / 4u + lane_k(lane) * n4 + mine;
  let next = K_LOAD * n4;
  let d = (group.z * window.rows + row0) * o4;
  for (var k = 0u; k < o4; k++) {
    let at = w + 4u * k * n4;
    madd4(
      by_k(dy[d + k], dy[d + o4 + k], dy[d + 2u * o4 + k], dy[d + 3u * o4 + k]),
      weights[at], weights[at + next], weights[at + 2u * next], weights[at + 3u * next],
    );
  }
  put_tile();
}
