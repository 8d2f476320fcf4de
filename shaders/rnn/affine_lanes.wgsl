// Computes  y = W x + b for the steps of a window: y_{t+1} = W_out r_{t+1} + b_out, or b + W_in u_t
// Axes      T steps, R rows
// Bindings  lib/affine.wgsl
// Geometry  workgroup (x, y, z) = one tile of outputs × 32 rows × one step; a lane owns 4 rows (see product_lanes.wgsl)
// Numerics  acc = b; inputs ascending
// Twin      src/reference/readout.ts, test/kernel/readout.test.ts
//! import "lib/affine.wgsl"
//! import "lib/product_lanes.wgsl"

// Where the lane's tile begins in y, and how many of its quads are there.
var<private> to: u32;
var<private> left: u32;

fn put(j: u32, q: u32, sum: vec4f) {
  if (q < left) {
    put_y(to + j * affine.y_quads + q, sum);
  }
}

@compute @workgroup_size(8)
fn affine_lanes(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let x4 = affine.x_quads;
  let y4 = affine.y_quads;
  let row0 = group.y * 32u + local * LANE_ROWS;
  let own = vector_of(group.y * 32u);
  let quad0 = group.x * TILE_QUADS;
  let mine = min(quad0 + lane_quad(lane), y4 - 1u);
  start(b_quad(own, mine));
  let r = (group.z * affine.rows + row0) * x4;
  for (var k = 0u; k < x4; k++) {
    let first = 4u * k + lane_k(lane);
    madd4(
      by_k(x_at(r + k), x_at(r + x4 + k), x_at(r + 2u * x4 + k), x_at(r + 3u * x4 + k)),
      w_column(own, mine, first), w_column(own, mine, first + K_LOAD),
      w_column(own, mine, first + 2u * K_LOAD), w_column(own, mine, first + 3u * K_LOAD),
    );
  }
  to = (group.z * affine.rows + row0) * y4 + quad0;
  left = min(TILE_QUADS, y4 - quad0);
  put_tile();
}
