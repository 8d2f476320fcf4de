// Computes   s_t = polyline(q_t) + n_t with q_t = q_0 + v t, round and round a closed route or up to the end of an open
//            one; jitter n_t = keep n_{t−1} + kick ξ_t, n_0 = std ξ_0; speed v = step · clip(1 + speed_std ξ, ½, 3⁄2).
// Axes       R rows, T steps.
// Bindings   polyline: the task · the others are those of lib/paths.wgsl.
// Geometry   one workgroup = 32 rows, one invocation = one row over the steps of a window; the jitter is carried.
// Numerics   q_t comes from t by one product, so its error grows like the distance run times 2⁻²⁴, not like T roundings:
//            positions within 1e-5 m up to some 50 m.
// Twin       src/reference/polyline-paths.ts; test/kernel/paths.test.ts. Draws: src/task/paths.ts; model.md section 7.
//! import "lib/paths.wgsl"

const WORKGROUP: u32 = 32u;
const CORNERS_PER_ROUTE: u32 = 8u;

struct PolylineTask {
  routes: u32,
  corners: u32,  // of every route
  closed: u32,
  starts: u32,   // equally spaced on a closed route
  step_length: f32,
  speed_std: f32,
  jitter_std: f32,
  jitter_keep: f32,  // 1 − 1/τ_j
  jitter_kick: f32,  // std √(1 − keep²)
  // Eight a route: x, y, arc length up to here, length of the segment that starts here (0 at the end of an open route).
  corner: array<vec4f, 32>,
}

@group(0) @binding(6) var<uniform> polyline: PolylineTask;

fn route_length(first: u32) -> f32 {
  let last = polyline.corner[first + polyline.corners - 1u];
  return last.z + last.w;
}

// The point at arc length q, 0 ≤ q ≤ the route's length.
fn along_route(first: u32, q: f32) -> vec2f {
  let segments = select(polyline.corners - 1u, polyline.corners, polyline.closed != 0u);
  var at = 0u;
  for (var i = 1u; i < segments; i++) {
    if q >= polyline.corner[first + i].z {
      at = i;
    }
  }
  let start = polyline.corner[first + at];
  let end = polyline.corner[first + (at + 1u) % polyline.corners];
  let share = select(0.0, (q - start.z) / start.w, start.w > 0.0);
  return fma(vec2f(share), end.xy - start.xy, start.xy);
}

fn place_at(first: u32, length: f32, start: f32, speed: f32, t: u32) -> vec2f {
  let run = fma(speed, f32(t), start);
  let wrapped = max(run - length * floor(run / length), 0.0);
  return along_route(first, select(min(run, length), wrapped, polyline.closed != 0u));
}

@compute @workgroup_size(WORKGROUP)
fn polyline_paths(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if index >= path_pass.rows {
    return;
  }
  let row = rows[index];
  let offset = mask_offset(row);
  let words = path_words(row, 0u, 1u);
  let first = (words.w % polyline.routes) * CORNERS_PER_ROUTE;
  let length = route_length(first);
  let start = f32(words.z % polyline.starts) * length / f32(polyline.starts);
  let speed = polyline.step_length * clamp(fma(polyline.speed_std, normals4(words).x, 1.0), 0.5, 1.5);

  var jitter = carry[index].xy;
  if first_step() == 0u {
    jitter = polyline.jitter_std * path_normals(row, 0u);
    write_start(index, row, place_at(first, length, start, speed, 0u) + jitter);
  }
  var position = place_at(first, length, start, speed, first_step()) + jitter;
  for (var t = first_step(); t < end_step(); t++) {
    let normals = path_normals(row, t + 1u);
    jitter = fma(vec2f(polyline.jitter_kick), normals, polyline.jitter_keep * jitter);
    let after = place_at(first, length, start, speed, t + 1u) + jitter;
    write_step(index, row, t, offset, position, after);
    position = after;
  }
  carry[index] = vec4f(jitter, 0.0, 0.0);
}
