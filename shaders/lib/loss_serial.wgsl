// The lanes of a (step, row) one after another in one invocation, for lib/loss.wgsl: the same sums in the same order.

// `group`: workgroups in the order of the (step, row) that they take.
fn run_loss(group: u32, thread: u32) {
  let index = group * WORKGROUP + thread;
  if (index < window.steps * window.rows) {
    let s = index / window.rows;
    let row = index % window.rows;
    var sums = loss_part(s, row, 0u);
    for (var lane = 1u; lane < LANES; lane++) {
      sums += loss_part(s, row, lane);
    }
    save_loss(s, row, sums);
  }
}
