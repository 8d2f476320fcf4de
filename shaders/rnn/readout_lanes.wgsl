// Computes  y_{t+1} = W_out r_{t+1} + b_out for the steps of a window
// Axes      T steps, R rows, N units, O readouts
// Bindings  weights: [S][stride]; states: [T+1][R][N], bound from slot t0 on (slot 0 is r_{t0}); y: [steps][R][O]
// Geometry  workgroup (x, y, z) = one tile of readouts × 32 rows × one step; a lane owns 4 rows (see product_lanes.wgsl)
// Numerics  acc = b_out; units ascending
// Twin      src/reference/readout.ts, test/kernel/readout.test.ts
//! import "lib/window.wgsl"
//! import "lib/product_lanes.wgsl"

@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> states: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

// Readouts 4 quad … 4 quad + 3, unit k.
fn column(own: u32, quad: u32, k: u32) -> vec4f {
  let width = 4u * window.unit_quads;
  let at = own + window.at_out + 4u * quad * width + k;
  return vec4f(weights[at], weights[at + width], weights[at + 2u * width], weights[at + 3u * width]);
}

// Where the lane's tile begins in y, and how many of its quads are there.
var<private> to: u32;
var<private> left: u32;

fn put(j: u32, q: u32, sum: vec4f) {
  if (q < left) {
    y[to + j * window.output_quads + q] = sum;
  }
}

@compute @workgroup_size(8)
fn readout_lanes(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let n4 = window.unit_quads;
  let o4 = window.output_quads;
  let row0 = group.y * 32u + local * LANE_ROWS;
  let own = network_of(group.y * 32u) * window.weight_stride;
  let quad0 = group.x * TILE_QUADS;
  let quads = min(TILE_QUADS, o4 - quad0);
  let mine = min(quad0 + lane_quad(lane), o4 - 1u);
  let b = own + window.at_b_out + 4u * mine;
  start(vec4f(weights[b], weights[b + 1u], weights[b + 2u], weights[b + 3u]));
  let r = (group.z + 1u) * window.rows * n4 + row0 * n4;
  for (var k = 0u; k < n4; k++) {
    let first = 4u * k + lane_k(lane);
    madd4(
      by_k(states[r + k], states[r + n4 + k], states[r + 2u * n4 + k], states[r + 3u * n4 + k]),
      column(own, mine, first), column(own, mine, first + K_LOAD),
      column(own, mine, first + 2u * K_LOAD), column(own, mine, first + 3u * K_LOAD),
    );
  }
  to = (group.z * window.rows + row0) * o4 + quad0;
  left = quads;
  put_tile();
}
