// What every loss kernel does: per (step, row) Σ_o w (y − s)² / (T B O) + λ₂ Σ_n r² / (T B N), and d = 2 w (y − s) / (T B O),
// in place of y. A kernel brings the target, `goal_quad(s, row, quad)`, and the weights, `weight_quad(s, row, quad)`.
// Bindings  rows: [R]; y: [steps][R][O], d on return; states: [T+1][R][N], bound from slot t0 on; loss_rows:
//           [S][T][rows of a network]; bad: [S], smallest t · (rows of a network) + row at which y was not finite
//           (atomic)
// Geometry  LANES neighbouring invocations = one (step, row), or one does what they would do (SERIAL, for adapters that
//           are CPUs: there barriers and idle lanes cost more than the loss); a lane takes every LANES-th quad
// Numerics  a lane's readouts ascending, then its units; then lanes ascending. Padded rows and readouts get d = 0
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/maths.wgsl"
//! import "lib/stored/quad_f32.wgsl" or STORED_F16 "lib/stored/quad_f16.wgsl"
//! import "lib/loss_lanes.wgsl" or SERIAL "lib/loss_serial.wgsl"

// A function of O alone: sums of the same network have the same order wherever they are made.
const LANES: u32 = 1u; //! tune
// 0: no activity penalty; the states are not read.
const ACTIVITY_ON: u32 = 1u; //! tune
const WORKGROUP: u32 = 64u;

struct Loss {
  target_width: u32,    // floats of a target row
  target_stride: u32,   // floats from one time slot to the next
  weight_width: u32,    // the same of the weights of the squares, where there are any
  weight_stride: u32,
  output_scale: f32,    // 1 / (T B O)
  activity_scale: f32,  // λ₂ / (T B N)
  batch_rows: u32,      // rows of a network in the whole batch, padding included
  row0: u32,            // the chunk's first row within its networks
}

@group(0) @binding(1) var<uniform> loss: Loss;
@group(0) @binding(2) var<storage, read> rows: array<RowParams>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<storage, read> states: array<Stored>;
@group(0) @binding(6) var<storage, read_write> loss_rows: array<f32>;
@group(0) @binding(7) var<storage, read_write> bad: array<atomic<u32>>;

// One lane's share of a (step, row).
fn loss_part(s: u32, row: u32, lane: u32) -> vec2f {
  let valid = rows[row].valid == 1u;
  let at = (s * window.rows + row) * window.output_quads;
  var error = 0.0;
  for (var q = lane; q < window.output_quads; q += LANES) {
    let counts = vec4<bool>(valid) & (4u * q + vec4u(0u, 1u, 2u, 3u) < vec4u(window.outputs));
    let difference = select(vec4f(0.0), y[at + q] - goal_quad(s, row, q), counts);
    let weighted = select(vec4f(0.0), weight_quad(s, row, q) * difference, counts);
    error = fma(weighted.x, difference.x, error);
    error = fma(weighted.y, difference.y, error);
    error = fma(weighted.z, difference.z, error);
    error = fma(weighted.w, difference.w, error);
    y[at + q] = (2.0 * loss.output_scale) * weighted;
  }
  var activity = 0.0;
  if (ACTIVITY_ON == 1u) {
    for (var q = lane; q < window.unit_quads; q += LANES) {
      let r = load4(states[((s + 1u) * window.rows + row) * window.unit_quads + q]);
      activity += dot(r, r);
    }
  }
  return vec2f(error, activity);
}

fn save_loss(s: u32, row: u32, sums: vec2f) {
  var sum = sums.x * loss.output_scale;
  if (ACTIVITY_ON == 1u) {
    sum = fma(sums.y, loss.activity_scale, sum);
  }
  let network = network_of(row);
  let step = window.t0 + s;
  let own = loss.row0 + row % window.rows_per_network;
  if (nonfinite(sum)) {
    atomicMin(&bad[window.network0 + network], step * loss.batch_rows + own);
  }
  loss_rows[(network * window.total_steps + step) * loss.batch_rows + own] = sum;
}
