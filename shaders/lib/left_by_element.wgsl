// The left side of a tile's product (lib/product_tile.wgsl) for kernels whose rows have k side by side in memory: they
// bring `lhs(row, k)`, one number.
//! import "lib/product_tile.wgsl"

const ROWS_FASTEST: bool = false;

fn start_tile(k0: u32) {}

fn lhs4(row: u32, k: u32) -> vec4f {
  return vec4f(lhs(row, k), lhs(row + 1u, k), lhs(row + 2u, k), lhs(row + 3u, k));
}
