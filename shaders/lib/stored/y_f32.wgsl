// What an affine product writes, as float32.
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

fn put_y(i: u32, value: vec4f) {
  y[i] = value;
}
