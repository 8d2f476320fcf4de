// Computes   motion in a box as RatInABox has it (model.md section 7). A substep: rotational velocity ω, an
//            Ornstein–Uhlenbeck process, turns the velocity; the speed is Rayleigh through a normal z (copula), itself an
//            Ornstein–Uhlenbeck process; nearer than d to a wall, by h, the velocity gains push·h and the position
//            belt (1 − √(1 − h²/d²)), inwards; who would leave is reflected at half the scale of the speed.
// Axes       R rows, T steps, each of several substeps.
// Bindings   box, rat: the task · carry: velocity, ω · the others are those of lib/paths.wgsl.
// Geometry   one workgroup = 32 rows, one invocation = one row over the steps of a window.
// Numerics   smooth but at walls, where a position within rounding of one may be reflected or not: elsewhere within 2e-5 m
//            of float64 over 60 steps. Exact: never outside the box.
// Twin       src/reference/box-path.ts; test/kernel/box-paths.test.ts. Draws: src/task/box.ts.
//! import "lib/box.wgsl"
//! import "lib/normal_law.wgsl"

const WORKGROUP: u32 = 32u;

struct RatTask {
  turn_keep: f32,   // 1 − dt/τ_ω
  turn_kick: f32,   // ς_ω √(2 dt/τ_ω)
  speed_keep: f32,  // 1 − dt/τ_v
  speed_kick: f32,  // √(2 dt/τ_v)
  push: f32,        // 3 (1 − θ)² dt (V/d)²
  belt: f32,        // 6 θ² dt V
}

@group(0) @binding(7) var<uniform> rat: RatTask;

struct Rat {
  position: vec2f,
  velocity: vec2f,
  omega: f32,  // rad/s
}

fn first_rat(row: RowParams) -> Rat {
  let words = path_words(row, 0u, 0u);
  let u = uniform01_f4(words);
  let speed = box.speed * sqrt(-2.0 * log_f(u.w));
  let omega = box.turn_std * normals4(path_words(row, 0u, 1u)).x;
  return Rat(random_place(words), speed * on_circle_f(u.z), omega);
}

fn rotated(v: vec2f, turns: f32) -> vec2f {
  let c = on_circle_f(turns);
  return vec2f(fma(c.x, v.x, -c.y * v.y), fma(c.y, v.x, c.x * v.y));
}

fn with_speed_changed(v: vec2f, normal: f32) -> vec2f {
  let square = fma(v.x, v.x, v.y * v.y);
  let scale = 2.0 * box.speed * box.speed;
  let z = fma(rat.speed_keep, normal_of_hazard(square / scale), rat.speed_kick * normal);
  let wanted = sqrt(scale * normal_hazard(z));
  // Who stands still has no direction to keep.
  let speed = sqrt(square);
  return select(v * (wanted / speed), vec2f(wanted, 0.0), speed < 1.0e-8);
}

// 1 − √(1 − q²), 0 ≤ q ≤ 1.
fn belt_speed(q: vec2f) -> vec2f {
  return 1.0 - sqrt(max(1.0 - q * q, vec2f(0.0)));
}

fn substep(before: Rat, normals: vec2f) -> Rat {
  let omega = fma(rat.turn_keep, before.omega, rat.turn_kick * normals.x);
  var velocity = with_speed_changed(rotated(before.velocity, omega * box.turns_per_s), normals.y);
  // How deep in the range of the lower left walls, and of the upper right ones.
  let low = max(box.wall_distance - before.position, vec2f(0.0));
  let high = max(box.wall_distance - (box.size - before.position), vec2f(0.0));
  velocity = fma(vec2f(rat.push), low - high, velocity);
  let shift = rat.belt * (belt_speed(low / box.wall_distance) - belt_speed(high / box.wall_distance));
  var position = before.position + shift + towards_anchor(before.position);
  position = fma(velocity, vec2f(box.dt), position);
  let out = (position < vec2f(0.0)) | (position > box.size);
  if any(out) {
    velocity = select(velocity, -velocity, out);
    velocity *= 0.5 * box.speed / max(sqrt(fma(velocity.x, velocity.x, velocity.y * velocity.y)), 1.0e-8);
    position = inside_box(fma(velocity, vec2f(box.dt), before.position));
  }
  return Rat(position, velocity, omega);
}

@compute @workgroup_size(WORKGROUP)
fn box_ratinabox(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if index >= path_pass.rows {
    return;
  }
  let row = rows[index];
  let offset = mask_offset(row);
  let kept = carry[index];
  var now = Rat(last_position(index), kept.xy, kept.z);
  if first_step() == 0u {
    now = first_rat(row);
    write_start(index, row, now.position);
  }
  for (var step = first_step(); step < end_step(); step++) {
    let before = now.position;
    var normals = vec4f(0.0);
    for (var j = 0u; j < box.substeps; j++) {
      if j % 2u == 0u {
        normals = normals4(path_words(row, step + 1u, j >> 1u));
      }
      now = substep(now, normals.xy);
      normals = normals.zwxy;
    }
    write_step(index, row, step, offset, before, now.position);
  }
  carry[index] = vec4f(now.velocity, now.omega, 0.0);
}
