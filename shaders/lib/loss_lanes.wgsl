// The lanes of a (step, row) as neighbouring invocations, for lib/loss.wgsl.

// Of each lane: squared error, squared activity.
var<workgroup> parts: array<vec2f, WORKGROUP>;

// `group`: workgroups in the order of the (step, row) that they take. Call in uniform control flow.
fn run_loss(group: u32, thread: u32) {
  let index = group * (WORKGROUP / LANES) + thread / LANES;
  let lane = thread % LANES;
  let inside = index < window.steps * window.rows;
  let s = index / window.rows;
  let row = index % window.rows;
  var sums = vec2f(0.0);
  if (inside) {
    sums = loss_part(s, row, lane);
  }
  if (LANES > 1u) {
    parts[thread] = sums;
    workgroupBarrier();
    if (lane == 0u) {
      for (var i = 1u; i < LANES; i++) {
        sums += parts[thread + i];
      }
    }
  }
  if (inside && lane == 0u) {
    save_loss(s, row, sums);
  }
}
