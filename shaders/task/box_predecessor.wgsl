// Computes   motion in a box as the predecessor has it (model.md section 7): every substep its own Rayleigh speed and
//            normal turn; who faces the nearest wall from nearer than d is slowed and turned until it walks along it;
//            at last, + drift (anchor − p). Positions are clipped to the box, which the predecessor's were not.
// Axes       R rows, T steps, each of several substeps.
// Bindings   box, walker: the task · carry: heading in turns · the others are those of lib/paths.wgsl.
// Geometry   one workgroup = 32 rows, one invocation = one row over the steps of a window.
// Numerics   as box_ratinabox.wgsl: a position or heading within rounding of a border may fall on its other side.
// Twin       src/reference/box-path.ts; test/kernel/box-paths.test.ts. Draws: src/task/box.ts.
//! import "lib/box.wgsl"

const WORKGROUP: u32 = 32u;

struct WalkerTask {
  wall_slowing: f32,
}

@group(0) @binding(7) var<uniform> walker: WalkerTask;

struct Walker {
  position: vec2f,
  heading: f32,  // turns
}

// Outward direction of the nearest wall in turns, and how far it is: right, upper, left, lower wall in this order.
fn nearest_wall(p: vec2f) -> vec2f {
  let far = box.size - p;
  var found = vec2f(0.0, far.x);
  if far.y < found.y {
    found = vec2f(0.25, far.y);
  }
  if p.x < found.y {
    found = vec2f(0.5, p.x);
  }
  if p.y < found.y {
    found = vec2f(0.75, p.y);
  }
  return found;
}

fn substep(before: Walker, words: vec4u) -> Walker {
  var speed = box.speed * sqrt(-2.0 * log_f(uniform01(words.x)));
  var turn = box.turn_std * box.turns_per_s * normals4(words).z;
  let wall = nearest_wall(before.position);
  let angle = before.heading - wall.x;
  let facing = angle - round(angle);
  if wall.y < box.wall_distance && abs(facing) < 0.25 {
    speed *= walker.wall_slowing;
    // sign(0) is 0: head on, only the random turn is left.
    turn += sign(facing) * (0.25 - abs(facing));
  }
  let moved = fma(on_circle_f(before.heading), vec2f(speed * box.dt), before.position);
  let after = before.heading + turn;
  return Walker(inside_box(moved + towards_anchor(before.position)), after - round(after));
}

@compute @workgroup_size(WORKGROUP)
fn box_predecessor(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if index >= path_pass.rows {
    return;
  }
  let row = rows[index];
  let offset = mask_offset(row);
  var now = Walker(last_position(index), carry[index].x);
  if first_step() == 0u {
    let words = path_words(row, 0u, 0u);
    now = Walker(random_place(words), uniform01(words.z) - 0.5);
    write_start(index, row, now.position);
  }
  for (var step = first_step(); step < end_step(); step++) {
    let before = now.position;
    for (var j = 0u; j < box.substeps; j++) {
      now = substep(now, path_words(row, step + 1u, j));
    }
    write_step(index, row, step, offset, before, now.position);
  }
  carry[index] = vec4f(now.heading, 0.0, 0.0, 0.0);
}
