// Computes   y[i] = f(x[i]), f the hazard of a standard normal (0) or its inverse (1).
// Bindings   x, y: [n] · launch.
// Geometry   one invocation = one value.
//! import "lib/normal_law.wgsl"

struct Launch {
  count: u32,
  inverse: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> launch: Launch;

@compute @workgroup_size(64)
fn evaluate(@builtin(global_invocation_id) id: vec3u) {
  if id.x < launch.count {
    y[id.x] = select(normal_hazard(x[id.x]), normal_of_hazard(x[id.x]), launch.inverse != 0u);
  }
}
