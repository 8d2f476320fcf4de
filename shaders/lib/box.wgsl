// The rectangle from (0, 0) to (width, height), and what paths in it share whatever moves the animal.
//! import "lib/paths.wgsl"

struct BoxTask {
  size: vec2f,      // metres
  anchor: vec2f,
  drift: f32,       // share of the way to the anchor, a substep
  margin: f32,      // kept from a wall that was met, metres
  substeps: u32,
  dt: f32,          // of a substep, seconds
  turns_per_s: f32, // (1 rad/s) · dt in turns
  speed: f32,       // Rayleigh scale, m/s
  turn_std: f32,    // rad/s
  wall_distance: f32,
}

@group(0) @binding(6) var<uniform> box: BoxTask;

fn inside_box(p: vec2f) -> vec2f {
  return clamp(p, vec2f(box.margin), box.size - box.margin);
}

// Uniform over the box, from the first two words.
fn random_place(words: vec4u) -> vec2f {
  let u = uniform01_f4(words).xy;
  return fma(u, box.size - 2.0 * box.margin, vec2f(box.margin));
}

fn towards_anchor(p: vec2f) -> vec2f {
  return box.drift * (box.anchor - p);
}
