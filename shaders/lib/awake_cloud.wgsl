// The awake cloud that a (network, condition) is compared with.
//! import "lib/cloud.wgsl"

@group(0) @binding(7) var<storage, read> awake_occupancy: array<u32>;  // [S of the sweep][cells]

var<workgroup> awake_steps: atomic<u32>;

fn awake_cells(cloud: u32) -> u32 {
  return (cloud_pass.network0 + cloud / cloud_pass.conditions) * CELLS;
}

// Steps of the awake cloud, for all `threads` invocations of the workgroup. Call in uniform control flow, once.
fn count_awake(cloud: u32, thread: u32, threads: u32) -> u32 {
  let first = awake_cells(cloud);
  var own = 0u;
  for (var i = thread; i < CELLS; i += threads) {
    own += awake_occupancy[first + i];
  }
  atomicAdd(&awake_steps, own);
  workgroupBarrier();
  return atomicLoad(&awake_steps);
}
