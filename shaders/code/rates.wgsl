// Computes  rates of the cells at given positions: the encoder's input e_0, and the codes that a replay is compared with
// Axes      R points; cells in quads
// Bindings  code: the population; positions, norms (softmax): [R] vec2; rates: [R][width]
// Geometry  one invocation = one (point, quad of cells); workgroups: x over quads, y and z over points
// Numerics  lib/place_code.wgsl
// Twin      src/reference/place-code.ts, test/kernel/place-code.test.ts
//! import "lib/place_code.wgsl"

struct RatesPass {
  count: u32,  // R
  width: u32,  // floats of a row
}

@group(0) @binding(0) var<uniform> rates_pass: RatesPass;
@group(0) @binding(1) var<storage, read> positions: array<vec2f>;
@group(0) @binding(2) var<storage, read> norms: array<vec2f>;
@group(0) @binding(3) var<storage, read_write> rates: array<f32>;

@compute @workgroup_size(8, 8)
fn rates_of(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quad = id.x;
  let point = id.y + id.z * groups.y * 8u;
  if (4u * quad >= rates_pass.width || point >= rates_pass.count) {
    return;
  }
  var norm = vec2f(0.0);
  if (TUNING == TUNING_SOFTMAX) {
    norm = norms[point];
  }
  let four = code_rates(positions[point], quad, norm);
  for (var x = 0u; x < 4u; x++) {
    if (4u * quad + x < rates_pass.width) {
      rates[point * rates_pass.width + 4u * quad + x] = four[x];
    }
  }
}
