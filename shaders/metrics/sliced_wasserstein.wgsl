// Computes  per (network, condition): mean over 64 directions of W₁ = ∫ |F − G|, F and G the distributions of the pooled
//           and the awake cloud's projections, each cell's steps at its centre
// Axes      S networks, C conditions
// Bindings  summaries, occupancy: see lib/cloud.wgsl; awake_occupancy: [S of the sweep][cells]; cell_order: [64][cells],
//           cells by their projection on each direction; cell_gaps: [64][cells], the way to the next one, metres
// Geometry  one workgroup = one (network, condition); an invocation = one direction
// Numerics  F and G from exact counts; cells, then directions, ascending. Not a number where a cloud is empty
// Twin      src/reference/path-metrics.ts, test/kernel/occupancy.test.ts
//! import "lib/awake_cloud.wgsl"

@group(0) @binding(8) var<storage, read> cell_order: array<u32>;
@group(0) @binding(9) var<storage, read> cell_gaps: array<f32>;

const DIRECTIONS: u32 = 64u;

var<workgroup> distances: array<f32, 64>;

@compute @workgroup_size(64)
fn sliced_wasserstein(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) direction: u32,
) {
  let cloud = cloud_of(group, groups);
  if (cloud >= cloud_pass.clouds) {
    return;
  }
  let awake_counted = count_awake(cloud, direction, DIRECTIONS);
  let awake = awake_cells(cloud);
  let counted = summaries[cloud].counted;
  var below = 0u;
  var awake_below = 0u;
  var distance = 0.0;
  for (var i = 0u; i < CELLS; i++) {
    let cell = cell_order[direction * CELLS + i];
    below += occupancy[cloud * CELLS + cell];
    awake_below += awake_occupancy[awake + cell];
    let difference = f32(below) / f32(counted) - f32(awake_below) / f32(awake_counted);
    distance = fma(abs(difference), cell_gaps[direction * CELLS + i], distance);
  }
  distances[direction] = distance;
  workgroupBarrier();
  if (direction == 0u) {
    var sum = 0.0;
    for (var j = 0u; j < DIRECTIONS; j++) {
      sum += distances[j];
    }
    summaries[cloud].awake_counted = awake_counted;
    summaries[cloud].sliced = sum / f32(DIRECTIONS);
  }
}
