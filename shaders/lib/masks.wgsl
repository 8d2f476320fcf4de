// When a row sees its input: where (t + k − o) mod k = 0. Offset o: word 0 of (step 0, quad 0) of the mask stream, modulo k.
//! import "lib/rng.wgsl"
//! import "lib/rows.wgsl"

// k, 1 for padded rows, whose record is all zero.
fn mask_period(row: RowParams) -> u32 {
  return max(row.mask_every, 1u);
}

// `epoch`: the iteration in training, the condition in replay.
fn offset_of(row: RowParams, root_seed: u32, epoch: u32) -> u32 {
  let counter = vec4u(0u, 0u, row.trajectory, counter_word(STREAM_MASKS, epoch));
  let word = philox4x32(counter, vec2u(root_seed, row.network_seed)).x;
  return select(0u, word % mask_period(row), row.mask_random != 0u);
}

fn is_visible(row: RowParams, t: u32, offset: u32) -> bool {
  let period = mask_period(row);
  return row.valid != 0u && (t + period - offset) % period == 0u;
}
