// How activations (r_t, ga_t) lie in memory between passes: four units of a row as float16, half the bytes and traffic.
// Needs no extension, since only the packing is half precise. r_t is rounded where it is stored, and every plan goes on
// from the rounded value; ga_t is scaled by a power of two (see lib/activity.wgsl), or small gradients would be lost.
alias Stored = vec2u;

fn store4(x: vec4f) -> Stored {
  return vec2u(pack2x16float(x.xy), pack2x16float(x.zw));
}

fn load4(x: Stored) -> vec4f {
  return vec4f(unpack2x16float(x.x), unpack2x16float(x.y));
}
