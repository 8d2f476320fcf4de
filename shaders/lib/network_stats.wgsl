// What an iteration leaves per network; the host reads it, Adam obeys it.
struct NetworkStats {
  loss: f32,
  norm: f32,         // of the gradient, before clipping
  clip: f32,         // factor on the gradient
  status: u32,       // 0: sound; i + 1: stopped at iteration i, because loss or gradient was not finite
  bad: u32,          // then: smallest t · (rows of a network) + row whose readout was not finite, or 0xffffffff
}
