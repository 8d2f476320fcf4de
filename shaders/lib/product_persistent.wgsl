// Product of a workgroup's few rows, kept in shared memory over all steps, with a matrix that streams from the caches:
// for GPUs, where one dispatch then does many steps. A thread owns THREAD_ROWS rows × 1 quad of columns at a time.
// Each output is one chain, k ascending; four k are loaded before the first is used, for compilers that do not unroll.
//! import "lib/rows_four.wgsl" or TWO_ROWS "lib/rows_two.wgsl"

// Rows of a workgroup: 4, 8 or 16.
const ROWS: u32 = 8u; //! tune
// Units that the shared tile has room for; a multiple of 32.
const ROOM: u32 = 128u; //! tune
const THREADS: u32 = 128u; //! tune
// Threads that share a quad of columns.
const ROW_PARTS: u32 = ROWS / THREAD_ROWS;
// Quads of columns done at once.
const PASS_QUADS: u32 = THREADS / ROW_PARTS;

// [unit][row], row fastest.
var<workgroup> tile: array<Rows, ROOM * ROW_PARTS>;

// The quad of units of a part's rows, to where the product finds it.
fn put_tile(quad: u32, part: u32, quads: array<vec4f, THREAD_ROWS>) {
  let by_unit = rows_of(quads);
  let at = 4u * quad * ROW_PARTS + part;
  tile[at] = by_unit[0];
  tile[at + ROW_PARTS] = by_unit[1];
  tile[at + 2u * ROW_PARTS] = by_unit[2];
  tile[at + 3u * ROW_PARTS] = by_unit[3];
}

// Four k, of which the weights are given.
fn madd_tile(sums: RowSums, k: u32, part: u32, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> RowSums {
  let at = 4u * k * ROW_PARTS + part;
  let x0 = tile[at];
  let x1 = tile[at + ROW_PARTS];
  let x2 = tile[at + 2u * ROW_PARTS];
  let x3 = tile[at + 3u * ROW_PARTS];
  return madd_rows(madd_rows(madd_rows(madd_rows(sums, x0, w0), x1, w1), x2, w2), x3, w3);
}
