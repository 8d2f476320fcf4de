// What an affine product writes, as quad_f16.wgsl packs it.
@group(0) @binding(3) var<storage, read_write> y: array<vec2u>;

fn put_y(i: u32, value: vec4f) {
  y[i] = vec2u(pack2x16float(value.xy), pack2x16float(value.zw));
}
