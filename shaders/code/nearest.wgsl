// Computes  squared distance of every activity from the nearest of some valid codes: min_g Σ_i (y_i − c_gi)²
// Axes      n activities; G codes of this launch; cells in quads
// Bindings  activity: [n][O]; codes: [G][O], both padded with zeros; nearest: [n], bits of the smallest so far (atomic)
// Geometry  one invocation = one activity × BLOCK codes; workgroups: x over activities, y over blocks of codes
// Numerics  a lane's sum by quads ascending, then its four parts; order of bits of numbers ≥ 0 is their own order, so the
//           minimum does not depend on who comes first. NaN is above all numbers
// Twin      src/reference/activity-distances.ts, test/kernel/activity-distances.test.ts
const BLOCK: u32 = 32u;

struct NearestPass {
  count: u32,       // n
  codes: u32,       // G
  quads: u32,
}

@group(0) @binding(0) var<uniform> nearest_pass: NearestPass;
@group(0) @binding(1) var<storage, read> activity: array<vec4f>;
@group(0) @binding(2) var<storage, read> codes: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> nearest: array<atomic<u32>>;

@compute @workgroup_size(64)
fn nearest_code(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let own = group.x * 64u + thread;
  if (own >= nearest_pass.count) {
    return;
  }
  let quads = nearest_pass.quads;
  let end = min((group.y + 1u) * BLOCK, nearest_pass.codes);
  var least = 0xffffffffu;
  for (var g = group.y * BLOCK; g < end; g++) {
    var sum = vec4f(0.0);
    for (var q = 0u; q < quads; q++) {
      let d = activity[own * quads + q] - codes[g * quads + q];
      sum = fma(d, d, sum);
    }
    least = min(least, bitcast<u32>((sum.x + sum.y) + (sum.z + sum.w)));
  }
  atomicMin(&nearest[own], least);
}
