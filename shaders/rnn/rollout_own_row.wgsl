// Computes  steps t0 … t0 + steps − 1 of the cell for every row, in one dispatch
// Axes      R rows, T steps, N units, I inputs
// Bindings  rows: [R]; weights: [S][stride]; recurrent_t: [S][N][N] (W_recᵀ); input: [T][R][I], masked;
//           states: [T+1][R][N], slot 0 given; extra: [2][R][N] or [T+1][2][R][N]; phi: φ′ bits or φ(a), [T][R][…];
//           noise_given: [T][R][N] or unused
// Geometry  one workgroup = one subgroup of 8 lanes = 32 rows; one lane = 4 rows, for all steps. A lane reads only
//           state that it wrote, so there is no barrier. Needs subgroups of at least 8.
// Numerics  acc = b; inputs ascending; k ascending; then the cell, in a rolled loop: unrolled, its noise takes software
//           adapters seconds to compile
// Twin      src/reference/rollout.ts, test/kernel/rollout.test.ts
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/step_noise.wgsl"
//! import "lib/product_lanes.wgsl"
//! import "lib/phi_store.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> recurrent_t: array<vec4f>;
@group(0) @binding(4) var<storage, read> input: array<f32>;
@group(0) @binding(5) var<storage, read_write> states: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> extra: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> phi_store: array<u32>;

fn quad_of(base: u32, quad: u32, stride: u32) -> vec4f {
  let i = base + 4u * quad * stride;
  return vec4f(weights[i], weights[i + stride], weights[i + 2u * stride], weights[i + 3u * stride]);
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
    let now = s * window.rows * n4;
    for (var tile = 0u; tile * TILE_QUADS < n4; tile++) {
      let quad0 = tile * TILE_QUADS;
      // Quads beyond the last repeat it; they are never stored.
      let mine = min(quad0 + (lane & 3u), n4 - 1u);
      acc_start(quad_of(own + window.at_b, mine, 1u));
      for (var i = 0u; i < window.inputs; i++) {
        let at = s * window.input_stride + row0 * window.inputs + i;
        let x = vec4f(input[at], input[at + window.inputs], input[at + 2u * window.inputs], input[at + 3u * window.inputs]);
        madd1(x, quad_of(own + window.at_in + i, mine, window.inputs));
      }
      let r0 = now + row0 * n4;
      let w = recurrent + (lane >> 2u) * n4 + mine;
      for (var k = 0u; k < n4; k++) {
        madd4(
          states[r0 + k], states[r0 + n4 + k], states[r0 + 2u * n4 + k], states[r0 + 3u * n4 + k],
          recurrent_t[w + 4u * k * n4], recurrent_t[w + (4u * k + 2u) * n4],
        );
      }
      let quads = min(TILE_QUADS, n4 - quad0);
      sums = acc;
      for (var j = 0u; j < LANE_ROWS; j++) {
        pointwise(s, row0 + j, j, quad0, quads);
      }
    }
  }
}

// The cell for one row and the quads of one tile.
fn pointwise(s: u32, row: u32, j: u32, quad0: u32, quads: u32) {
  let n4 = window.unit_quads;
  let now = s * window.rows * n4 + row * n4 + quad0;
  let next = now + window.rows * n4;
  let p = rows[row].cell;
  let seed = rows[row].network_seed;
  let trajectory = rows[row].trajectory;
  let epoch = rows[row].epoch;
  let started = window.t0 + s > 0u;
  let x_now = s * window.extra_stride + row * n4 + quad0;
  let x_next = x_now + window.extra_stride;
  var bits = 0u;
  for (var q = 0u; q < quads; q++) {
    var x: array<vec4f, CELL_EXTRA>;
    if (EXTRA_ON == 1u && started) {
      for (var e = 0u; e < CELL_EXTRA; e++) {
        x[e] = extra[x_now + e * window.rows * n4 + q];
      }
    }
    let xi = step_noise(s, row, quad0 + q, seed, trajectory, epoch);
    let step = cell_step(p, window.slope, states[now + q], x, sums[4u * j + q], xi);
    states[next + q] = step.r;
    if (EXTRA_ON == 1u) {
      for (var e = 0u; e < CELL_EXTRA; e++) {
        extra[x_next + e * window.rows * n4 + q] = step.extra[e];
      }
    }
    if (PHI_STORE == PHI_BITS) {
      bits |= phi_prime_bits(step.a) << (4u * q);
    }
    if (PHI_STORE == PHI_VALUE) {
      let at = s * window.phi_stride + 4u * (row * n4 + quad0 + q);
      let value = bitcast<vec4u>(step.phi);
      phi_store[at] = value.x;
      phi_store[at + 1u] = value.y;
      phi_store[at + 2u] = value.z;
      phi_store[at + 3u] = value.w;
    }
  }
  if (PHI_STORE == PHI_BITS) {
    // A word holds 8 quads; tiles come in ascending order, so the first one of a word starts it.
    let at = s * window.phi_stride + row * phi_words() + quad0 / 8u;
    let part = bits << (4u * (quad0 % 8u));
    phi_store[at] = select(phi_store[at] | part, part, quad0 % 8u == 0u);
  }
}
