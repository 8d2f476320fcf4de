// Product of a tile of rows with a tile of columns by a workgroup, both staged in workgroup memory: for GPUs.
// A thread owns 4 rows × 1 quad of columns. The kernel brings `lhs4(row, k)`, that k of rows row … row + 3, and
// `rhs(k, quad)`, which must return 0 outside their matrices' k range; each output is one chain, k ascending. It also says
// whether rows or k lie side by side in memory (ROWS_FASTEST): neighbouring threads load what is. `start_tile(k0)` comes
// before the loads of k0 … k0 + TILE_K − 1.

const TILE_ROWS: u32 = 32u;
const TILE_COLUMN_QUADS: u32 = 8u;
const TILE_K: u32 = 16u; //! tune
const THREADS: u32 = 64u;

var<workgroup> left_tile: array<vec4f, TILE_K * TILE_ROWS / 4u>;
var<workgroup> right_tile: array<vec4f, TILE_K * TILE_COLUMN_QUADS>;

struct TileSums {
  r0: vec4f,
  r1: vec4f,
  r2: vec4f,
  r3: vec4f,
}

// Rows of this thread: row0 + 4 (thread / 8) …; quad: quad0 + thread % 8. `range` must be uniform.
fn product_tile(start: TileSums, thread: u32, row0: u32, quad0: u32, range: u32) -> TileSums {
  var sums = start;
  let rows4 = thread / TILE_COLUMN_QUADS;
  let quad = thread % TILE_COLUMN_QUADS;
  for (var k0 = 0u; k0 < range; k0 += TILE_K) {
    start_tile(k0);
    for (var i = thread; i < TILE_K * TILE_ROWS / 4u; i += THREADS) {
      let k = select(i % TILE_K, i / (TILE_ROWS / 4u), ROWS_FASTEST);
      let quad_row = select(i / TILE_K, i % (TILE_ROWS / 4u), ROWS_FASTEST);
      left_tile[k * (TILE_ROWS / 4u) + quad_row] = lhs4(row0 + 4u * quad_row, k0 + k);
    }
    for (var i = thread; i < TILE_K * TILE_COLUMN_QUADS; i += THREADS) {
      right_tile[i] = rhs(k0 + i / TILE_COLUMN_QUADS, quad0 + i % TILE_COLUMN_QUADS);
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE_K; k++) {
      let x = left_tile[k * (TILE_ROWS / 4u) + rows4];
      let w = right_tile[k * TILE_COLUMN_QUADS + quad];
      sums.r0 = fma(vec4f(x.x), w, sums.r0);
      sums.r1 = fma(vec4f(x.y), w, sums.r1);
      sums.r2 = fma(vec4f(x.z), w, sums.r2);
      sums.r3 = fma(vec4f(x.w), w, sums.r3);
    }
    workgroupBarrier();
  }
  return sums;
}
