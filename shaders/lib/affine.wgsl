// y = W x + b of every row, for the steps of a launch: the readout, and the input of networks with many inputs.
// Bindings  weights: [S][stride]; x: [steps][R][…]; y: [steps][R][…], all padded to quads
//! import "lib/stored/x_f32.wgsl" or X_F16 "lib/stored/x_f16.wgsl"
//! import "lib/stored/y_f32.wgsl" or Y_F16 "lib/stored/y_f16.wgsl"

struct Affine {
  rows: u32,              // R of the chunk, padding included
  rows_per_network: u32,
  weight_stride: u32,
  at_w: u32,              // of a network's vector: W [y][x], b [y]
  at_b: u32,
  x_quads: u32,
  y_quads: u32,
}

@group(0) @binding(0) var<uniform> affine: Affine;
@group(0) @binding(1) var<storage, read> weights: array<f32>;

// First element of the vector of a row's network.
fn vector_of(row: u32) -> u32 {
  return row / affine.rows_per_network * affine.weight_stride;
}

// Column k of W at rows 4 quad … 4 quad + 3.
fn w_column(own: u32, quad: u32, k: u32) -> vec4f {
  let width = 4u * affine.x_quads;
  let at = own + affine.at_w + 4u * quad * width + k;
  return vec4f(weights[at], weights[at + width], weights[at + 2u * width], weights[at + 3u * width]);
}

fn b_quad(own: u32, quad: u32) -> vec4f {
  let at = own + affine.at_b + 4u * quad;
  return vec4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}
