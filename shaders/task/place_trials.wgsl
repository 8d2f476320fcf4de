// Computes  a window of given tensors, from trials as their file has them to the rows of every network; inputs masked
// Axes      T steps, R rows
// Bindings  rows: [R]; trials: [trials][stride], a trial's steps one after another; placed: [steps][R][padded]
// Geometry  one invocation = one (step, row, number); workgroup x over a row's numbers, y over rows, z over steps
// Numerics  exact: numbers are copied. A masked input is 0, and so are padded rows and numbers
// Twin      test/train/tensors.test.ts: the same batch, laid out by the host
//! import "lib/clock.wgsl"
//! import "lib/masks.wgsl"

// 1: an input, which rows see at every k-th step; 0: a target, its weights, e_0.
const MASKED: u32 = 1u; //! tune

struct PlacePass {
  rows: u32,
  first: u32,        // trajectory whose trial is the first of `trials`
  t0: u32,           // time of the first step
  width: u32,        // numbers of a step in a trial
  padded: u32,       // of a row in `placed`
  trial_stride: u32, // from one trial to the next
  slot_stride: u32,  // from one step of `placed` to the next
  root_seed: u32,
}

@group(0) @binding(0) var<uniform> place_pass: PlacePass;
@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> trials: array<f32>;
@group(0) @binding(3) var<storage, read_write> placed: array<f32>;

@compute @workgroup_size(8, 8)
fn place_trials(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= place_pass.padded || id.y >= place_pass.rows) {
    return;
  }
  let row = rows[id.y];
  let t = place_pass.t0 + id.z;
  var counts = row.valid == 1u && id.x < place_pass.width;
  if (MASKED == 1u) {
    counts = counts && is_visible(row, t, offset_of(row, place_pass.root_seed, clock.iteration + row.epoch));
  }
  let trial = select(0u, row.trajectory - place_pass.first, counts);
  let at = trial * place_pass.trial_stride + t * place_pass.width + min(id.x, place_pass.width - 1u);
  placed[id.z * place_pass.slot_stride + id.y * place_pass.padded + id.x] = select(0.0, trials[at], counts);
}
