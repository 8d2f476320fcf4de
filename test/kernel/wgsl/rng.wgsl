// Computes   words, uniforms and normals of given counters and keys; or of given words.
// Bindings   counters, words: [n] vec4u · keys: [n] vec2u · uniforms, normals: [n] vec4f · launch.
// Geometry   one invocation = one draw of four.
//! import "lib/rng.wgsl"

const COUNTERS_ARE_WORDS: u32 = 0u; //! tune

struct Launch {
  count: u32,  // vectors: under test, a binding reaches into the guard words, so arrayLength says too much
}

@group(0) @binding(0) var<storage, read> counters: array<vec4u>;
@group(0) @binding(1) var<storage, read> keys: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> words: array<vec4u>;
@group(0) @binding(3) var<storage, read_write> uniforms: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> normals: array<vec4f>;
@group(0) @binding(5) var<uniform> launch: Launch;

@compute @workgroup_size(64)
fn rng(@builtin(global_invocation_id) id: vec3u) {
  if id.x >= launch.count {
    return;
  }
  var drawn = counters[id.x];
  if COUNTERS_ARE_WORDS == 0u {
    drawn = philox4x32(drawn, keys[id.x]);
  }
  words[id.x] = drawn;
  uniforms[id.x] = vec4f(uniform01(drawn.x), uniform01(drawn.y), uniform01(drawn.z), uniform01(drawn.w));
  normals[id.x] = normals4(drawn);
}
