// The right matrix of a gradient product, as float32.
@group(0) @binding(2) var<storage, read> right: array<vec4f>;

fn right_at(i: u32) -> vec4f {
  return right[i];
}
