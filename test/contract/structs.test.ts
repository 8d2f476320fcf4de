/** Every struct that host and kernels share: packed by name here, read field by field there. */
import { expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/context.ts";
import { readShaderFile } from "../../src/gpu/open-node.ts";
import { type FieldValues, packStruct } from "../../src/gpu/pack.ts";
import type { FieldLayout, StructLayout } from "../../src/gpu/reflect.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { assembled, KERNELS } from "../kernels.ts";

gpuHygiene();

interface Shared {
  readonly kernel: string;
  readonly layout: StructLayout;
  readonly code: string;
}

const shared = new Map<string, Shared>();
for (const kernel of KERNELS) {
  const { source, interface: own } = assembled(kernel);
  for (const b of own.bindings) {
    if (b.struct && !shared.has(b.struct.name))
      shared.set(b.struct.name, { kernel, layout: b.struct, code: source.code });
  }
}

/** Numbers that no two fields share. */
function valuesOf(layout: StructLayout): FieldValues {
  let next = 3;
  return Object.fromEntries(
    layout.fields.map((f) => [f.name, Array.from({ length: f.lanes * f.count }, () => next++)]),
  );
}

/** WGSL that copies each scalar of a field to `out`, in order; a long array in a loop, or it compiles for a minute. */
function copies(f: FieldLayout, at: number): string[] {
  const lanes = Array.from({ length: f.lanes }, (_, x) => x);
  const copy = (element: string, to: string) =>
    lanes.map((x) => {
      const value = f.lanes > 1 ? `${element}[${x}]` : element;
      return `  out[${to} + ${x}u] = ${f.scalar === "u32" ? value : `bitcast<u32>(${value})`};`;
    });
  if (f.count === 1) return copy(`records[1].${f.name}`, `${at}u`);
  const body = copy(`records[1].${f.name}[i]`, `${at}u + ${f.lanes}u * i`);
  return [`  for (var i = 0u; i < ${f.count}u; i++) {`, ...body, "  }"];
}

/** The struct's own declaration and those of the structs within, from the kernel's source. */
function declarations(code: string): string {
  return [...code.matchAll(/^struct \w+ \{[\s\S]*?^\}/gm)].map((m) => m[0]).join("\n");
}

test.each([...shared.keys()])("%s arrives as it was packed", async (name) => {
  const { layout, code } = shared.get(name) as Shared;
  const values = valuesOf(layout);
  const expected = layout.fields.flatMap((f) => {
    const numbers = values[f.name] as readonly number[];
    return numbers.map((n) => (f.scalar === "f32" ? (new Uint32Array(Float32Array.of(n).buffer)[0] as number) : n));
  });
  let at = 0;
  const body = layout.fields.flatMap((f) => {
    const lines = copies(f, at);
    at += f.lanes * f.count;
    return lines;
  });
  const constants = [...code.matchAll(/^const \w+: u32 = [^;]+;/gm)].map((m) => m[0]).join("\n");
  const text = `${constants}\n${declarations(code)}
@group(0) @binding(0) var<storage, read> records: array<${name}>;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1)
fn copy() {
${body.join("\n")}
}`;
  const shared_ = await testGpu();
  // The same device; only the reader of shader files is another one.
  const gpu = Object.create(shared_, {
    options: {
      value: {
        ...shared_.options,
        readShader: (path: string) => (path === "test/copy.wgsl" ? text : readShaderFile(path)),
      },
    },
  }) as Gpu;
  const { Kernel } = await import("../../src/gpu/kernel.ts");
  const kernel = await Kernel.compile(gpu, "test/copy", {});
  const stride = kernel.interface.bindings[0]?.struct?.bytes as number;
  expect(stride).toBe(layout.bytes);
  const bytes = new Uint8Array(2 * stride);
  packStruct(
    layout,
    Object.fromEntries(
      Object.entries(values).map(([k, v]) => [k, (v as number[]).length === 1 ? (v as number[])[0] : v]),
    ) as FieldValues,
    new DataView(bytes.buffer),
    stride,
  );
  const records = shared_.createBuffer("records", bytes.byteLength);
  const out = shared_.createBuffer("out", 4 * expected.length);
  shared_.write(records, bytes);
  const encoder = shared_.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(kernel.pipeline);
  pass.setBindGroup(0, kernel.bindGroup(shared_, { records, out }, "copy"));
  pass.dispatchWorkgroups(1);
  pass.end();
  shared_.device.queue.submit([encoder.finish()]);
  expect(Array.from(new Uint32Array(await shared_.read(out, 0, 4 * expected.length)))).toEqual(expected);
  shared_.destroyBuffer(records);
  shared_.destroyBuffer(out);
});
