/** One dispatch of one kernel with everything bound by name: what most kernel tests need. */
import { expect } from "vitest";
import { type FieldValues, packArray } from "../../src/gpu/pack.ts";
import { Clock, Program } from "../../src/gpu/program.ts";
import type { StructLayout } from "../../src/gpu/reflect.ts";
import type { Tune } from "../../src/gpu/shader-source.ts";
import { testGpu } from "../gpu.ts";

export interface KernelRun {
  /** File under `shaders/` without its ending; `../test/kernel/wgsl/x` for a test's own. */
  readonly kernel: string;
  readonly tune?: Tune;
  readonly uniforms?: Readonly<Record<string, FieldValues>>;
  /** Contents of each storage binding, records for an array of structs, or the bytes of an output that starts as NaN. */
  readonly bind: Readonly<Record<string, Bytes | readonly FieldValues[] | number>>;
  readonly groups: readonly [number, number, number];
  /** Fields of the clock. */
  readonly clock?: FieldValues;
}

type Bytes = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Tests name the fields that matter to them; the others are 0. */
function complete(layout: StructLayout, values: FieldValues): FieldValues {
  return {
    ...Object.fromEntries(layout.fields.map((f) => [f.name, f.count * f.lanes === 1 ? 0 : []])),
    ...values,
  };
}

/** What the bindings hold after the run, by name. */
export interface KernelOutput {
  f32(name: string): Float32Array;
  u32(name: string): Uint32Array;
}

/** Runs it once and checks the guard words. */
export async function runKernel(run: KernelRun): Promise<KernelOutput> {
  const gpu = await testGpu();
  const kernel = await gpu.kernel(run.kernel, run.tune ?? {});
  const bindings = Object.entries(run.bind).map(([name, data]): [string, Bytes | Uint8Array<ArrayBuffer> | number] => {
    if (typeof data === "number" || ArrayBuffer.isView(data)) return [name, data];
    const layout = kernel.binding(name).struct as StructLayout;
    return [
      name,
      packArray(
        layout,
        data.map((record) => complete(layout, record)),
      ),
    ];
  });
  const program = await Program.create(gpu, {
    name: `test ${run.kernel}`,
    kind: "step",
    notes: [],
    buffers: bindings.map(([name, data]) => ({
      name,
      axes: "",
      bytes: typeof data === "number" ? data : data.byteLength,
    })),
    passes: [
      {
        kind: "dispatch",
        label: run.kernel,
        kernel: run.kernel,
        ...(run.tune ? { tune: run.tune } : {}),
        bind: Object.fromEntries(bindings.map(([name]) => [name, { buffer: name }])),
        uniforms: run.uniforms ?? {},
        groups: run.groups,
      },
    ],
  });
  const clock = run.clock ? new Clock(gpu, 1) : null;
  const contents = new Map<string, ArrayBuffer>();
  try {
    for (const [name, data] of bindings) if (typeof data !== "number") gpu.write(program.buffer(name), data);
    if (clock && run.clock) {
      clock.set(0, kernel, complete(kernel.binding("clock").struct as StructLayout, run.clock));
    }
    await program.run({ label: run.kernel, clock });
    for (const [name] of bindings) contents.set(name, await gpu.read(program.buffer(name)));
  } finally {
    program.destroy();
    clock?.destroy();
  }
  await gpu.checkGuards();
  const bytes = (name: string): ArrayBuffer => contents.get(name) ?? expect.unreachable(`no binding ${name}`);
  return { f32: (name) => new Float32Array(bytes(name)), u32: (name) => new Uint32Array(bytes(name)) };
}

/** Distance from the exact value in units of float32's last place at it. */
export function ulps(got: number, exact: number): number {
  if (got === exact) return 0;
  if (!Number.isFinite(exact)) return Number.POSITIVE_INFINITY;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(exact))), -126);
  return Math.abs(got - exact) / 2 ** (exponent - 23);
}

/** The largest of `error(i)` with the index it belongs to; anything but a number counts as infinite. */
export function worst(count: number, error: (i: number) => number): { error: number; at: number } {
  let found = { error: 0, at: 0 };
  for (let i = 0; i < count; i++) {
    const e = error(i);
    if (!(e <= found.error)) found = { error: Number.isNaN(e) ? Number.POSITIVE_INFINITY : e, at: i };
  }
  return found;
}

/** Fails above the tolerance, and prints how much of it was used. */
export function within(what: string, used: number, tolerance: number): void {
  process.stderr.write(`${what}: ${used.toPrecision(3)} of ${tolerance}\n`);
  expect(used, what).toBeLessThanOrEqual(tolerance);
}
