// Sum over the 256 invocations of a workgroup in a fixed tree; every invocation gets it. Call in uniform control flow.
var<workgroup> tree: array<f32, 256>;

fn tree_sum(thread: u32, value: f32) -> f32 {
  workgroupBarrier();
  tree[thread] = value;
  workgroupBarrier();
  for (var half = 128u; half > 0u; half /= 2u) {
    if (thread < half) {
      tree[thread] += tree[thread + half];
    }
    workgroupBarrier();
  }
  return tree[0];
}
