// Computes  to = from: the adapter's memory bandwidth, two bytes moved per byte copied
// Axes      quads of floats
// Bindings  source, copied: [quads]
// Geometry  workgroups of 64; an invocation copies one quad
// Numerics  exact
// Twin      test/kernel/profile.test.ts

struct Amount {
  quads: u32,
}

@group(0) @binding(0) var<uniform> amount: Amount;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(64)
fn copy_quads(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < amount.quads) {
    copied[i] = source[i];
  }
}
