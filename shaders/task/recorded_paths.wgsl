// Computes   trajectories cut out of recorded paths: s_t = sample[first + t], first drawn among all starts that leave room
//            for T steps within a trial.
// Axes       R rows, T steps.
// Bindings   recording: numbers of trials · samples: [samples] vec2 · trials: [trials + 1] (first sample, starts before) ·
//            carry: position · the others are those of lib/paths.wgsl.
// Geometry   one workgroup = 32 rows, one invocation = one row over the steps of a window.
// Numerics   exact copies of the samples; the input is one difference and one quotient.
// Twin       src/reference/recorded-paths.ts; test/kernel/recorded-paths.test.ts. Draws: src/task/recorded.ts.
//! import "lib/paths.wgsl"

const WORKGROUP: u32 = 32u;

struct Recording {
  train_end: u32,   // trials of training are [0, train_end)
  test_first: u32,  // those of test and replay [test_first, trials)
  trials: u32,
  search_steps: u32,
}

@group(0) @binding(6) var<uniform> recording: Recording;
@group(0) @binding(7) var<storage, read> samples: array<vec2f>;
@group(0) @binding(8) var<storage, read> trials: array<vec2u>;

fn first_sample(row: RowParams) -> u32 {
  let training = path_pass.stream == STREAM_TRAIN_PATHS;
  var low = select(recording.test_first, 0u, training);
  var high = select(recording.trials, recording.train_end, training);
  let before = trials[low].y;
  let start = before + path_words(row, 0u, 0u).x % (trials[high].y - before);
  // The last trial whose starts begin at or before this one.
  for (var i = 0u; i < recording.search_steps; i++) {
    let middle = (low + high) / 2u;
    let is_later = high - low > 1u && trials[middle].y > start;
    low = select(middle, low, is_later || high - low <= 1u);
    high = select(high, middle, is_later);
  }
  return trials[low].x + start - trials[low].y;
}

@compute @workgroup_size(WORKGROUP)
fn recorded_paths(@builtin(global_invocation_id) id: vec3u) {
  let index = id.x;
  if index >= path_pass.rows {
    return;
  }
  let row = rows[index];
  let offset = mask_offset(row);
  let first = first_sample(row);
  var position = carry[index].xy;
  if first_step() == 0u {
    position = samples[first];
    write_start(index, row, position);
  }
  for (var t = first_step(); t < end_step(); t++) {
    let after = samples[first + t + 1u];
    write_step(index, row, t, offset, position, after);
    position = after;
  }
  carry[index] = vec4f(position, 0.0, 0.0);
}
