// Computes  partial weight gradients of the slices of a window: Σ_{t, row} left ⊗ [right | 1] or left ⊗ [tail | 1]
// Axes      T steps, R rows; left and right as lib/weight_grads.wgsl lists them
// Bindings  left, right: [steps][R][…]; tail: [steps][R][…]; partials: [S][slices][stride]
// Geometry  workgroup (x, y, z) = 32 left rows × one tile of columns × one slice; a lane owns 4 left rows
//           (see product_lanes.wgsl: the summed index is (time, row))
// Numerics  per slice one chain, time then row ascending
// Twin      src/reference/weight-grads.ts, test/kernel/weight-grads.test.ts
//! import "lib/weight_grads.wgsl"
//! import "lib/product_lanes.wgsl"

// 1: the first tile of columns also sums the left rows.
const ONES: u32 = 1u; //! tune

// The finished sums, to be indexed by variables.
var<private> sums: array<vec4f, 32>;

fn put(j: u32, q: u32, sum: vec4f) {
  sums[8u * j + q] = sum;
}

@compute @workgroup_size(8)
fn weight_grads_lanes(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let slice = slice_of(group.z);
  let i4 = group.x * LANES + local;
  let quad0 = grad.column_quad0 + group.y * TILE_QUADS;
  let quads = min(TILE_QUADS, grad.column_quad0 + grad.column_quads - quad0);
  let mine = quad0 + min(lane_quad(lane), quads - 1u);
  start(vec4f(0.0));
  var ones = vec4f(0.0);
  for (var t = 0u; t < slice.steps; t++) {
    let step = slice.step0 + t;
    for (var b = 0u; b < slice.rows; b += 4u) {
      let row = slice.row0 + b;
      let next = row + lane_k(lane);
      let x = FourRows(left_quad(step, row, i4), left_quad(step, row + 1u, i4), left_quad(step, row + 2u, i4), left_quad(step, row + 3u, i4));
      madd4(
        x, right_quad(step, next, mine), right_quad(step, next + K_LOAD, mine),
        right_quad(step, next + 2u * K_LOAD, mine), right_quad(step, next + 3u * K_LOAD, mine),
      );
      if (ONES == 1u) {
        ones = (((ones + x.k0) + x.k1) + x.k2) + x.k3;
      }
    }
  }
  put_tile();
  for (var j = 0u; j < LANE_ROWS; j++) {
    for (var q = 0u; q < quads; q++) {
      save(slice.slot, 4u * i4 + j, quad0 + q, sums[8u * j + q]);
    }
  }
  if (ONES == 1u && group.y == 0u && i4 < grad.left_quads) {
    for (var j = 0u; j < LANE_ROWS; j++) {
      partials[slice.slot + grad.at_one + 4u * i4 + j] = grad.scale * ones[j];
    }
  }
}
