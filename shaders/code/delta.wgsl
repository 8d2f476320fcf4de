// Computes  u_t = m_t (rates(s_{t+1}) − rates(s_t)) / u_scale, the input in code space, for the steps of a window
// Axes      T steps, R rows; cells in quads
// Bindings  code: the population; rows: [R]; positions, norms (softmax): [T+1][R] vec2, bound from slot t0 on;
//           input: [steps][R][cells, padded]
// Geometry  one invocation = one (step, row, quad of cells); workgroup x over quads, y over rows, z over steps
// Numerics  lib/place_code.wgsl; a masked input is exactly 0, and so are padded rows and cells
// Twin      src/reference/coded-paths.ts, test/kernel/place-code.test.ts
//! import "lib/clock.wgsl"
//! import "lib/masks.wgsl"
//! import "lib/place_code.wgsl"

struct DeltaPass {
  rows: u32,
  t0: u32,           // time of the first step
  root_seed: u32,
  input_scale: f32,  // u_scale
}

@group(0) @binding(0) var<uniform> delta_pass: DeltaPass;
@group(0) @binding(1) var<storage, read> rows: array<RowParams>;
@group(0) @binding(2) var<storage, read> positions: array<vec2f>;
@group(0) @binding(3) var<storage, read> norms: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> input: array<vec4f>;

fn rates_at(slot: u32, row: u32, quad: u32) -> vec4f {
  let at = slot * delta_pass.rows + row;
  var norm = vec2f(0.0);
  if (TUNING == TUNING_SOFTMAX) {
    norm = norms[at];
  }
  return code_rates(positions[at], quad, norm);
}

@compute @workgroup_size(8, 8)
fn code_delta(@builtin(global_invocation_id) id: vec3u) {
  let quad = id.x;
  if (quad >= code.cell_quads || id.y >= delta_pass.rows) {
    return;
  }
  let row = rows[id.y];
  let offset = offset_of(row, delta_pass.root_seed, clock.iteration + row.epoch);
  let change = (rates_at(id.z + 1u, id.y, quad) - rates_at(id.z, id.y, quad)) / delta_pass.input_scale;
  let visible = is_visible(row, delta_pass.t0 + id.z, offset);
  input[(id.z * delta_pass.rows + id.y) * code.cell_quads + quad] = select(vec4f(0.0), change, visible);
}
