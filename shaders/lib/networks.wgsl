// Per-network records.

struct NetworkParams {
  seed: u32,                  // second word of the Philox key
  initial_gain: f32,          // g: W_rec ~ N(0, g²/N)
  learning_rate: f32,         // at the first iteration
  final_learning_rate: f32,   // at the last one
}
