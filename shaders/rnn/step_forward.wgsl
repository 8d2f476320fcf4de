// Computes  one step t0 of the cell for every row
// Axes      R rows, N units, I inputs
// Bindings  as rollout_own_row.wgsl, bound from slot t0 on
// Geometry  workgroup (x, y) = 32 units × 32 rows; a thread = 4 rows × 4 units
// Numerics  acc = b; then one product over the joined range (inputs, units); then the cell
// Twin      src/reference/rollout.ts, test/kernel/rollout.test.ts
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/step_noise.wgsl"
//! import "lib/product_tile.wgsl"
//! import "lib/phi_store.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> recurrent_t: array<vec4f>;
@group(0) @binding(4) var<storage, read> input: array<f32>;
@group(0) @binding(5) var<storage, read_write> states: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> extra: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> phi_store: array<u32>;

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
  return states[row * window.unit_quads + unit / 4u][unit % 4u];
}

fn rhs(k: u32, quad: u32) -> vec4f {
  let n4 = window.unit_quads;
  if (quad >= n4) {
    return vec4f(0.0);
  }
  if (k < window.inputs) {
    let at = network * window.weight_stride + window.at_in + 4u * quad * window.inputs + k;
    return vec4f(weights[at], weights[at + window.inputs], weights[at + 2u * window.inputs], weights[at + 3u * window.inputs]);
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
    let at = network * window.weight_stride + window.at_b + 4u * quad;
    bias = vec4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
  }
  let sums = product_tile(TileSums(bias, bias, bias, bias), thread, row0, quad0, window.inputs + 4u * n4);
  let own = 4u * (thread / TILE_COLUMN_QUADS);
  if (quad < n4) {
    var all = array<vec4f, 4>(sums.r0, sums.r1, sums.r2, sums.r3);
    for (var j = 0u; j < 4u; j++) {
      pointwise(row0 + own + j, own + j, quad, all[j]);
    }
  }
  if (PHI_STORE == PHI_BITS) {
    workgroupBarrier();
    if (thread < TILE_ROWS) {
      phi_store[(row0 + thread) * phi_words() + group.x] = atomicLoad(&bits[thread]);
    }
  }
}

fn pointwise(row: u32, tile_row: u32, quad: u32, acc: vec4f) {
  let n4 = window.unit_quads;
  let at = row * n4 + quad;
  let size = window.rows * n4;
  var x: array<vec4f, CELL_EXTRA>;
  if (EXTRA_ON == 1u && window.t0 > 0u) {
    for (var e = 0u; e < CELL_EXTRA; e++) {
      x[e] = extra[e * size + at];
    }
  }
  let xi = step_noise(0u, row, quad, rows[row].network_seed, rows[row].trajectory, rows[row].epoch);
  let step = cell_step(rows[row].cell, window.slope, states[at], x, acc, xi);
  states[size + at] = step.r;
  if (EXTRA_ON == 1u) {
    for (var e = 0u; e < CELL_EXTRA; e++) {
      extra[window.extra_stride + e * size + at] = step.extra[e];
    }
  }
  if (PHI_STORE == PHI_BITS) {
    atomicOr(&bits[tile_row], phi_prime_bits(step.a) << (4u * (quad % 8u)));
  }
  if (PHI_STORE == PHI_VALUE) {
    let value = bitcast<vec4u>(step.phi);
    phi_store[4u * at] = value.x;
    phi_store[4u * at + 1u] = value.y;
    phi_store[4u * at + 2u] = value.z;
    phi_store[4u * at + 3u] = value.w;
  }
}
