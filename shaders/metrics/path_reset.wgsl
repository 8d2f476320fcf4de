// Computes  the empty record and no visits for every row
// Axes      R rows
// Bindings  stats: [R] records; visits: [R][visit_words]
// Geometry  one workgroup = 32 rows, which it clears together
// Numerics  exact
// Twin      test/kernel/path-metrics.test.ts, whose buffers start as NaN
//! import "lib/path_record.wgsl"

@compute @workgroup_size(32)
fn path_reset(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  stats[group.x * 32u + local] = PathStats();
  let words = 32u * path_pass.visit_words;
  for (var i = local; i < words; i += 32u) {
    visits[group.x * words + i] = 0u;
  }
}
