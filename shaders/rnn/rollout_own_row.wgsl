// Computes  steps t0 … t0 + steps − 1 of the cell for every row, in one dispatch
// Axes      R rows, T steps, N units, I inputs
// Bindings  lib/forward_cell.wgsl
// Geometry  one workgroup = one subgroup of 8 lanes = 32 rows; one lane = 4 rows, for all steps. A lane reads only
//           state that it wrote, so there is no barrier. Needs subgroups of at least 8.
// Numerics  acc = b; inputs ascending; k ascending; then the cell, in a rolled loop: unrolled, its noise takes software
//           adapters seconds to compile
// Twin      src/reference/rollout.ts, test/kernel/rollout.test.ts
//! import "lib/forward_cell.wgsl"
//! import "lib/product_lanes.wgsl"

// The sums of a finished tile, to be indexed by variables.
var<private> sums: array<vec4f, 32>;

fn put(j: u32, q: u32, sum: vec4f) {
  sums[8u * j + q] = sum;
}

@compute @workgroup_size(8)
fn rollout_own_row(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let n4 = window.unit_quads;
  let row0 = group.x * 32u + local * LANE_ROWS;
  let network = network_of(group.x * 32u);
  let own = network * window.weight_stride;
  let recurrent = network * 4u * n4 * n4;
  for (var s = 0u; s < window.steps; s++) {
    let r0 = s * window.rows * n4 + row0 * n4;
    for (var tile = 0u; tile * TILE_QUADS < n4; tile++) {
      let quad0 = tile * TILE_QUADS;
      let quads = min(TILE_QUADS, n4 - quad0);
      // Quads beyond the last repeat it; they are never stored.
      let mine = quad0 + min(lane_quad(lane), quads - 1u);
      if (INPUT_READY == 1u) {
        for (var j = 0u; j < LANE_ROWS; j++) {
          for (var q = 0u; q < quads; q++) {
            sums[8u * j + q] = ready_input(s, row0 + j, quad0 + q);
          }
        }
        acc = sums;
      } else {
        start(weight_quad(own + window.at_b, mine, 1u));
      }
      for (var i = 0u; i < window.inputs; i++) {
        let at = s * window.input_stride + row0 * window.inputs + i;
        let x = vec4f(input[at], input[at + window.inputs], input[at + 2u * window.inputs], input[at + 3u * window.inputs]);
        madd1(x, weight_quad(own + window.at_in + i, mine, window.inputs));
      }
      let w = recurrent + lane_k(lane) * n4 + mine;
      let next = K_LOAD * n4;
      for (var k = 0u; k < n4; k++) {
        let at = w + 4u * k * n4;
        madd4(
          by_k(load4(states[r0 + k]), load4(states[r0 + n4 + k]), load4(states[r0 + 2u * n4 + k]), load4(states[r0 + 3u * n4 + k])),
          recurrent_t[at], recurrent_t[at + next], recurrent_t[at + 2u * next], recurrent_t[at + 3u * next],
        );
      }
      put_tile();
      for (var j = 0u; j < LANE_ROWS; j++) {
        pointwise(s, row0 + j, j, quad0, quads);
      }
    }
  }
}

// The cell for one row and the quads of one tile.
fn pointwise(s: u32, row: u32, j: u32, quad0: u32, quads: u32) {
  let p = rows[row];
  var bits = 0u;
  for (var q = 0u; q < quads; q++) {
    bits |= advance(p, s, row, quad0 + q, sums[8u * j + q]) << (4u * q);
  }
  if (PHI_STORE == PHI_BITS) {
    // A word holds 8 quads; tiles come in ascending order, so the first one of a word starts it.
    let at = s * window.phi_stride + row * phi_words() + quad0 / 8u;
    let part = bits << (4u * (quad0 % 8u));
    phi_store[at] = select(phi_store[at] | part, part, quad0 % 8u == 0u);
  }
}
