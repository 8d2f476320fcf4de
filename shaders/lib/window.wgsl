// Where a launch stands: a chunk of rows (whole tiles of 32) of a group of networks, and a range of time steps.
// Time-indexed buffers are bound from slot t0 on and weights from the group's first network on, so kernels index both
// from 0; only arrays with one small record a network are bound whole and want `network0`.

struct Window {
  rows: u32,              // R of the chunk, padding included
  rows_per_network: u32,  // a multiple of 32
  network0: u32,          // first network of the group
  t0: u32,                // absolute time of the first step
  steps: u32,             // steps of this launch
  total_steps: u32,       // T
  units: u32,             // N
  unit_quads: u32,        // ⌈N/4⌉
  inputs: u32,            // I
  outputs: u32,           // O
  output_quads: u32,      // ⌈O/4⌉
  encoder_inputs: u32,    // E
  weight_stride: u32,     // elements from one network's vector to the next
  at_rec: u32,            // slices of the flat vector, in elements
  at_in: u32,
  at_b: u32,
  at_out: u32,
  at_b_out: u32,
  at_enc: u32,
  at_b_enc: u32,
  input_stride: u32,      // elements from one time slot to the next
  phi_stride: u32,
  extra_stride: u32,      // quads; 0: the extra state variables are kept in place, without history
  root_seed: u32,
  stream: u32,            // of the step noise
  clocked: u32,           // 1: epoch word from the clock (training, test); 0: from the row (replay)
  slope: f32,             // of leaky ReLU
}

@group(0) @binding(0) var<uniform> window: Window;

// Within the group.
fn network_of(row: u32) -> u32 {
  return row / window.rows_per_network;
}

// Words that hold φ′ of a row as bits, 32 units each.
fn phi_words() -> u32 {
  return (window.unit_quads + 7u) / 8u;
}
