// Computes   what every path kernel does with its positions: m_t (s_{t+1} − s_t) / u_scale with m_t = 1 where
//            (t + k − o) mod k = 0, and e_0 = s_0. Offset o: word 0 of (step 0, quad 0) of the mask stream, modulo k.
// Axes       R rows, T steps; a position has two coordinates.
// Bindings   path_pass: sizes and seeds · rows: [R] · positions: [T+1][R] vec2 · input: [T] slots of input_stride floats,
//            [R][I] in each · e0: [R] vec2 · carry: [R] vec4, what a kernel keeps from window to window beside the last
//            position · clock.
// Geometry   no entry point; importers run one invocation per row. A launch does the steps [t0, t0 + steps) of lead + T:
//            the first `lead` lead up to s_0. Positions and input are bound from their slot first_slot() on.
// Numerics   masks exact. Padded rows are exactly 0 everywhere. Windows change no bit.
// Twin       src/reference/masked-inputs.ts; test/kernel/paths.test.ts.
//! import "lib/clock.wgsl"
//! import "lib/rng.wgsl"
//! import "lib/masks.wgsl"
//! import "lib/rows.wgsl"

struct PathPass {
  rows: u32,
  t0: u32,            // steps before this launch, those of the lead included
  steps: u32,
  lead: u32,          // steps before s_0
  root_seed: u32,
  stream: u32,        // train paths, test paths or replay starts
  input_stride: u32,  // floats from one time slot of the input to the next; even
  input_on: u32,      // 0: another kernel makes the input
  input_scale: f32,   // u_scale
}

@group(0) @binding(0) var<uniform> path_pass: PathPass;
@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read_write> positions: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> input: array<f32>;
@group(0) @binding(4) var<storage, read_write> e0: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> carry: array<vec4f>;

// Of paths and masks: the iteration in training, the condition in replay, and the other one is 0.
fn path_epoch(row: RowParams) -> u32 {
  return clock.iteration + row.epoch;
}

fn path_words(row: RowParams, step: u32, quad: u32) -> vec4u {
  let counter = vec4u(step, quad, row.trajectory, counter_word(path_pass.stream, path_epoch(row)));
  return philox4x32(counter, vec2u(path_pass.root_seed, row.network_seed));
}

// Two standard normals, for x and y at time t.
fn path_normals(row: RowParams, t: u32) -> vec2f {
  return normals4(path_words(row, t, 0u)).xy;
}

fn mask_offset(row: RowParams) -> u32 {
  return offset_of(row, path_pass.root_seed, path_epoch(row));
}

// The step that a launch begins with, and the one that it ends before.
fn first_step() -> u32 {
  return path_pass.t0;
}

fn end_step() -> u32 {
  return path_pass.t0 + path_pass.steps;
}

// Time slot that bindings begin with.
fn first_slot() -> u32 {
  return max(path_pass.t0, path_pass.lead) - path_pass.lead;
}

// Where the launch before this one ended.
fn last_position(index: u32) -> vec2f {
  return positions[index];
}

fn write_start(index: u32, row: RowParams, position: vec2f) {
  let value = select(vec2f(0.0), position, row.valid != 0u);
  positions[index] = value;
  e0[index] = value;
}

fn write_position(index: u32, row: RowParams, t: u32, position: vec2f) {
  positions[(t - first_slot()) * path_pass.rows + index] = select(vec2f(0.0), position, row.valid != 0u);
}

// s_{t+1} = after, and the input of step t that leads there from `before`; in the lead, s_0 alone.
fn write_step(index: u32, row: RowParams, step: u32, offset: u32, before: vec2f, after: vec2f) {
  if step < path_pass.lead {
    write_start(index, row, after);
    return;
  }
  let t = step - path_pass.lead;
  write_position(index, row, t + 1u, after);
  if path_pass.input_on != 0u {
    let value = select(vec2f(0.0), (after - before) / path_pass.input_scale, is_visible(row, t, offset));
    let at = (t - first_slot()) * path_pass.input_stride + 2u * index;
    input[at] = value.x;
    input[at + 1u] = value.y;
  }
}
