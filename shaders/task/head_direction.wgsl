// Computes   head direction (model.md section 7): θ_{t+1} = θ_t + turn ξ_t, |turn ξ_t| where it goes one way; s_t =
//            (cos θ_t, sin θ_t); input m_t (θ_{t+1} − θ_t) / u_scale, one number a step.
// Axes       R rows, T steps, I = 1.
// Bindings   ring: the task · carry: θ in turns · the others are those of lib/paths.wgsl; an input slot is [R].
// Geometry   one workgroup = 32 rows, one invocation = one row over the steps of a window.
// Numerics   θ is kept in (−½, ½] turns: an error of 2⁻²⁵ turns a step adds up like its root.
// Twin       src/reference/head-direction-path.ts; test/kernel/box-paths.test.ts. Draws: src/task/head-direction.ts.
//! import "lib/paths.wgsl"

const WORKGROUP: u32 = 32u;

struct RingTask {
  turn: f32,        // standard deviation a step, turns
  turn_input: f32,  // the same in units of the input
  one_way: u32,
}

@group(0) @binding(6) var<uniform> ring: RingTask;

@compute @workgroup_size(WORKGROUP)
fn head_direction(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if index >= path_pass.rows {
    return;
  }
  let row = rows[index];
  let offset = mask_offset(row);
  var theta = carry[index].x;
  if first_step() == 0u {
    theta = uniform01(path_words(row, 0u, 0u).x) - 0.5;
    write_start(index, row, on_circle_f(theta));
  }
  for (var t = first_step(); t < end_step(); t++) {
    let drawn = path_normals(row, t + 1u).x;
    let normal = select(drawn, abs(drawn), ring.one_way != 0u);
    let turned = fma(ring.turn, normal, theta);
    theta = turned - round(turned);
    write_position(index, row, t + 1u, on_circle_f(theta));
    if path_pass.input_on != 0u {
      let at = (t - first_slot()) * path_pass.input_stride + index;
      input[at] = select(0.0, ring.turn_input * normal, is_visible(row, t, offset));
    }
  }
  carry[index] = vec4f(theta, 0.0, 0.0, 0.0);
}
