// Computes  the adjoint of steps t0 + steps − 1 … t0 for every row, in one dispatch: ga_t, and G_r, G_v, G_c carried
// Axes      R rows, T steps, N units
// Bindings  lib/adjoint_cell.wgsl
// Geometry  as rollout_own_row.wgsl: a lane owns four rows for all steps, no barrier
// Numerics  G_r = the cell's part, then + W_recᵀ ga with k (= unit) ascending
// Twin      src/reference/adjoint.ts, test/kernel/adjoint.test.ts
//! import "lib/adjoint_cell.wgsl"
//! import "lib/product_lanes.wgsl"

// What a tile of sums starts from and what it ends with, to be indexed by variables.
var<private> sums: array<vec4f, 32>;

fn put(j: u32, q: u32, sum: vec4f) {
  sums[8u * j + q] = sum;
}

@compute @workgroup_size(8)
fn adjoint_own_row(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let n4 = window.unit_quads;
  let row0 = group.x * 32u + local * LANE_ROWS;
  let recurrent = (network_of(group.x * 32u) * window.weight_stride + window.at_rec) / 4u;
  for (var left = window.steps; left > 0u; left--) {
    let s = left - 1u;
    for (var j = 0u; j < LANE_ROWS; j++) {
      let p = rows[row0 + j];
      for (var q = 0u; q < n4; q++) {
        retreat(p, s, row0 + j, q, carry[(row0 + j) * n4 + q]);
      }
    }
    let ga = s * window.rows * n4 + row0 * n4;
    for (var tile = 0u; tile * TILE_QUADS < n4; tile++) {
      let quad0 = tile * TILE_QUADS;
      let quads = min(TILE_QUADS, n4 - quad0);
      for (var j = 0u; j < LANE_ROWS; j++) {
        for (var q = 0u; q < quads; q++) {
          sums[8u * j + q] = carry[(row0 + j) * n4 + quad0 + q];
        }
      }
      acc = sums;
      let w = recurrent + lane_k(lane) * n4 + quad0 + min(lane_quad(lane), quads - 1u);
      let next = K_LOAD * n4;
      for (var k = 0u; k < n4; k++) {
        let at = w + 4u * k * n4;
        madd4(
          by_k(load4(du[ga + k]), load4(du[ga + n4 + k]), load4(du[ga + 2u * n4 + k]), load4(du[ga + 3u * n4 + k])),
          weights[at], weights[at + next], weights[at + 2u * next], weights[at + 3u * next],
        );
      }
      put_tile();
      for (var j = 0u; j < LANE_ROWS; j++) {
        for (var q = 0u; q < quads; q++) {
          carry[(row0 + j) * n4 + quad0 + q] = sums[8u * j + q];
        }
      }
    }
  }
}
