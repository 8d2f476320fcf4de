// Computes  1 where a row sees its input and 0 where it is masked
// Axes      T steps, R rows
// Bindings  rows: [R]; visible: [T][R], f32
// Geometry  one invocation = one row; workgroup x over rows
// Numerics  lib/masks.wgsl, exact
// Twin      test/story/dump.test.ts: inputs are 0 where it is 0
//! import "lib/masks.wgsl"
//! import "lib/window.wgsl"
//! import "lib/clock.wgsl"

@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read_write> visible: array<f32>;

@compute @workgroup_size(32)
fn mark_visible(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= window.rows) {
    return;
  }
  let row = rows[id.x];
  let epoch = select(row.epoch, clock.iteration, window.clocked == 1u);
  let offset = offset_of(row, window.root_seed, epoch);
  for (var t = 0u; t < window.total_steps; t++) {
    visible[t * window.rows + id.x] = select(0.0, 1.0, is_visible(row, t, offset));
  }
}
