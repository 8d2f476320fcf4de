// Computes  per (network, condition): KL(replay ‖ awake) of the two binned clouds, Σ_i p_i (log p̂(z_i) − log q̂(z_i)).
//           p̂(z) = Σ_k p_k N(z; z_k, H), floored at 1e−12 m⁻²; z_k centres of cells, p_k shares of steps;
//           H = n^(−1/3) (Cov + w²/12 I): Scott's rule in the plane with n = min(steps in the grid, 2000), as the host's
//           density takes at most 2000 points; w²/12 is the variance of a step within its cell of width w, and gives a
//           cloud on a line or in one cell a density. The same for q̂ with the awake cloud's own H.
// Axes      S networks, C conditions
// Bindings  summaries, occupancy: see lib/cloud.wgsl; awake_occupancy: [S of the sweep][cells]
// Geometry  one workgroup = one (network, condition); an invocation takes cells i, i + 256, …
// Numerics  lengths in cells until the densities; moments and the last sum in fixed trees, kernels ascending
// Twin      src/reference/path-metrics.ts, test/kernel/occupancy.test.ts
//! import "lib/awake_cloud.wgsl"
//! import "lib/tree_sum.wgsl"
//! import "lib/maths.wgsl"

const MOST_POINTS: f32 = 2000.0;
const FLOOR: f32 = 1e-12;
const TURN: f32 = 6.2831855;

// Shares of steps per cell: replay, then awake.
var<workgroup> shares: array<f32, 2u * CELLS>;

fn centre_of(cell: u32) -> vec2f {
  return vec2f(f32(cell % SIDE), f32(cell / SIDE)) - 0.5 * f32(SIDE - 1u);
}

// Cholesky factor [[a, 0], [b, c]] of H in cells, and the density's norm in m⁻².
struct Density {
  first: u32,  // of its shares
  a: f32,
  b: f32,
  c: f32,
  norm: f32,
}

// For all 256 invocations; call in uniform control flow.
fn density_of(thread: u32, first: u32, steps: u32) -> Density {
  var sum = vec2f(0.0);
  for (var k = thread; k < CELLS; k += 256u) {
    sum = fma(vec2f(shares[first + k]), centre_of(k), sum);
  }
  let mean = vec2f(tree_sum(thread, sum.x), tree_sum(thread, sum.y));
  var moments = vec3f(0.0);
  for (var k = thread; k < CELLS; k += 256u) {
    let d = centre_of(k) - mean;
    moments = fma(vec3f(shares[first + k]), vec3f(d.x * d.x, d.x * d.y, d.y * d.y), moments);
  }
  let n = clamp(f32(steps), 1.0, MOST_POINTS);
  let scott = exp_f(log_f(n) / -3.0);
  let xx = scott * (tree_sum(thread, moments.x) + 1.0 / 12.0);
  let xy = scott * tree_sum(thread, moments.y);
  let yy = scott * (tree_sum(thread, moments.z) + 1.0 / 12.0);
  let a = sqrt(xx);
  let b = xy / a;
  let c = sqrt(fma(-b, b, yy));
  return Density(first, a, b, c, 1.0 / (TURN * a * c * cloud_pass.cell_size * cloud_pass.cell_size));
}

fn log_density(density: Density, at: vec2f) -> f32 {
  var sum = 0.0;
  for (var k = 0u; k < CELLS; k++) {
    let share = shares[density.first + k];
    if (share > 0.0) {
      let d = at - centre_of(k);
      let x = d.x / density.a;
      let z = fma(-density.b, x, d.y) / density.c;
      sum = fma(share, exp_f(-0.5 * fma(x, x, z * z)), sum);
    }
  }
  return log_f(max(sum * density.norm, FLOOR));
}

@compute @workgroup_size(256)
fn binned_kl(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let cloud = cloud_of(group, groups);
  if (cloud >= cloud_pass.clouds) {
    return;
  }
  let awake_counted = count_awake(cloud, thread, 256u);
  let awake_first = awake_cells(cloud);
  let counted = summaries[cloud].counted;
  for (var k = thread; k < CELLS; k += 256u) {
    shares[k] = f32(occupancy[cloud * CELLS + k]) / f32(max(counted, 1u));
    shares[CELLS + k] = f32(awake_occupancy[awake_first + k]) / f32(max(awake_counted, 1u));
  }
  workgroupBarrier();
  let replay = density_of(thread, 0u, counted);
  let awake = density_of(thread, CELLS, awake_counted);
  var part = 0.0;
  for (var i = thread; i < CELLS; i += 256u) {
    let share = shares[i];
    if (share > 0.0) {
      let at = centre_of(i);
      part = fma(share, log_density(replay, at) - log_density(awake, at), part);
    }
  }
  let divergence = tree_sum(thread, part);
  if (thread == 0u) {
    summaries[cloud].divergence = divergence;
  }
}
