// Computes  the adjoint of steps t0 + steps − 1 … t0 for every row, in one dispatch: ga_t, and G_r, G_v, G_c carried
// Axes      R rows, T steps, N units
// Bindings  lib/adjoint_cell.wgsl
// Geometry  one workgroup = ROWS rows for all steps, ga of a step in shared memory; a thread = 2 or 4 rows × 4 units at a time
// Numerics  G_r = the cell's part, then + W_recᵀ ga with k (= unit) ascending
// Twin      src/reference/adjoint.ts, test/kernel/adjoint.test.ts
//! import "lib/adjoint_cell.wgsl"
//! import "lib/product_persistent.wgsl"

@compute @workgroup_size(THREADS)
fn adjoint_persistent(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n4 = window.unit_quads;
  let row0 = group.x * ROWS;
  let recurrent = (network_of(row0) * window.weight_stride + window.at_rec) / 4u;
  let part = thread % ROW_PARTS;
  let first = thread / ROW_PARTS;
  let own = row0 + THREAD_ROWS * part;
  for (var left = window.steps; left > 0u; left--) {
    let s = left - 1u;
    // A thread carries its own elements, so only ga has to pass between threads.
    for (var quad = first; quad < n4; quad += PASS_QUADS) {
      for (var j = 0u; j < THREAD_ROWS; j++) {
        let row = own + j;
        retreat(rows[row], s, row, quad, carry[row * n4 + quad]);
      }
      load_tile((s * window.rows + own) * n4 + quad, quad, part);
    }
    workgroupBarrier();
    for (var quad = first; quad < n4; quad += PASS_QUADS) {
      let c = own * n4 + quad;
      var quads: array<vec4f, THREAD_ROWS>;
      for (var j = 0u; j < THREAD_ROWS; j++) {
        quads[j] = carry[c + j * n4];
      }
      var sums = sums_of(quads);
      for (var k = 0u; k < n4; k++) {
        let w = recurrent + 4u * k * n4 + quad;
        sums = madd_tile(sums, k, part, weights[w], weights[w + n4], weights[w + 2u * n4], weights[w + 3u * n4]);
      }
      quads = quads_of(sums);
      for (var j = 0u; j < THREAD_ROWS; j++) {
        carry[c + j * n4] = quads[j];
      }
    }
    workgroupBarrier();
  }
}

// ga of four units of a part's rows, the first of which is at `at`, transposed.
fn load_tile(at: u32, quad: u32, part: u32) {
  var quads: array<vec4f, THREAD_ROWS>;
  for (var j = 0u; j < THREAD_ROWS; j++) {
    quads[j] = load4(du[at + j * window.unit_quads]);
  }
  put_tile(quad, part, quads);
}
