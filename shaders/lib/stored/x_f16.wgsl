// What an affine product reads, as quad_f16.wgsl packs it.
@group(0) @binding(2) var<storage, read> x: array<vec2u>;

fn x_at(i: u32) -> vec4f {
  return vec4f(unpack2x16float(x[i].x), unpack2x16float(x[i].y));
}
