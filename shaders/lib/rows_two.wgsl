// Rows of a thread of the persistent product: two, so that twice as many threads share a workgroup's rows; for launches of
// so few workgroups that each waits for its own loads, products and noise. rows_four.wgsl is the alternative.
const THREAD_ROWS: u32 = 2u;
// One number of each row.
alias Rows = vec2f;

// One quad of each row.
struct RowSums {
  r0: vec4f,
  r1: vec4f,
}

fn madd_rows(sums: RowSums, x: Rows, w: vec4f) -> RowSums {
  return RowSums(fma(vec4f(x.x), w, sums.r0), fma(vec4f(x.y), w, sums.r1));
}

fn sums_of(quads: array<vec4f, THREAD_ROWS>) -> RowSums {
  return RowSums(quads[0], quads[1]);
}

fn quads_of(sums: RowSums) -> array<vec4f, THREAD_ROWS> {
  return array<vec4f, THREAD_ROWS>(sums.r0, sums.r1);
}

// Number x of each row's quad.
fn rows_of(quads: array<vec4f, THREAD_ROWS>) -> array<Rows, 4> {
  let a = quads[0];
  let b = quads[1];
  return array<Rows, 4>(vec2f(a.x, b.x), vec2f(a.y, b.y), vec2f(a.z, b.z), vec2f(a.w, b.w));
}
