// Rows of a thread of the persistent product: four, so that a loaded weight and state serve 16 multiply-adds; for launches
// that fill a GPU. rows_two.wgsl is the alternative.
const THREAD_ROWS: u32 = 4u;
// One number of each row.
alias Rows = vec4f;

// One quad of each row; a struct, since an array that is not indexed by constants would leave the registers.
struct RowSums {
  r0: vec4f,
  r1: vec4f,
  r2: vec4f,
  r3: vec4f,
}

fn madd_rows(sums: RowSums, x: Rows, w: vec4f) -> RowSums {
  return RowSums(fma(vec4f(x.x), w, sums.r0), fma(vec4f(x.y), w, sums.r1), fma(vec4f(x.z), w, sums.r2), fma(vec4f(x.w), w, sums.r3));
}

fn sums_of(quads: array<vec4f, THREAD_ROWS>) -> RowSums {
  return RowSums(quads[0], quads[1], quads[2], quads[3]);
}

fn quads_of(sums: RowSums) -> array<vec4f, THREAD_ROWS> {
  return array<vec4f, THREAD_ROWS>(sums.r0, sums.r1, sums.r2, sums.r3);
}

// Number x of each row's quad.
fn rows_of(quads: array<vec4f, THREAD_ROWS>) -> array<Rows, 4> {
  let t = transpose(mat4x4f(quads[0], quads[1], quads[2], quads[3]));
  return array<Rows, 4>(t[0], t[1], t[2], t[3]);
}
