// The right matrix of a gradient product, as quad_f16.wgsl packs it.
@group(0) @binding(2) var<storage, read> right: array<vec2u>;

fn right_at(i: u32) -> vec4f {
  return vec4f(unpack2x16float(right[i].x), unpack2x16float(right[i].y));
}
