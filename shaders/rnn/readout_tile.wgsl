// Computes  y_{t+1} = W_out r_{t+1} + b_out for the steps of a window
// Axes      T steps, R rows, N units, O readouts
// Bindings  as readout_lanes.wgsl
// Geometry  workgroup (x, y, z) = 32 readouts × 32 rows × one step (see product_tile.wgsl)
// Numerics  as readout_lanes.wgsl, bit for bit
// Twin      src/reference/readout.ts, test/kernel/readout.test.ts
//! import "lib/window.wgsl"
//! import "lib/product_tile.wgsl"

@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> states: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

var<private> own: u32;
var<private> state: u32;

fn lhs(row: u32, k: u32) -> f32 {
  if (k >= 4u * window.unit_quads) {
    return 0.0;
  }
  return states[state + row * window.unit_quads + k / 4u][k % 4u];
}

fn rhs(k: u32, quad: u32) -> vec4f {
  let width = 4u * window.unit_quads;
  if (quad >= window.output_quads || k >= width) {
    return vec4f(0.0);
  }
  let at = own + window.at_out + 4u * quad * width + k;
  return vec4f(weights[at], weights[at + width], weights[at + 2u * width], weights[at + 3u * width]);
}

@compute @workgroup_size(64)
fn readout_tile(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let o4 = window.output_quads;
  let row0 = group.y * TILE_ROWS;
  let quad0 = group.x * TILE_COLUMN_QUADS;
  own = network_of(row0) * window.weight_stride;
  state = (group.z + 1u) * window.rows * window.unit_quads;
  let quad = quad0 + thread % TILE_COLUMN_QUADS;
  var bias = vec4f(0.0);
  if (quad < o4) {
    let b = own + window.at_b_out + 4u * quad;
    bias = vec4f(weights[b], weights[b + 1u], weights[b + 2u], weights[b + 3u]);
  }
  let sums = product_tile(TileSums(bias, bias, bias, bias), thread, row0, quad0, 4u * window.unit_quads);
  if (quad < o4) {
    let at = (group.z * window.rows + row0 + 4u * (thread / TILE_COLUMN_QUADS)) * o4 + quad;
    y[at] = sums.r0;
    y[at + o4] = sums.r1;
    y[at + 2u * o4] = sums.r2;
    y[at + 3u * o4] = sums.r3;
  }
}
