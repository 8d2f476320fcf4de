// Computes  Adam: m' = β₁ m + (1 − β₁) g;  v' = β₂ v + (1 − β₂) g²;
//           w' = w − lr · (m'/(1 − β₁ⁿ)) / (√(v'/(1 − β₂ⁿ)) + ε), with g clipped and lr linear in the iteration;
//           and W_recᵀ, which the forward pass reads
// Axes      S networks, P elements of a network's vector, N units
// Bindings  networks: [S]; stats: [S]; grads, weights, moment1, moment2: [S][P]; recurrent_t: [S][N][N]
// Geometry  workgroup (x, y, z): x + y·X = block of 256 elements, z = network; one invocation = one element
// Numerics  a stopped network keeps its last finite weights
// Source    Kingma and Ba 2015, algorithm 1
// Twin      src/reference/clip-and-adam.ts, test/kernel/optimiser.test.ts
//! import "lib/networks.wgsl"
//! import "lib/network_stats.wgsl"
//! import "lib/clock.wgsl"

struct Adam {
  network0: u32,       // first network of the group
  weight_stride: u32,  // P
  padded_units: u32,   // N, padded
  at_rec: u32,
  beta1: f32,
  beta2: f32,
  rest1: f32,          // 1 − β₁ and 1 − β₂, rounded once on the host: f32(1) − f32(β₂) is off by 5e-5
  rest2: f32,
  epsilon: f32,
}

@group(0) @binding(0) var<uniform> adam: Adam;
@group(0) @binding(1) var<storage, read> networks: array<NetworkParams>;
@group(0) @binding(2) var<storage, read> stats: array<NetworkStats>;
@group(0) @binding(3) var<storage, read> grads: array<f32>;
@group(0) @binding(4) var<storage, read_write> weights: array<f32>;
@group(0) @binding(5) var<storage, read_write> moment1: array<f32>;
@group(0) @binding(6) var<storage, read_write> moment2: array<f32>;
@group(0) @binding(7) var<storage, read_write> recurrent_t: array<f32>;

@compute @workgroup_size(256)
fn adam_step(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let element = (group.x + group.y * groups.x) * 256u + thread;
  let local = group.z;
  let network = adam.network0 + local;
  if (element >= adam.weight_stride || stats[network].status != 0u) {
    return;
  }
  let at = local * adam.weight_stride + element;
  let g = grads[at] * stats[network].clip;
  let m = fma(adam.beta1, moment1[at], adam.rest1 * g);
  let v = fma(adam.beta2, moment2[at], adam.rest2 * (g * g));
  let first = networks[network].learning_rate;
  let rate = fma(clock.progress, networks[network].final_learning_rate - first, first);
  let w = weights[at] - rate * (m / clock.correction1) / (sqrt(v / clock.correction2) + adam.epsilon);
  moment1[at] = m;
  moment2[at] = v;
  weights[at] = w;
  let n = adam.padded_units;
  let index = element - adam.at_rec;
  if (element >= adam.at_rec && index < n * n) {
    recurrent_t[local * n * n + (index % n) * n + index / n] = w;
  }
}
