// The left matrix of a gradient product, as float32.
@group(0) @binding(1) var<storage, read> left: array<vec4f>;

fn left_at(i: u32) -> vec4f {
  return left[i];
}
