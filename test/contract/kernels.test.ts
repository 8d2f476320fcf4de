/** What every kernel file promises: it reads like the others, reflects, and Dawn takes the layout read from it. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { DeviceBuffer } from "../../src/gpu/context.ts";
import { BUFFER_USAGE } from "../../src/gpu/context.ts";
import { CELL_EXTRA } from "../../src/kernels/spec.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { assembled, KERNELS } from "../kernels.ts";

gpuHygiene();

const HEADER = ["Computes", "Bindings", "Geometry", "Twin"];

describe.each(KERNELS)("%s", (name) => {
  test("opens with its header block", () => {
    const text = readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), "utf8");
    const header = text.slice(0, text.search(/^(?!\/\/)/m));
    for (const word of HEADER)
      expect(header, `the header of ${name} says nothing of ${word}`).toMatch(new RegExp(`^// ${word}\\b`, "m"));
  });

  test("binds no more than every adapter offers", () => {
    const { bindings } = assembled(name).interface;
    expect(bindings.filter((b) => b.kind !== "uniform").length).toBeLessThanOrEqual(8);
    const places = bindings.map((b) => `${b.group}/${b.binding}`);
    expect(new Set(places).size).toBe(places.length);
  });

  test("compiles, and takes buffers of exactly the reflected sizes", async () => {
    const gpu = await testGpu();
    const kernel = await gpu.kernel(name);
    const made: DeviceBuffer[] = [];
    const buffers = (group: number, short = 0) =>
      Object.fromEntries(
        kernel.interface.bindings
          .filter((b) => b.group === group)
          .map((b) => {
            const usage = b.kind === "uniform" ? BUFFER_USAGE.uniform : BUFFER_USAGE.storage;
            const buffer = gpu.createBuffer(b.name, b.minBytes, usage);
            made.push(buffer);
            return [b.name, { ...buffer, bytes: b.minBytes - (b.kind === "uniform" ? short : 0) }];
          }),
      );
    for (let group = 0; group < kernel.layouts.length; group++) {
      gpu.device.pushErrorScope("validation");
      kernel.bindGroup(gpu, buffers(group), `${name} group ${group}`, group);
      expect((await gpu.device.popErrorScope())?.message).toBeUndefined();
    }
    // The control: a uniform that is too small is refused.
    if (kernel.interface.bindings.some((b) => b.kind === "uniform" && b.group === 0)) {
      gpu.device.pushErrorScope("validation");
      kernel.bindGroup(gpu, buffers(0, 4), `${name}, too short`);
      expect((await gpu.device.popErrorScope())?.message).toMatch(/size/i);
    }
    for (const b of made) gpu.destroyBuffer(b);
  });
});

test("host and cell agree on the number of extra state variables", () => {
  const m = /const CELL_EXTRA: u32 = (\d+)u;/.exec(assembled("rnn/step_forward").source.code);
  expect(Number(m?.[1])).toBe(CELL_EXTRA);
});

test("forward and adjoint declare the same records and windows", () => {
  const layout = (name: string, binding: string) =>
    assembled(name).interface.bindings.find((b) => b.name === binding)?.struct;
  for (const [forward, backward] of [
    ["rnn/step_forward", "rnn/step_backward"],
    ["rnn/rollout_persistent", "rnn/adjoint_persistent"],
    ["rnn/rollout_own_row", "rnn/adjoint_own_row"],
  ] as const) {
    for (const binding of ["window", "rows"]) {
      expect(layout(backward, binding)).toEqual(layout(forward, binding));
      expect(layout(forward, binding)).toBeTruthy();
    }
  }
});
