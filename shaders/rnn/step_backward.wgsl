// Computes  G_r of step t0 + 1 completed by W_recᵀ ga_{t0+1}, then the adjoint of step t0; with steps = 0 (after the
//           last one) only the completion, of G_r of step 0
// Axes      R rows, T steps, N units
// Bindings  lib/adjoint_cell.wgsl; du and phi_kept bound from slot t0 on
// Geometry  workgroup (x, y) = 32 units × 32 rows; a thread = 4 rows × 4 units
// Numerics  as adjoint_own_row.wgsl
// Twin      src/reference/adjoint.ts, test/kernel/adjoint.test.ts
//! import "lib/adjoint_cell.wgsl"
//! import "lib/left_by_element.wgsl"

var<private> recurrent: u32;
// Where ga of the step after this one begins.
var<private> later: u32;

fn lhs(row: u32, k: u32) -> f32 {
  if (k >= 4u * window.unit_quads) {
    return 0.0;
  }
  return load4(du[later + row * window.unit_quads + k / 4u])[k % 4u];
}

fn rhs(k: u32, quad: u32) -> vec4f {
  let n4 = window.unit_quads;
  if (quad >= n4 || k >= 4u * n4) {
    return vec4f(0.0);
  }
  return weights[recurrent + k * n4 + quad];
}

@compute @workgroup_size(64)
fn step_backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n4 = window.unit_quads;
  let row0 = group.y * TILE_ROWS;
  let quad0 = group.x * TILE_COLUMN_QUADS;
  recurrent = (network_of(row0) * window.weight_stride + window.at_rec) / 4u;
  later = window.steps * window.rows * n4;
  let fresh = window.steps > 0u && is_last(0u);
  let quad = quad0 + thread % TILE_COLUMN_QUADS;
  let own = row0 + 4u * (thread / TILE_COLUMN_QUADS);
  var sums: TileSums;
  if (quad < n4 && !fresh) {
    let at = own * n4 + quad;
    sums = TileSums(carry[at], carry[at + n4], carry[at + 2u * n4], carry[at + 3u * n4]);
  }
  sums = product_tile(sums, thread, row0, quad0, select(4u * n4, 0u, fresh));
  if (quad < n4) {
    var all = array<vec4f, 4>(sums.r0, sums.r1, sums.r2, sums.r3);
    for (var j = 0u; j < 4u; j++) {
      if (window.steps == 0u) {
        carry[(own + j) * n4 + quad] = all[j];
      } else {
        retreat(rows[own + j], 0u, own + j, quad, all[j]);
      }
    }
  }
}
