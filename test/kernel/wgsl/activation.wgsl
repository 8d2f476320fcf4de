// Computes   φ(a), the mask bits, φ′ from the bits and φ′ from the value.
// Bindings   a, phi_of_a, from_bits, from_value: [n] vec4f · bits: [n].
// Geometry   one invocation = four units.
//! import "lib/activation.wgsl"

struct ActivationPass {
  slope: f32,
  count: u32,  // n: under test, a binding reaches into the guard words, so arrayLength says too much
}

@group(0) @binding(0) var<uniform> activation_pass: ActivationPass;
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> phi_of_a: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> bits: array<u32>;
@group(0) @binding(4) var<storage, read_write> from_bits: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> from_value: array<vec4f>;

@compute @workgroup_size(64)
fn activation(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if i >= activation_pass.count {
    return;
  }
  let value = phi(a[i], activation_pass.slope);
  phi_of_a[i] = value;
  bits[i] = phi_prime_bits(a[i]);
  from_bits[i] = phi_prime_from_bits(bits[i], activation_pass.slope);
  from_value[i] = phi_prime_from_value(value);
}
