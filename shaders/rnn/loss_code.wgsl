// Computes  the squared error of a readout against the place code of the position, and its gradient (lib/loss.wgsl);
//           the target is never stored
// Axes      T steps, R rows, O readouts (= cells), N units
// Bindings  code: the population; positions: [T+1][R] vec2, bound from slot t0 + 1 on; norms: the softmax's, likewise;
//           the others are those of lib/loss.wgsl
// Geometry  lib/loss.wgsl
// Numerics  lib/loss.wgsl, lib/place_code.wgsl
// Twin      src/reference/loss-mse.ts and place-code.ts, test/kernel/loss.test.ts
//! import "lib/loss.wgsl"
//! import "lib/place_code.wgsl"

@group(0) @binding(4) var<storage, read> positions: array<vec2f>;
@group(0) @binding(8) var<storage, read> norms: array<vec2f>;

fn goal_quad(s: u32, row: u32, quad: u32) -> vec4f {
  let at = s * window.rows + row;
  var norm = vec2f(0.0);
  if (TUNING == TUNING_SOFTMAX) {
    norm = norms[at];
  }
  return code_rates(positions[at], quad, norm);
}

fn weight_quad(s: u32, row: u32, quad: u32) -> vec4f {
  return vec4f(1.0);
}

@compute @workgroup_size(WORKGROUP)
fn loss_code(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  run_loss(group.x + group.y * groups.x, thread);
}
