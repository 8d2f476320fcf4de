// Computes  out[k][j] = states[s][row of j]: some rows' states at some steps, of the first rollouts of every condition
//           (what a sweep keeps) or of rows a fixed way apart (what is audited)
// Axes      R rows of the launch, J sampled rows = network, condition, repeat; N units in quads
// Bindings  states: [window+1][R][N], slot 0 before the window; sampled_r: [saved][J][N]
// Geometry  one invocation = one quad of one sampled row; workgroup y = kept step of the window
// Numerics  a copy
// Twin      test/sweep/states.test.ts

struct SamplePass {
  rows: u32,              // R, padding included
  rows_per_network: u32,
  conditions: u32,
  repeats: u32,
  sampled: u32,           // of the repeats
  sampled_rows: u32,      // J
  unit_quads: u32,
  first: u32,             // slot of `states` that the first kept step of the window is in
  every: u32,
  kept0: u32,             // steps kept before this window
  row0: u32,              // row of j = 0
}

@group(0) @binding(0) var<uniform> sample_pass: SamplePass;
@group(0) @binding(1) var<storage, read> states: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sampled_r: array<vec4f>;

@compute @workgroup_size(64)
fn sample_states(@builtin(global_invocation_id) id: vec3u) {
  let n4 = sample_pass.unit_quads;
  let j = id.x / n4;
  if (j >= sample_pass.sampled_rows) {
    return;
  }
  let repeat = j % sample_pass.sampled;
  let cloud = j / sample_pass.sampled;
  let network = cloud / sample_pass.conditions;
  let condition = cloud % sample_pass.conditions;
  let row = sample_pass.row0 + network * sample_pass.rows_per_network + condition * sample_pass.repeats + repeat;
  let slot = sample_pass.first + id.y * sample_pass.every;
  let to = (sample_pass.kept0 + id.y) * sample_pass.sampled_rows + j;
  sampled_r[to * n4 + id.x % n4] = states[(slot * sample_pass.rows + row) * n4 + id.x % n4];
}
