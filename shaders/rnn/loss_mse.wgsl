// Computes  the squared error of a readout against given targets, and its gradient (lib/loss.wgsl)
// Axes      T steps, R rows, O readouts, N units
// Bindings  goal: [T][R][width], bound from step t0 on (s_{t+1}); weights: [T][R][1 or width], likewise, or a stand-in;
//           the others are those of lib/loss.wgsl
// Geometry  lib/loss.wgsl
// Numerics  lib/loss.wgsl
// Twin      src/reference/loss-mse.ts, test/kernel/loss.test.ts
//! import "lib/loss.wgsl"

// What the squares are weighted by: 0 nothing, 1 a number a step and row, 2 one for every readout.
const WEIGHTED: u32 = 0u; //! tune

@group(0) @binding(4) var<storage, read> goal: array<f32>;
@group(0) @binding(8) var<storage, read> weights: array<f32>;

fn goal_quad(s: u32, row: u32, quad: u32) -> vec4f {
  let at = s * loss.target_stride + row * loss.target_width + 4u * quad;
  return vec4f(goal[at], goal[at + 1u], goal[at + 2u], goal[at + 3u]);
}

fn weight_quad(s: u32, row: u32, quad: u32) -> vec4f {
  if (WEIGHTED == 0u) {
    return vec4f(1.0);
  }
  let at = s * loss.weight_stride + row * loss.weight_width + select(0u, 4u * quad, WEIGHTED == 2u);
  if (WEIGHTED == 1u) {
    return vec4f(weights[at]);
  }
  return vec4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}

@compute @workgroup_size(WORKGROUP)
fn loss_mse(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  run_loss(group.x + group.y * groups.x, thread);
}
