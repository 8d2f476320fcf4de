// Computes  nothing: what a dispatch costs by itself
// Axes      none
// Bindings  flag: one word, written by the first invocation, so that the launch cannot be left out
// Geometry  one workgroup of 64
// Numerics  exact
// Twin      test/kernel/profile.test.ts

@group(0) @binding(0) var<storage, read_write> flag: array<u32>;

@compute @workgroup_size(64)
fn empty(@builtin(global_invocation_id) id: vec3u) {
  if (id.x == 0u) {
    flag[0] = 1u;
  }
}
