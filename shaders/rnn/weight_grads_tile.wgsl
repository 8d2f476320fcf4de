// Computes  partial weight gradients of the slices of a window: Σ_{t, row} left ⊗ [right | tail | 1]
// Axes      T steps, R rows; left and right as lib/weight_grads.wgsl lists them
// Bindings  as weight_grads_lanes.wgsl
// Geometry  workgroup (x, y, z) = 32 left rows × 32 columns × one slice (see product_tile.wgsl)
// Numerics  as weight_grads_lanes.wgsl, bit for bit
// Twin      src/reference/weight-grads.ts, test/kernel/weight-grads.test.ts
//! import "lib/weight_grads.wgsl"
//! import "lib/product_tile.wgsl"

// The slice, for the loaders; scalars, since the race detector takes a private struct for a shared one.
var<private> step0: u32;
var<private> row0: u32;
var<private> slice_rows: u32;
var<private> tile_step: u32;
var<private> tile_row0: u32;

const ROWS_FASTEST: bool = true;

// A slice has whole tiles of rows, so that a tile lies within one step: a division a tile, and not one an element.
fn start_tile(k0: u32) {
  tile_step = step0 + k0 / slice_rows;
  tile_row0 = row0 + k0 % slice_rows - k0;
}

fn lhs4(i: u32, k: u32) -> vec4f {
  return left_quad(tile_step, tile_row0 + k, i / 4u);
}

fn rhs(k: u32, quad: u32) -> vec4f {
  return right_quad(tile_step, tile_row0 + k, quad);
}

@compute @workgroup_size(64)
fn weight_grads_tile(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let slice = slice_of(group.z);
  step0 = slice.step0;
  row0 = slice.row0;
  slice_rows = slice.rows;
  let quad0 = grad.column_quad0 + group.y * TILE_COLUMN_QUADS;
  // The range must come from a local: a private variable is not uniform in the compiler's eyes.
  let total = product_tile(TileSums(), thread, group.x * TILE_ROWS, quad0, slice.steps * slice.rows);
  let quad = quad0 + thread % TILE_COLUMN_QUADS;
  let i = group.x * TILE_ROWS + 4u * (thread / TILE_COLUMN_QUADS);
  if (quad < grad.column_quad0 + grad.column_quads) {
    save(slice.slot, i, quad, total.r0);
    save(slice.slot, i + 1u, quad, total.r1);
    save(slice.slot, i + 2u, quad, total.r2);
    save(slice.slot, i + 3u, quad, total.r3);
  }
}
