// Computes  steps t0 … t0 + steps − 1 of the cell for every row, in one dispatch
// Axes      R rows, T steps, N units, I inputs
// Bindings  lib/forward_cell.wgsl
// Geometry  one workgroup = ROWS rows for all steps, their state in shared memory; a thread = 4 rows × 4 units at a time
// Numerics  acc = b; inputs ascending; k ascending; then the cell
// Twin      src/reference/rollout.ts, test/kernel/rollout.test.ts
//! import "lib/forward_cell.wgsl"
//! import "lib/product_persistent.wgsl"

var<workgroup> bits: array<atomic<u32>, ROWS * ROOM / 32u>;

@compute @workgroup_size(THREADS)
fn rollout_persistent(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n4 = window.unit_quads;
  let row0 = group.x * ROWS;
  let own = network_of(row0) * window.weight_stride;
  let recurrent = network_of(row0) * 4u * n4 * n4;
  let rows4 = thread % ROW_QUADS;
  let first = thread / ROW_QUADS;
  for (var s = 0u; s < window.steps; s++) {
    let now = (s * window.rows + row0) * n4;
    for (var i = thread; i < n4 * ROW_QUADS; i += THREADS) {
      load_tile(now, i / ROW_QUADS, i % ROW_QUADS);
    }
    for (var i = thread; i < ROWS * phi_words(); i += THREADS) {
      atomicStore(&bits[i], 0u);
    }
    workgroupBarrier();
    for (var pass0 = 0u; pass0 < n4; pass0 += PASS_QUADS) {
      let quad = pass0 + first;
      if (quad < n4) {
        let b = weight_quad(own + window.at_b, quad, 1u);
        var sums = RowSums(b, b, b, b);
        if (INPUT_READY == 1u) {
          let row = row0 + 4u * rows4;
          sums = RowSums(
            ready_input(s, row, quad), ready_input(s, row + 1u, quad),
            ready_input(s, row + 2u, quad), ready_input(s, row + 3u, quad),
          );
        }
        for (var i = 0u; i < window.inputs; i++) {
          let at = s * window.input_stride + (row0 + 4u * rows4) * window.inputs + i;
          let x = vec4f(input[at], input[at + window.inputs], input[at + 2u * window.inputs], input[at + 3u * window.inputs]);
          sums = madd_rows(sums, x, weight_quad(own + window.at_in + i, quad, window.inputs));
        }
        for (var k = 0u; k < 4u * n4; k++) {
          sums = madd_rows(sums, tile[k * ROW_QUADS + rows4], recurrent_t[recurrent + k * n4 + quad]);
        }
        var all = array<vec4f, 4>(sums.r0, sums.r1, sums.r2, sums.r3);
        for (var j = 0u; j < 4u; j++) {
          let mine = 4u * rows4 + j;
          let found = advance(rows[row0 + mine], s, row0 + mine, quad, all[j]);
          atomicOr(&bits[mine * phi_words() + quad / 8u], found << (4u * (quad % 8u)));
        }
      }
    }
    // The next step's tile is what all threads have just stored.
    storageBarrier();
    workgroupBarrier();
    if (PHI_STORE == PHI_BITS) {
      for (var i = thread; i < ROWS * phi_words(); i += THREADS) {
        phi_store[s * window.phi_stride + row0 * phi_words() + i] = atomicLoad(&bits[i]);
      }
      workgroupBarrier();
    }
  }
}

// Four units of four rows, transposed.
fn load_tile(now: u32, quad: u32, rows4: u32) {
  let at = now + 4u * rows4 * window.unit_quads + quad;
  let n4 = window.unit_quads;
  let t = transpose(mat4x4f(load4(states[at]), load4(states[at + n4]), load4(states[at + 2u * n4]), load4(states[at + 3u * n4])));
  for (var x = 0u; x < 4u; x++) {
    tile[(4u * quad + x) * ROW_QUADS + rows4] = t[x];
  }
}
