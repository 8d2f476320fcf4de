// Computes  the position that a readout of place cells stands for:
//             top k          mean of the centres of the k most active cells; of equals, the first
//             weighted mean  Σ max(y_i, 0) C_i / Σ max(y_i, 0); the mean of all centres where no cell is active
// Axes      steps of a window, R rows; cells in quads
// Bindings  code: the population; y: [steps][R][O]; decoded: [steps][R] (x, y, 0, 0), as a readout of two would lie
// Geometry  one invocation = one (step, row); it goes through its cells once
// Numerics  NaN where the activity of a cell is not finite, or beyond ten times the largest rate, which is 1: centres lie
//           within the box whatever the activity, so that nothing else would tell that a network has run away
// Source    top k as in nandahkrishna/RNNReactivation; model.md section 7
// Twin      src/reference/decode.ts, test/kernel/place-code.test.ts
//! import "lib/place_code.wgsl"

const DECODE: u32 = 0u; //! tune
const DECODE_TOP_K: u32 = 0u;
const DECODE_WEIGHTED_MEAN: u32 = 1u;
// k of the top k.
const TOP: u32 = 3u; //! tune

struct DecodePass {
  count: u32,  // steps × R
}

@group(0) @binding(0) var<uniform> decode_pass: DecodePass;
@group(0) @binding(1) var<storage, read> y: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> decoded: array<vec4f>;

// As far as ten scales from the centre of a maze.
const DIVERGED_ACTIVITY: f32 = 10.0;

fn centre_of(cell: u32) -> vec2f {
  let quad = cell / 4u;
  return vec2f(code.centre[2u * quad][cell % 4u], code.centre[2u * quad + 1u][cell % 4u]);
}

// Whether a cell's activity has diverged.
var<private> tainted: bool;

fn activity(first: u32, quad: u32) -> vec4f {
  let four = y[first + quad];
  let away = abs(four) > vec4f(DIVERGED_ACTIVITY);
  tainted = tainted || any((nonfinite_f4(four) | away) & is_cell(quad));
  return four;
}

fn top_centres(first: u32) -> vec2f {
  // Falling; cells that are not there yet lie below every number.
  var best: array<f32, TOP>;
  var cell: array<u32, TOP>;
  for (var i = 0u; i < TOP; i++) {
    best[i] = -3.4e38;
  }
  for (var q = 0u; q < code.cell_quads; q++) {
    let four = select(vec4f(-3.4e38), activity(first, q), is_cell(q));
    for (var x = 0u; x < 4u; x++) {
      var value = four[x];
      var owner = 4u * q + x;
      for (var i = 0u; i < TOP; i++) {
        if (value > best[i]) {
          let beaten = best[i];
          let before = cell[i];
          best[i] = value;
          cell[i] = owner;
          value = beaten;
          owner = before;
        }
      }
    }
  }
  var sum = vec2f(0.0);
  let top = min(TOP, code.cells);
  for (var i = 0u; i < top; i++) {
    sum += centre_of(cell[i]);
  }
  return sum / f32(top);
}

fn weighted_centre(first: u32) -> vec2f {
  var weight = vec4f(0.0);
  var x = vec4f(0.0);
  var y_sum = vec4f(0.0);
  var all_x = vec4f(0.0);
  var all_y = vec4f(0.0);
  for (var q = 0u; q < code.cell_quads; q++) {
    let drive = select(vec4f(0.0), max(activity(first, q), vec4f(0.0)), is_cell(q));
    let cx = select(vec4f(0.0), code.centre[2u * q], is_cell(q));
    let cy = select(vec4f(0.0), code.centre[2u * q + 1u], is_cell(q));
    weight += drive;
    x = fma(drive, cx, x);
    y_sum = fma(drive, cy, y_sum);
    all_x += cx;
    all_y += cy;
  }
  let one = vec4f(1.0);
  let total = dot(weight, one);
  if (total > 0.0) {
    return vec2f(dot(x, one), dot(y_sum, one)) / total;
  }
  return vec2f(dot(all_x, one), dot(all_y, one)) / f32(code.cells);
}

@compute @workgroup_size(64)
fn decode(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= decode_pass.count) {
    return;
  }
  let first = index * code.cell_quads;
  var position: vec2f;
  if (DECODE == DECODE_WEIGHTED_MEAN) {
    position = weighted_centre(first);
  } else {
    position = top_centres(first);
  }
  let unknown = bitcast<vec2f>(vec2u(0x7fc00000u | code.cells));
  decoded[index] = vec4f(select(position, unknown, tainted), 0.0, 0.0);
}
