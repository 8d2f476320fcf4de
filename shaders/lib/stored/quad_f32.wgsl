// How activations (r_t, ga_t) lie in memory between passes: four units of a row as float32. quad_f16.wgsl is the
// alternative. All arithmetic is float32 either way.
alias Stored = vec4f;

fn store4(x: vec4f) -> Stored {
  return x;
}

fn load4(x: Stored) -> vec4f {
  return x;
}
