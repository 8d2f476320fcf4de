// Computes  answer[i] = (i + 1) · 0x9e3779b1 mod 2³², i = 0..63
// Bindings  answer: [64]
// Geometry  one workgroup of 64; one invocation = one value
// Twin      src/gpu/context.ts (Gpu.#knownAnswer)

@group(0) @binding(0) var<storage, read_write> answer: array<u32>;

@compute @workgroup_size(64)
fn known_answer(@builtin(local_invocation_index) i: u32) {
  answer[i] = (i + 1u) * 0x9e3779b1u;
}
