// The left matrix of a gradient product, as quad_f16.wgsl packs it.
@group(0) @binding(1) var<storage, read> left: array<vec2u>;

fn left_at(i: u32) -> vec4f {
  return vec4f(unpack2x16float(left[i].x), unpack2x16float(left[i].y));
}
