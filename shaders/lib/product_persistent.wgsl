// Product of a workgroup's few rows, kept in shared memory over all steps, with a matrix that streams from the caches:
// for GPUs, where one dispatch then does many steps. A thread owns 4 rows × 1 quad of columns at a time.
// Each output is one chain, k ascending.

// Rows of a workgroup: 4, 8, 16 or 32.
const ROWS: u32 = 8u; //! tune
// Units that the shared tile has room for; a multiple of 32.
const ROOM: u32 = 128u; //! tune
const THREADS: u32 = 128u; //! tune
const ROW_QUADS: u32 = ROWS / 4u;
// Quads of columns done at once.
const PASS_QUADS: u32 = THREADS / ROW_QUADS;

// [unit][row], row fastest.
var<workgroup> tile: array<vec4f, ROOM * ROW_QUADS>;

struct RowSums {
  r0: vec4f,
  r1: vec4f,
  r2: vec4f,
  r3: vec4f,
}

fn madd_rows(sums: RowSums, x: vec4f, w: vec4f) -> RowSums {
  return RowSums(fma(vec4f(x.x), w, sums.r0), fma(vec4f(x.y), w, sums.r1), fma(vec4f(x.z), w, sums.r2), fma(vec4f(x.w), w, sums.r3));
}
