// What every adjoint machine does with the cell: from G_r of step t0 + s + 1 to ga and the carry of step t0 + s. A machine
// adds W_recᵀ ga to the carried G_r.
// Bindings  rows: [R]; weights: [S][stride] (W_rec first); du: [T][R][N], W_outᵀ d_{t+1} in, ga_t out;
//           carry: [3][R][N] = G_r without the readout's share, G_v, G_c; phi_kept: φ′ bits or φ(a)
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/phi_load.wgsl"
//! import "lib/stored/quad_f32.wgsl" or STORED_F16 "lib/stored/quad_f16.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> du: array<Stored>;
@group(0) @binding(4) var<storage, read_write> carry: array<vec4f>;

// Whether step t0 + s is the last of the rollout: nothing is carried into it.
fn is_last(s: u32) -> bool {
  return window.t0 + s + 1u == window.total_steps;
}

// Four units of a row, whose record is `p`. `carried` is their carried G_r, product included.
fn retreat(p: RowParams, s: u32, row: u32, quad: u32, carried: vec4f) {
  let size = window.rows * window.unit_quads;
  let c = row * window.unit_quads + quad;
  var gr = load4(du[s * size + c]);
  var x: array<vec4f, CELL_EXTRA>;
  if (!is_last(s)) {
    gr = carried + gr;
    if (EXTRA_ON == 1u) {
      for (var e = 0u; e < CELL_EXTRA; e++) {
        x[e] = carry[(e + 1u) * size + c];
      }
    }
  }
  let back = cell_adjoint(p.cell, gr, x, phi_prime(s, row, quad));
  du[s * size + c] = store4(back.ga);
  carry[c] = back.gr;
  if (EXTRA_ON == 1u) {
    for (var e = 0u; e < CELL_EXTRA; e++) {
      carry[(e + 1u) * size + c] = back.extra[e];
    }
  }
}
