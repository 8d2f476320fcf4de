// Computes  out = x after n steps of x ← a x + b, in eight independent chains of four lanes: the adapter's multiply-adds
// Axes      one invocation = 32 chains
// Bindings  sums: [invocations], the sum of the chains
// Geometry  workgroups of 64
// Numerics  with a = b = ½ and x = 1 every chain stays exactly 1, so that the result shows whether the work was done
// Twin      test/kernel/profile.test.ts

struct Peak {
  steps: u32,
  start: f32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<uniform> peak: Peak;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;

@compute @workgroup_size(64)
fn fma_peak(@builtin(global_invocation_id) id: vec3u) {
  let a = vec4f(peak.a);
  let b = vec4f(peak.b);
  var c0 = vec4f(peak.start);
  var c1 = c0;
  var c2 = c0;
  var c3 = c0;
  var c4 = c0;
  var c5 = c0;
  var c6 = c0;
  var c7 = c0;
  for (var i = 0u; i < peak.steps; i++) {
    c0 = fma(c0, a, b);
    c1 = fma(c1, a, b);
    c2 = fma(c2, a, b);
    c3 = fma(c3, a, b);
    c4 = fma(c4, a, b);
    c5 = fma(c5, a, b);
    c6 = fma(c6, a, b);
    c7 = fma(c7, a, b);
  }
  sums[id.x] = ((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7));
}
