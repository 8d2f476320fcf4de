import { describe, expect, test } from "vitest";
import { packArray, packStruct } from "../../src/gpu/pack.ts";
import { reflectKernel } from "../../src/gpu/reflect.ts";

const CODE = `
struct Inner { x: f32, y: u32 }
struct Record { a: u32, b: f32, c: vec4f, inner: Inner, list: array<vec4f, 2> }
@group(0) @binding(0) var<uniform> record: Record;
@group(0) @binding(1) var<storage, read> many: array<Inner>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
const SIZE: u32 = 4u;
@compute @workgroup_size(SIZE, 2)
fn main() { out[0] = record.b + many[0].x; }
`;
const kernel = reflectKernel("test.wgsl", CODE);
const layout = kernel.bindings[0]?.struct;
const whole = { a: 1, b: 2, c: [3, 4, 5, 6], "inner.x": 7, "inner.y": 8, list: [9, 10, 11, 12, 13, 14, 15, 16] };

describe("reflection", () => {
  test("reads workgroup sizes through constants, kinds and sizes", () => {
    expect(kernel.workgroupSize).toEqual([4, 2, 1]);
    expect(kernel.bindings.map((b) => [b.name, b.kind, b.minBytes])).toEqual([
      ["record", "uniform", 80],
      ["many", "read-only-storage", 8],
      ["out", "storage", 4],
    ]);
  });

  test("flattens nested structs", () => {
    expect(layout?.fields.map((f) => [f.name, f.offset])).toEqual([
      ["a", 0],
      ["b", 4],
      ["c", 16],
      ["inner.x", 32],
      ["inner.y", 36],
      ["list", 48],
    ]);
  });

  test("refuses vec3, which has padding that hosts get wrong", () => {
    const bad =
      "struct S { v: vec3f }\n@group(0) @binding(0) var<uniform> s: S;\n@group(0) @binding(1) var<storage, read_write> o: array<f32>;\n@compute @workgroup_size(1) fn main() { o[0] = s.v.x; }";
    expect(() => reflectKernel("bad.wgsl", bad)).toThrow("field v has type vec3f");
  });
});

describe("packing", () => {
  test("puts each field where the shader looks for it", () => {
    const bytes = new DataView(new ArrayBuffer(80));
    packStruct(layout as NonNullable<typeof layout>, whole, bytes);
    expect(bytes.getUint32(0, true)).toBe(1);
    expect(bytes.getFloat32(28, true)).toBe(6);
    expect(bytes.getUint32(36, true)).toBe(8);
    expect(bytes.getFloat32(76, true)).toBe(16);
  });

  test.each([
    [{ ...whole, d: 1 }, "Record has no field d; it has a, b, c, inner.x, inner.y, list"],
    [{ a: 1 }, "Record.b was not given"],
    [{ ...whole, a: 1.5 }, "Record.a is a u32, got 1.5"],
    [{ ...whole, c: [1, 2] }, "Record.c takes 4 numbers, got 2"],
    [{ ...whole, list: new Array(9).fill(0) }, "Record.list takes 8 numbers, got 9"],
  ])("refuses %j", (values, message) => {
    expect(() => packStruct(layout as NonNullable<typeof layout>, values, new DataView(new ArrayBuffer(80)))).toThrow(
      message,
    );
  });

  test("elements lie as far apart as the layout says, whatever they hold themselves", () => {
    const pairs = { name: "pairs", offset: 16, scalar: "u32", lanes: 2, count: 2, stride: 16 } as const;
    const bytes = new DataView(new ArrayBuffer(48));
    packStruct({ name: "S", bytes: 48, fields: [pairs] }, { pairs: [1, 2, 3, 4] }, bytes);
    expect([16, 20, 24, 32, 36].map((at) => bytes.getUint32(at, true))).toEqual([1, 2, 0, 3, 4]);
  });

  test("arrays of records follow the element's stride", () => {
    const inner = kernel.bindings[1]?.struct as NonNullable<typeof layout>;
    const floats = new Float32Array(
      packArray(inner, [
        { x: 1, y: 0 },
        { x: 2, y: 0 },
      ]).buffer,
    );
    expect([floats[0], floats[2]]).toEqual([1, 2]);
  });
});
