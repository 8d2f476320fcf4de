// Weight gradients as products summed over (time, row): G = Σ left ⊗ [right | tail | 1]. One description serves
//   recurrent  left = ga_t (units),  right = r_t,  tail = input u_t, 1   → W_rec, W_in, b
//   readout    left = d_t (readouts), right = r_t, 1                      → W_out, b_out
//              or, for few readouts, left = [r_t | 1], right = d_t         (transposed)
//   encoder    left = G_r of r_0,    tail = e_0, 1                        → W_enc, b_enc
// A slice is (block of rows of a network) × (block of time steps); its borders depend on the rows of the network and
// T alone, never on how a batch is chunked. A slice's sum goes to its own slot of `partials`.

//! import "lib/stored/left_f32.wgsl" or LEFT_F16 "lib/stored/left_f16.wgsl"
//! import "lib/stored/right_f32.wgsl" or RIGHT_F16 "lib/stored/right_f16.wgsl"

struct GradMap {
  rows: u32,              // R of the chunk
  rows_per_network: u32,  // of the chunk
  row_block: u32,         // rows of a slice
  row_block0: u32,        // first block of the chunk within its network
  time_block: u32,        // steps of a slice
  time_block0: u32,       // first block of this launch
  time_blocks: u32,       // blocks of the whole rollout
  slices: u32,            // of a network: row blocks × time blocks
  steps: u32,             // steps of this launch
  left_quads: u32,
  left_one: u32,          // 1: a row of ones follows the left matrix
  right_quads: u32,       // 0: there is no right matrix
  tail_width: u32,        // columns of the tail, without the ones
  tail_stride: u32,       // floats from one time slot of the tail to the next
  tail_one: u32,          // 1: a column of ones follows the tail
  column_quad0: u32,      // first quad of columns of this launch
  column_quads: u32,
  weight_stride: u32,
  at_main: u32,           // (left i, right j) → at_main + i main_i + j main_j
  main_i: u32,
  main_j: u32,
  at_tail: u32,           // (left i, tail j) → at_tail + i tail_width + j
  scale: f32,             // of the sums: undoes the scale of ga (lib/activity.wgsl)
  at_one: u32,            // (left i, 1) → at_one + i; (1, right j) → at_one + j
}

// Columns of a launch: 0 all of them; 1 the right matrix, 2 the tail, with the ones summed aside.
const COLUMNS: u32 = 0u; //! tune

@group(0) @binding(0) var<uniform> grad: GradMap;
@group(0) @binding(3) var<storage, read> tail: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;

// The slice of a workgroup: z counts (network of the chunk, row block, time block of the launch), time fastest.
struct Slice {
  row0: u32,     // in the chunk
  rows: u32,
  step0: u32,    // in the launch
  steps: u32,
  slot: u32,     // first element of its slot in `partials`
}

fn slice_of(z: u32) -> Slice {
  let launch_blocks = (grad.steps + grad.time_block - 1u) / grad.time_block;
  let chunk_blocks = (grad.rows_per_network + grad.row_block - 1u) / grad.row_block;
  let time = z % launch_blocks;
  let part = (z / launch_blocks) % chunk_blocks;
  var s: Slice;
  let network = z / (launch_blocks * chunk_blocks);
  let first = part * grad.row_block;
  s.row0 = network * grad.rows_per_network + first;
  s.rows = min(grad.row_block, grad.rows_per_network - first);
  s.step0 = time * grad.time_block;
  s.steps = min(grad.time_block, grad.steps - s.step0);
  let index = (grad.row_block0 + part) * grad.time_blocks + grad.time_block0 + time;
  s.slot = (network * grad.slices + index) * grad.weight_stride;
  return s;
}

fn left_quad(step: u32, row: u32, quad: u32) -> vec4f {
  if (quad < grad.left_quads) {
    return left_at((step * grad.rows + row) * grad.left_quads + quad);
  }
  return vec4f(select(0.0, 1.0, grad.left_one == 1u && quad == grad.left_quads), 0.0, 0.0, 0.0);
}

fn tail_value(step: u32, row: u32, column: u32) -> f32 {
  if (column < grad.tail_width) {
    return tail[step * grad.tail_stride + row * grad.tail_width + column];
  }
  return select(0.0, 1.0, grad.tail_one == 1u && column == grad.tail_width);
}

fn right_quad(step: u32, row: u32, quad: u32) -> vec4f {
  if (COLUMNS == 1u || (COLUMNS == 0u && quad < grad.right_quads)) {
    return right_at((step * grad.rows + row) * grad.right_quads + quad);
  }
  let c = 4u * (quad - grad.right_quads);
  return vec4f(
    tail_value(step, row, c), tail_value(step, row, c + 1u),
    tail_value(step, row, c + 2u), tail_value(step, row, c + 3u),
  );
}

// Puts the sum for left row i and columns 4 quad … 4 quad + 3 into its slot.
fn save(slot: u32, i: u32, quad: u32, total: vec4f) {
  let sum = grad.scale * total;
  let in_left = i < 4u * grad.left_quads;
  if (COLUMNS == 1u || (COLUMNS == 0u && quad < grad.right_quads)) {
    for (var x = 0u; x < 4u; x++) {
      let j = 4u * quad + x;
      if (in_left) {
        partials[slot + grad.at_main + i * grad.main_i + j * grad.main_j] = sum[x];
      } else if (grad.left_one == 1u && i == 4u * grad.left_quads) {
        partials[slot + grad.at_one + j] = sum[x];
      }
    }
    return;
  }
  for (var x = 0u; x < 4u; x++) {
    let j = 4u * (quad - grad.right_quads) + x;
    if (in_left && j < grad.tail_width) {
      partials[slot + grad.at_tail + i * grad.tail_width + j] = sum[x];
    } else if (in_left && grad.tail_one == 1u && j == grad.tail_width) {
      partials[slot + grad.at_one + i] = sum[x];
    }
  }
}
