// Computes  per (network, condition): steps per cell over the rows that did not diverge, and the evenness of these counts,
//           −Σ p log p / log(cells)
// Axes      S networks, C conditions, R rows
// Bindings  summaries: [S·C]; occupancy: [S·C][cells]; stats: [R] records; visits: [R][visit_words]
// Geometry  one workgroup = one (network, condition); an invocation takes cells i, i + 256, …
// Numerics  counts are exact; the entropy is a fixed tree of 256 sums
// Twin      src/reference/path-metrics.ts, test/kernel/occupancy.test.ts
//! import "lib/cloud.wgsl"
//! import "lib/path_record.wgsl"
//! import "lib/tree_sum.wgsl"
//! import "lib/maths.wgsl"

var<workgroup> steps_in_grid: atomic<u32>;

@compute @workgroup_size(256)
fn pool_occupancy(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let cloud = cloud_of(group, groups);
  if (cloud >= cloud_pass.clouds) {
    return;
  }
  let network = cloud / cloud_pass.conditions;
  let condition = cloud % cloud_pass.conditions;
  let row0 = network * cloud_pass.rows_per_network + condition * cloud_pass.repeats;
  var live_rows = 0u;
  for (var r = 0u; r < cloud_pass.repeats; r++) {
    live_rows += select(0u, 1u, stats[row0 + r].diverged == 0u);
  }
  var own = 0u;
  for (var cell = thread; cell < CELLS; cell += 256u) {
    var count = 0u;
    for (var r = 0u; r < cloud_pass.repeats; r++) {
      let steps = visits[(row0 + r) * cloud_pass.visit_words + cell];
      count += select(0u, steps, stats[row0 + r].diverged == 0u);
    }
    occupancy[cloud * CELLS + cell] = count;
    own += count;
  }
  atomicAdd(&steps_in_grid, own);
  workgroupBarrier();
  let counted = atomicLoad(&steps_in_grid);
  var part = 0.0;
  for (var cell = thread; cell < CELLS; cell += 256u) {
    let count = occupancy[cloud * CELLS + cell];
    if (count > 0u) {
      let p = f32(count) / f32(counted);
      part = fma(-p, log_f(p), part);
    }
  }
  let entropy = tree_sum(thread, part) / log_f(f32(CELLS));
  if (thread == 0u) {
    var summary = CloudSummary();
    summary.live_rows = live_rows;
    summary.counted = counted;
    summary.entropy = entropy;
    summaries[cloud] = summary;
  }
}
