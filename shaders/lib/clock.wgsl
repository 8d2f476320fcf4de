// What changes from iteration to iteration, bound with a dynamic offset so that many iterations share a submit.

struct Clock {
  iteration: u32,    // training iteration, or TEST_EPOCH; the epoch word of the noise counter
  slot: u32,         // where this iteration's record goes in the history
  progress: f32,     // iteration / (iterations − 1), for the learning rate
  correction1: f32,  // 1 − β₁^(iteration + 1)
  correction2: f32,  // 1 − β₂^(iteration + 1)
}

@group(1) @binding(0) var<uniform> clock: Clock;
