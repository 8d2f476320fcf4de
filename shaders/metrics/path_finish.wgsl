// Computes  per row: the entropy of its steps over the regions, −Σ p log p, nats
// Axes      R rows
// Bindings  stats: [R] records; visits: [R][visit_words]
// Geometry  one invocation = one row
// Numerics  regions ascending; 0 where no region was visited
// Twin      src/reference/path-metrics.ts, test/kernel/path-metrics.test.ts
//! import "lib/path_record.wgsl"
//! import "lib/maths.wgsl"

@compute @workgroup_size(32)
fn path_finish(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  if (!is_real(row)) {
    return;
  }
  let first = first_region_word(row);
  var steps = 0u;
  for (var k = 0u; k < path_pass.regions; k++) {
    steps += visits[first + k];
  }
  var entropy = 0.0;
  for (var k = 0u; k < path_pass.regions; k++) {
    let count = visits[first + k];
    if (count > 0u) {
      let p = f32(count) / f32(steps);
      entropy = fma(-p, log_f(p), entropy);
    }
  }
  stats[row].entropy = entropy;
}
