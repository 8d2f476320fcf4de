// φ′ of four units at a step, from what the forward pass kept.
//! import "lib/phi_store.wgsl"
//! import "lib/activation.wgsl"
//! import "lib/window.wgsl"

@group(0) @binding(5) var<storage, read> phi_kept: array<u32>;

fn phi_prime(s: u32, row: u32, quad: u32) -> vec4f {
  if (PHI_STORE == PHI_BITS) {
    let word = phi_kept[s * window.phi_stride + row * phi_words() + quad / 8u];
    return phi_prime_from_bits((word >> (4u * (quad % 8u))) & 15u, window.slope);
  }
  if (PHI_STORE == PHI_VALUE) {
    let at = s * window.phi_stride + 4u * (row * window.unit_quads + quad);
    return phi_prime_from_value(bitcast<vec4f>(vec4u(phi_kept[at], phi_kept[at + 1u], phi_kept[at + 2u], phi_kept[at + 3u])));
  }
  return vec4f(1.0);
}
