// Computes  the gradient as the sum of its slices' partials, and the sum of its squares per block of 1024 elements
// Axes      S networks, P elements of a network's vector
// Bindings  partials: [S][slices][P]; grads: [S][P]; square_sums: [S][blocks]
// Geometry  workgroup (x, y, z): x + y·X = block of 1024 elements, z = network; one invocation = 4 elements
// Numerics  slices ascending; squares in a fixed tree. The encoder's gradient has one partial per row block only, in
//           the slot of its first time block
// Twin      src/reference/clip-and-adam.ts, test/kernel/optimiser.test.ts
//! import "lib/tree_sum.wgsl"

struct Reduce {
  weight_stride: u32,  // P
  row_blocks: u32,
  time_blocks: u32,
  at_enc: u32,         // where the encoder's slices begin
  blocks: u32,         // floats of a network in square_sums
}

@group(0) @binding(0) var<uniform> reduce: Reduce;
@group(0) @binding(1) var<storage, read> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> grads: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> square_sums: array<f32>;

@compute @workgroup_size(256)
fn reduce_grads(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let section = group.x + group.y * groups.x;
  let quad = section * 256u + thread;
  let quads = reduce.weight_stride / 4u;
  var sum = vec4f(0.0);
  if (quad < quads) {
    let stride = select(1u, reduce.time_blocks, quad >= reduce.at_enc / 4u);
    let slices = reduce.row_blocks * reduce.time_blocks;
    for (var s = 0u; s < slices; s += stride) {
      sum += partials[(group.z * slices + s) * quads + quad];
    }
    grads[group.z * quads + quad] = sum;
  }
  let squares = tree_sum(thread, dot(sum, sum));
  if (thread == 0u && section < reduce.blocks) {
    square_sums[group.z * reduce.blocks + section] = squares;
  }
}
