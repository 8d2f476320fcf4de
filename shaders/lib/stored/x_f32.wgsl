// What an affine product reads, as float32.
@group(0) @binding(2) var<storage, read> x: array<vec4f>;

fn x_at(i: u32) -> vec4f {
  return x[i];
}
