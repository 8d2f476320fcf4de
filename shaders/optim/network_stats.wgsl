// Computes  per network: loss, norm of the gradient, clip factor min(1, clip/norm), and whether to stop it
// Axes      S networks, T steps, R rows
// Bindings  loss_rows: [S][T][rows of a network]; square_sums: [S][blocks]; bad: [S], reset on return; stats: [S];
//           history: [slots][S]
// Geometry  one workgroup of 256 = one network
// Numerics  invocation i adds elements i, i + 256, …; then a fixed tree. A network once stopped stays so: its
//           neighbours in the launch go on
// Twin      src/reference/clip-and-adam.ts, test/kernel/optimiser.test.ts
//! import "lib/tree_sum.wgsl"
//! import "lib/maths.wgsl"
//! import "lib/network_stats.wgsl"
//! import "lib/clock.wgsl"

struct Gather {
  networks: u32,          // S in all
  network0: u32,          // first network of the group
  steps: u32,             // T
  rows_per_network: u32,  // of the whole batch, padding included
  blocks: u32,            // 0: no gradient
  block_stride: u32,      // floats of a network in square_sums
  clip_norm: f32,         // 0: no clipping
}

@group(0) @binding(0) var<uniform> gather: Gather;
@group(0) @binding(1) var<storage, read> loss_rows: array<f32>;
@group(0) @binding(2) var<storage, read> square_sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> bad: array<u32>;
@group(0) @binding(4) var<storage, read_write> stats: array<NetworkStats>;
@group(0) @binding(5) var<storage, read_write> history: array<NetworkStats>;

@compute @workgroup_size(256)
fn network_stats(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let local = group.x;
  let network = gather.network0 + local;
  var loss = 0.0;
  for (var i = thread; i < gather.steps * gather.rows_per_network; i += 256u) {
    loss += loss_rows[local * gather.steps * gather.rows_per_network + i];
  }
  loss = tree_sum(thread, loss);
  var squares = 0.0;
  for (var i = thread; i < gather.blocks; i += 256u) {
    squares += square_sums[local * gather.block_stride + i];
  }
  squares = tree_sum(thread, squares);
  if (thread == 0u) {
    let norm = sqrt(squares);
    var next: NetworkStats;
    next.loss = loss;
    next.norm = norm;
    next.clip = 1.0;
    if (gather.clip_norm > 0.0 && norm > gather.clip_norm) {
      next.clip = gather.clip_norm / norm;
    }
    next.status = stats[network].status;
    next.bad = stats[network].bad;
    if (next.status == 0u && (nonfinite(loss) || nonfinite(squares))) {
      next.status = clock.iteration + 1u;
      next.bad = bad[network];
    }
    bad[network] = 0xffffffffu;
    stats[network] = next;
    history[clock.slot * gather.networks + network] = next;
  }
}
