// Computes  y = W x + b for the steps of a window
// Axes      T steps, R rows
// Bindings  lib/affine.wgsl
// Geometry  workgroup (x, y, z) = 32 outputs × 32 rows × one step (see product_tile.wgsl)
// Numerics  as affine_lanes.wgsl, bit for bit
// Twin      src/reference/readout.ts, test/kernel/readout.test.ts
//! import "lib/affine.wgsl"
//! import "lib/left_by_element.wgsl"

// Of the workgroup: its network's vector, and its step's first row.
var<private> own: u32;
var<private> step_rows: u32;

fn lhs(row: u32, k: u32) -> f32 {
  if (k >= 4u * affine.x_quads) {
    return 0.0;
  }
  return x_at((step_rows + row) * affine.x_quads + k / 4u)[k % 4u];
}

fn rhs(k: u32, quad: u32) -> vec4f {
  if (quad >= affine.y_quads || k >= 4u * affine.x_quads) {
    return vec4f(0.0);
  }
  return w_column(own, quad, k);
}

@compute @workgroup_size(64)
fn affine_tile(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let y4 = affine.y_quads;
  let row0 = group.y * TILE_ROWS;
  let quad0 = group.x * TILE_COLUMN_QUADS;
  own = vector_of(row0);
  step_rows = group.z * affine.rows;
  let quad = quad0 + thread % TILE_COLUMN_QUADS;
  var bias = vec4f(0.0);
  if (quad < y4) {
    bias = b_quad(own, quad);
  }
  let sums = product_tile(TileSums(bias, bias, bias, bias), thread, row0, quad0, 4u * affine.x_quads);
  if (quad < y4) {
    let at = (step_rows + row0 + 4u * (thread / TILE_COLUMN_QUADS)) * y4 + quad;
    put_y(at, sums.r0);
    put_y(at + y4, sums.r1);
    put_y(at + 2u * y4, sums.r2);
    put_y(at + 3u * y4, sums.r3);
  }
}
