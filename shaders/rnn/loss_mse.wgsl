// Computes  per (step, row): Σ_o (y − s)² / (T B O) + λ₂ Σ_n r² / (T B N), and d = 2 (y − s) / (T B O), in place of y
// Axes      T steps, R rows, O readouts, N units
// Bindings  rows: [R]; y: [steps][R][O], d on return; target: [T][R][width], bound from step t0 on (s_{t+1});
//           states: [T+1][R][N], bound from slot t0 on; loss_rows: [S][T][rows of a network]; bad: [S], smallest
//           t · (rows of a network) + row at which y was not finite (atomic)
// Geometry  one invocation = one (step, row)
// Numerics  readouts, then units, ascending; padded rows and readouts get d = 0
// Twin      src/reference/loss-mse.ts, test/kernel/loss.test.ts
//! import "lib/window.wgsl"
//! import "lib/rows.wgsl"
//! import "lib/maths.wgsl"

struct Loss {
  target_width: u32,    // floats of a target row
  target_stride: u32,   // floats from one time slot to the next
  output_scale: f32,    // 1 / (T B O)
  activity_scale: f32,  // λ₂ / (T B N)
  batch_rows: u32,      // rows of a network in the whole batch, padding included
  row0: u32,            // the chunk's first row within its networks
}

@group(0) @binding(1) var<uniform> loss: Loss;
@group(0) @binding(2) var<storage, read> rows: array<RowParams>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> goal: array<f32>;
@group(0) @binding(5) var<storage, read> states: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> loss_rows: array<f32>;
@group(0) @binding(7) var<storage, read_write> bad: array<atomic<u32>>;

@compute @workgroup_size(64)
fn loss_mse(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= window.steps * window.rows) {
    return;
  }
  let s = index / window.rows;
  let row = index % window.rows;
  let valid = rows[row].valid == 1u;
  let at = index * 4u * window.output_quads;
  var sum = 0.0;
  for (var o = 0u; o < 4u * window.output_quads; o++) {
    var difference = 0.0;
    if (valid && o < window.outputs) {
      difference = y[at + o] - goal[s * loss.target_stride + row * loss.target_width + o];
    }
    sum = fma(difference, difference, sum);
    y[at + o] = (2.0 * loss.output_scale) * difference;
  }
  sum *= loss.output_scale;
  if (loss.activity_scale > 0.0) {
    var activity = 0.0;
    for (var q = 0u; q < window.unit_quads; q++) {
      let r = states[((s + 1u) * window.rows + row) * window.unit_quads + q];
      activity += dot(r, r);
    }
    sum = fma(activity, loss.activity_scale, sum);
  }
  let network = network_of(row);
  let step = window.t0 + s;
  let own = loss.row0 + row % window.rows_per_network;
  if (nonfinite(sum)) {
    atomicMin(&bad[window.network0 + network], step * loss.batch_rows + own);
  }
  loss_rows[(network * window.total_steps + step) * loss.batch_rows + own] = sum;
}
