// Computes  the adjoint of steps t0 + steps − 1 … t0 for every row, in one dispatch: ga_t, and G_r, G_v, G_c carried
// Axes      R rows, T steps, N units
// Bindings  rows: [R]; weights: [S][stride] (W_rec first); du: [T][R][N], W_outᵀ d_{t+1} in, ga_t out;
//           carry: [3][R][N] = G_r without the readout's share, G_v, G_c; phi_kept: φ′ bits or φ(a)
// Geometry  as rollout_own_row.wgsl: a lane owns four rows for all steps, no barrier
// Numerics  G_r = the cell's part, then + W_recᵀ ga with k (= unit) ascending
// Twin      src/reference/adjoint.ts, test/kernel/adjoint.test.ts
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/product_lanes.wgsl"
//! import "lib/phi_load.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> du: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> carry: array<vec4f>;

@compute @workgroup_size(8)
fn adjoint_own_row(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let n4 = window.unit_quads;
  let row0 = group.x * 32u + local * LANE_ROWS;
  let recurrent = (network_of(group.x * 32u) * window.weight_stride + window.at_rec) / 4u;
  for (var left = window.steps; left > 0u; left--) {
    let s = left - 1u;
    for (var j = 0u; j < LANE_ROWS; j++) {
      pointwise(s, row0 + j);
    }
    let ga = s * window.rows * n4 + row0 * n4;
    for (var tile = 0u; tile * TILE_QUADS < n4; tile++) {
      let quad0 = tile * TILE_QUADS;
      let quads = min(TILE_QUADS, n4 - quad0);
      let mine = min(quad0 + (lane & 3u), n4 - 1u);
      for (var j = 0u; j < LANE_ROWS; j++) {
        for (var q = 0u; q < quads; q++) {
          sums[4u * j + q] = carry[(row0 + j) * n4 + quad0 + q];
        }
      }
      acc = sums;
      let w = recurrent + (lane >> 2u) * n4 + mine;
      for (var k = 0u; k < n4; k++) {
        madd4(
          du[ga + k], du[ga + n4 + k], du[ga + 2u * n4 + k], du[ga + 3u * n4 + k],
          weights[w + 4u * k * n4], weights[w + (4u * k + 2u) * n4],
        );
      }
      sums = acc;
      for (var j = 0u; j < LANE_ROWS; j++) {
        for (var q = 0u; q < quads; q++) {
          carry[(row0 + j) * n4 + quad0 + q] = sums[4u * j + q];
        }
      }
    }
  }
}

fn pointwise(s: u32, row: u32) {
  let n4 = window.unit_quads;
  let p = rows[row].cell;
  let at = s * window.rows * n4 + row * n4;
  let size = window.rows * n4;
  let fresh = window.t0 + s + 1u == window.total_steps;
  for (var q = 0u; q < n4; q++) {
    let c = row * n4 + q;
    var gr = du[at + q];
    var x: array<vec4f, CELL_EXTRA>;
    if (!fresh) {
      gr = carry[c] + gr;
      if (EXTRA_ON == 1u) {
        for (var e = 0u; e < CELL_EXTRA; e++) {
          x[e] = carry[(e + 1u) * size + c];
        }
      }
    }
    let back = cell_adjoint(p, gr, x, phi_prime(s, row, q));
    du[at + q] = back.ga;
    carry[c] = back.gr;
    if (EXTRA_ON == 1u) {
      for (var e = 0u; e < CELL_EXTRA; e++) {
        carry[(e + 1u) * size + c] = back.extra[e];
      }
    }
  }
}
