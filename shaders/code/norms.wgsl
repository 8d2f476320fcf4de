// Computes  of every position the softmax's largest exponent and 1 / Σ: what each cell's rate is divided by
// Axes      R rows; slots of time
// Bindings  code: the population; positions, norms: [slots][R] vec2
// Geometry  one invocation = one (slot, row)
// Numerics  lib/place_code.wgsl
// Twin      src/reference/place-code.ts, test/kernel/place-code.test.ts
//! import "lib/place_code.wgsl"

struct NormsPass {
  count: u32,  // slots × R
}

@group(0) @binding(0) var<uniform> norms_pass: NormsPass;
@group(0) @binding(1) var<storage, read> positions: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> norms: array<vec2f>;

@compute @workgroup_size(64)
fn code_norms(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index < norms_pass.count) {
    norms[index] = code_norm(positions[index]);
  }
}
