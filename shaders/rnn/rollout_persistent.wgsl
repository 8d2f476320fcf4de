// Computes  steps t0 … t0 + steps − 1 of the cell for every row, in one dispatch
// Axes      R rows, T steps, N units, I inputs
// Bindings  lib/forward_cell.wgsl
// Geometry  one workgroup = ROWS rows for all steps, their state in shared memory; a thread = 2 or 4 rows × 4 units at a time
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
  let part = thread % ROW_PARTS;
  let first = thread / ROW_PARTS;
  for (var s = 0u; s < window.steps; s++) {
    let now = (s * window.rows + row0) * n4;
    for (var i = thread; i < n4 * ROW_PARTS; i += THREADS) {
      load_tile(now, i / ROW_PARTS, i % ROW_PARTS);
    }
    if (PHI_STORE == PHI_BITS) {
      for (var i = thread; i < ROWS * phi_words(); i += THREADS) {
        atomicStore(&bits[i], 0u);
      }
    }
    workgroupBarrier();
    for (var pass0 = 0u; pass0 < n4; pass0 += PASS_QUADS) {
      let quad = pass0 + first;
      if (quad < n4) {
        var quads = begin(own, s, row0 + THREAD_ROWS * part, quad);
        var sums = sums_of(quads);
        for (var k = 0u; k < n4; k++) {
          let w = recurrent + 4u * k * n4 + quad;
          sums = madd_tile(sums, k, part, recurrent_t[w], recurrent_t[w + n4], recurrent_t[w + 2u * n4], recurrent_t[w + 3u * n4]);
        }
        quads = quads_of(sums);
        for (var j = 0u; j < THREAD_ROWS; j++) {
          let mine = THREAD_ROWS * part + j;
          let found = advance(rows[row0 + mine], s, row0 + mine, quad, quads[j]);
          if (PHI_STORE == PHI_BITS) {
            atomicOr(&bits[mine * phi_words() + quad / 8u], found << (4u * (quad % 8u)));
          }
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

// b + W_in u of a thread's rows, the first of which is `row`.
fn begin(own: u32, s: u32, row: u32, quad: u32) -> array<vec4f, THREAD_ROWS> {
  var quads: array<vec4f, THREAD_ROWS>;
  let b = weight_quad(own + window.at_b, quad, 1u);
  for (var j = 0u; j < THREAD_ROWS; j++) {
    if (INPUT_READY == 1u) {
      quads[j] = ready_input(s, row + j, quad);
    } else {
      quads[j] = b;
    }
  }
  for (var i = 0u; i < window.inputs; i++) {
    let w = weight_quad(own + window.at_in + i, quad, window.inputs);
    let at = s * window.input_stride + row * window.inputs + i;
    for (var j = 0u; j < THREAD_ROWS; j++) {
      quads[j] = fma(vec4f(input[at + j * window.inputs]), w, quads[j]);
    }
  }
  return quads;
}

// Four units of a part's rows, transposed.
fn load_tile(now: u32, quad: u32, part: u32) {
  let at = now + THREAD_ROWS * part * window.unit_quads + quad;
  var quads: array<vec4f, THREAD_ROWS>;
  for (var j = 0u; j < THREAD_ROWS; j++) {
    quads[j] = load4(states[at + j * window.unit_quads]);
  }
  put_tile(quad, part, quads);
}
