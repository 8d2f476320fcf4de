// Computes  the adjoint of steps t0 + steps − 1 … t0 for every row, in one dispatch: ga_t, and G_r, G_v, G_c carried
// Axes      R rows, T steps, N units
// Bindings  lib/adjoint_cell.wgsl
// Geometry  one workgroup = ROWS rows for all steps, ga of a step in shared memory; a thread = 4 rows × 4 units at a time
// Numerics  G_r = the cell's part, then + W_recᵀ ga with k (= unit) ascending
// Twin      src/reference/adjoint.ts, test/kernel/adjoint.test.ts
//! import "lib/adjoint_cell.wgsl"
//! import "lib/product_persistent.wgsl"

@compute @workgroup_size(THREADS)
fn adjoint_persistent(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n4 = window.unit_quads;
  let row0 = group.x * ROWS;
  let recurrent = (network_of(row0) * window.weight_stride + window.at_rec) / 4u;
  let rows4 = thread % ROW_QUADS;
  let first = thread / ROW_QUADS;
  for (var left = window.steps; left > 0u; left--) {
    let s = left - 1u;
    // A thread carries its own elements, so only ga has to pass between threads.
    for (var quad = first; quad < n4; quad += PASS_QUADS) {
      for (var j = 0u; j < 4u; j++) {
        let row = row0 + 4u * rows4 + j;
        retreat(rows[row], s, row, quad, carry[row * n4 + quad]);
      }
      load_tile((s * window.rows + row0) * n4, quad, rows4);
    }
    workgroupBarrier();
    for (var quad = first; quad < n4; quad += PASS_QUADS) {
      let c = (row0 + 4u * rows4) * n4 + quad;
      var sums = RowSums(carry[c], carry[c + n4], carry[c + 2u * n4], carry[c + 3u * n4]);
      for (var k = 0u; k < 4u * n4; k++) {
        sums = madd_rows(sums, tile[k * ROW_QUADS + rows4], weights[recurrent + k * n4 + quad]);
      }
      carry[c] = sums.r0;
      carry[c + n4] = sums.r1;
      carry[c + 2u * n4] = sums.r2;
      carry[c + 3u * n4] = sums.r3;
    }
    workgroupBarrier();
  }
}

// ga of four units of four rows, transposed.
fn load_tile(now: u32, quad: u32, rows4: u32) {
  let at = now + 4u * rows4 * window.unit_quads + quad;
  let n4 = window.unit_quads;
  let t = transpose(mat4x4f(load4(du[at]), load4(du[at + n4]), load4(du[at + 2u * n4]), load4(du[at + 3u * n4])));
  for (var x = 0u; x < 4u; x++) {
    tile[(4u * quad + x) * ROW_QUADS + rows4] = t[x];
  }
}
