// ξ_t of four units of a row: drawn (Philox), given from outside, or none. Noise is never stored by the product;
// whoever needs it again draws it again.
//! import "lib/rng.wgsl"
//! import "lib/clock.wgsl"
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"

// 0: none; 1: drawn; 2: read from noise_given (already in units of the velocity: ς is then 1)
const NOISE: u32 = 1u; //! tune

@group(0) @binding(8) var<storage, read> noise_given: array<vec4f>;

fn step_noise(slot: u32, row: u32, quad: u32, network_seed: u32, trajectory: u32, row_epoch: u32) -> vec4f {
  if (NOISE == 0u) {
    return vec4f(0.0);
  }
  if (NOISE == 2u) {
    return noise_given[(slot * window.rows + row) * window.unit_quads + quad];
  }
  let epoch = select(row_epoch, clock.iteration, window.clocked == 1u);
  let words = philox4x32(
    vec4u(window.t0 + slot, quad, trajectory, counter_word(window.stream, epoch)),
    vec2u(window.root_seed, network_seed),
  );
  // Units beyond N are padding and stay exactly 0.
  let unit = 4u * quad + vec4u(0u, 1u, 2u, 3u);
  return select(vec4f(0.0), normals4(words), unit < vec4u(window.units));
}
