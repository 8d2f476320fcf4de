// Computes   the Ornstein–Uhlenbeck path of the score theory: s_0 = start + start_std ξ_0, s_t = keep s_{t−1} + q ξ_t.
// Axes       R rows, T steps.
// Bindings   ou: the task · the others are those of lib/paths.wgsl.
// Geometry   one workgroup = 32 rows, one invocation = one row over the steps of a window; the position is carried.
// Numerics   one fma per coordinate and step; errors decay with keep: positions within 1e-5 of float64.
// Twin       src/reference/ou-path.ts; test/kernel/paths.test.ts. Draws: src/task/paths.ts; model.md sections 6 and 7.
//! import "lib/paths.wgsl"

const WORKGROUP: u32 = 32u;

struct OuTask {
  start: vec2f,    // mean of s_0
  start_std: f32,
  keep: f32,       // 1 − θ
  path_std: f32,   // q, a standard deviation
}

@group(0) @binding(6) var<uniform> ou: OuTask;

@compute @workgroup_size(WORKGROUP)
fn ou_path(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if index >= path_pass.rows {
    return;
  }
  let row = rows[index];
  let offset = mask_offset(row);
  var position = carry[index].xy;
  if first_step() == 0u {
    position = fma(vec2f(ou.start_std), path_normals(row, 0u), ou.start);
    write_start(index, row, position);
  }
  for (var t = first_step(); t < end_step(); t++) {
    let after = fma(vec2f(ou.path_std), path_normals(row, t + 1u), ou.keep * position);
    write_step(index, row, t, offset, position, after);
    position = after;
  }
  carry[index] = vec4f(position, 0.0, 0.0);
}
