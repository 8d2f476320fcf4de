// Computes  one step t0 of the cell for every row
// Axes      R rows, N units, I inputs
// Bindings  lib/forward_cell.wgsl, bound from slot t0 on
// Geometry  workgroup (x, y) = 32 units × 32 rows; a thread = 4 rows × 4 units
// Numerics  acc = b; then one product over the joined range (inputs, units); then the cell
// Twin      src/reference/rollout.ts, test/kernel/rollout.test.ts
//! import "lib/forward_cell.wgsl"
//! import "lib/left_by_element.wgsl"

var<workgroup> bits: array<atomic<u32>, TILE_ROWS>;
// The network of the workgroup, for the loaders.
var<private> network: u32;

fn lhs(row: u32, k: u32) -> f32 {
  if (k < window.inputs) {
    return input[row * window.inputs + k];
  }
  let unit = k - window.inputs;
  if (unit >= 4u * window.unit_quads) {
    return 0.0;
  }
  return load4(states[row * window.unit_quads + unit / 4u])[unit % 4u];
}

fn rhs(k: u32, quad: u32) -> vec4f {
  let n4 = window.unit_quads;
  if (quad >= n4) {
    return vec4f(0.0);
  }
  if (k < window.inputs) {
    return weight_quad(network * window.weight_stride + window.at_in + k, quad, window.inputs);
  }
  let unit = k - window.inputs;
  if (unit >= 4u * n4) {
    return vec4f(0.0);
  }
  return recurrent_t[(network * 4u * n4 + unit) * n4 + quad];
}

@compute @workgroup_size(64)
fn step_forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let n4 = window.unit_quads;
  let row0 = group.y * TILE_ROWS;
  let quad0 = group.x * TILE_COLUMN_QUADS;
  network = network_of(row0);
  if (thread < TILE_ROWS) {
    atomicStore(&bits[thread], 0u);
  }
  let quad = quad0 + thread % TILE_COLUMN_QUADS;
  var bias = vec4f(0.0);
  if (quad < n4) {
    bias = weight_quad(network * window.weight_stride + window.at_b, quad, 1u);
  }
  var begin = TileSums(bias, bias, bias, bias);
  if (INPUT_READY == 1u && quad < n4) {
    let row = row0 + 4u * (thread / TILE_COLUMN_QUADS);
    begin = TileSums(
      ready_input(0u, row, quad), ready_input(0u, row + 1u, quad),
      ready_input(0u, row + 2u, quad), ready_input(0u, row + 3u, quad),
    );
  }
  let sums = product_tile(begin, thread, row0, quad0, window.inputs + 4u * n4);
  let own = 4u * (thread / TILE_COLUMN_QUADS);
  if (quad < n4) {
    var all = array<vec4f, 4>(sums.r0, sums.r1, sums.r2, sums.r3);
    for (var j = 0u; j < 4u; j++) {
      let row = row0 + own + j;
      atomicOr(&bits[own + j], advance(rows[row], 0u, row, quad, all[j]) << (4u * (quad % 8u)));
    }
  }
  if (PHI_STORE == PHI_BITS) {
    workgroupBarrier();
    if (thread < TILE_ROWS) {
      phi_store[(row0 + thread) * phi_words() + group.x] = atomicLoad(&bits[thread]);
    }
  }
}
