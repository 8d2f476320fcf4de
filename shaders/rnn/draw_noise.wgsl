// Computes  ξ_t, the noise that the forward pass of the same rows and steps draws, for those who want to see it
// Axes      T steps, R rows, N units
// Bindings  rows: [R]; noise: [steps][R][N], standard normal: the cell multiplies it by ς
// Geometry  one invocation = one (step, row) × 4 units; workgroup x over quads of units, y over rows, z over steps
// Numerics  lib/step_noise.wgsl, bit for bit what the forward kernels use
// Twin      test/story/dump.test.ts: states replayed from it
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/step_noise.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read_write> noise: array<vec4f>;

@compute @workgroup_size(8, 8)
fn draw_noise(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= window.unit_quads || id.y >= window.rows || id.z >= window.steps) {
    return;
  }
  let p = rows[id.y];
  let xi = step_noise(id.z, id.y, id.x, p.network_seed, p.trajectory, p.epoch);
  noise[(id.z * window.rows + id.y) * window.unit_quads + id.x] = xi;
}
