/** The one funnel of errors: what goes wrong on the device reaches the caller, with a name and a place. */
import { afterEach, describe, expect, test } from "vitest";
import { GpuError, GpuUnavailable, OutOfDeviceMemory, ShaderError, UsageError } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/context.ts";
import { openGpu, readShaderFile } from "../../src/gpu/open-node.ts";
import { Program } from "../../src/gpu/program.ts";

const opened: Gpu[] = [];
const stray: Error[] = [];

/** A device of its own: these tests break it. */
async function freshGpu(): Promise<Gpu> {
  const gpu = await openGpu({ onStrayError: (e) => void stray.push(e) });
  opened.push(gpu);
  return gpu;
}

/** The same device with other shader files. */
function withShader(gpu: Gpu, files: Record<string, string>): Gpu {
  const readShader = (path: string) => files[path] ?? readShaderFile(path);
  return Object.create(gpu, { options: { value: { ...gpu.options, readShader } } }) as Gpu;
}

const compile = async (gpu: Gpu, files: Record<string, string>) => {
  const { Kernel } = await import("../../src/gpu/kernel.ts");
  return Kernel.compile(withShader(gpu, files), "test/a", {});
};

afterEach(async () => {
  for (const gpu of opened.splice(0)) await gpu.close();
  stray.length = 0;
});

describe("shaders", () => {
  test("a compile error names the true file and line, through imports", async () => {
    const gpu = await freshGpu();
    const files = {
      "test/a.wgsl":
        '//! import "lib/broken.wgsl"\n@group(0) @binding(0) var<storage, read_write> o: array<u32>;\n@compute @workgroup_size(1)\nfn main() { o[0] = broken(); }',
      "lib/broken.wgsl": "// A comment.\nfn broken() -> u32 {\n  let x: f32 = 1u;\n  return 1u;\n}",
    };
    await expect(compile(gpu, files)).rejects.toThrow(/^shaders\/lib\/broken\.wgsl:3:\d+: cannot initialize/);
    await expect(compile(gpu, files)).rejects.toBeInstanceOf(ShaderError);
  });

  test("a binding that is not there, or not given, is named", async () => {
    const gpu = await freshGpu();
    const kernel = await gpu.kernel("gpu/known_answer");
    const buffer = gpu.createBuffer("b", 256);
    expect(() => kernel.bindGroup(gpu, { anser: buffer }, "x")).toThrow(
      "gpu/known_answer has no binding anser; it has answer",
    );
    expect(() => kernel.bindGroup(gpu, {}, "x")).toThrow("needs a buffer for answer");
    gpu.destroyBuffer(buffer);
  });

  test("are compiled once for each tune", async () => {
    const gpu = await freshGpu();
    expect(await gpu.kernel("rnn/encode_initial")).toBe(await gpu.kernel("rnn/encode_initial"));
    expect(await gpu.kernel("rnn/affine_lanes", { TILE_QUADS: 1 })).not.toBe(
      await gpu.kernel("rnn/affine_lanes", { TILE_QUADS: 4 }),
    );
  });
});

describe("errors", () => {
  test("that nobody waits for poison every later result", async () => {
    const gpu = await freshGpu();
    const b = gpu.createBuffer("b", 256);
    gpu.device.queue.writeBuffer(b.buffer, 1 << 20, new Uint32Array(4));
    await gpu.device.queue.onSubmittedWorkDone();
    expect(stray[0]).toBeInstanceOf(GpuError);
    expect(() => gpu.check()).toThrow(/\[Buffer "b"\]/);
    await expect(gpu.read(b)).rejects.toBeInstanceOf(GpuError);
  });

  test("a lost device makes every later result an error, and says what to do", async () => {
    const gpu = await freshGpu();
    const b = gpu.createBuffer("b", 256);
    gpu.device.destroy();
    await gpu.device.lost;
    await Promise.resolve();
    await expect(gpu.read(b)).rejects.toThrow(/device was lost.*resume from the last checkpoint/);
    expect(() => gpu.check()).toThrow("device was lost");
  });

  test("an adapter that computes nothing does not pass for one", async () => {
    const { create } = (await import("webgpu")) as unknown as { create: (flags: string[]) => GPU };
    const owner = create(["backend=null"]);
    const adapter = await owner.requestAdapter();
    if (!adapter) return;
    await expect(Gpu.open(owner, adapter, { readShader: readShaderFile, onStrayError: () => {} })).rejects.toThrow(
      "gives wrong answers",
    );
  });

  test("an adapter nobody has is refused with the list of those there are", async () => {
    await expect(openGpu({ adapter: "Voodoo 2" })).rejects.toBeInstanceOf(GpuUnavailable);
    await expect(openGpu({ adapter: "Voodoo 2" })).rejects.toThrow(
      /no adapter named "Voodoo 2".*llvmpipe|no adapter named "Voodoo 2"/i,
    );
  });
});

describe("memory", () => {
  const plan = (bytes: number) => ({
    name: "big",
    kind: "step" as const,
    buffers: [{ name: "b", bytes, axes: "" }],
    passes: [],
    notes: [],
  });

  test("that one buffer cannot have is refused before anything is allocated, with both numbers", async () => {
    const gpu = await freshGpu();
    await expect(Program.create(gpu, plan(gpu.limits.maxBufferSize + 4))).rejects.toThrow(
      /big needs a buffer of .*; this adapter allows /,
    );
    expect(gpu.allocated).toBe(0);
  });

  test("that a CPU adapter's machine does not have is refused", async () => {
    const gpu = await freshGpu();
    const poor = Object.create(gpu, { options: { value: { ...gpu.options, memoryBudget: () => 1 << 20 } } }) as Gpu;
    await expect(Program.create(poor, plan(1 << 21))).rejects.toBeInstanceOf(UsageError);
    await expect(Program.create(poor, plan(1 << 21))).rejects.toThrow("big needs 2.0 MiB, 1.0 MiB available");
  });

  test("that a GPU turns out not to have is an error with a remedy, and all of it is given back", async () => {
    const gpu = await freshGpu();
    const pop = gpu.device.popErrorScope.bind(gpu.device);
    gpu.device.popErrorScope = async () => (await pop()) ?? { message: "VK_ERROR_OUT_OF_DEVICE_MEMORY" };
    const wanted = Program.create(gpu, plan(1 << 20));
    await expect(wanted).rejects.toBeInstanceOf(OutOfDeviceMemory);
    await expect(wanted).rejects.toThrow(/big needs 1.0 MiB and .* has no room for it: use a smaller batch/);
    expect(gpu.allocated).toBe(0);
    gpu.device.popErrorScope = pop;
    (await Program.create(gpu, plan(1 << 20))).destroy();
  });

  test("is given back", async () => {
    const gpu = await freshGpu();
    const program = await Program.create(gpu, plan(1 << 20));
    expect(gpu.allocated).toBeGreaterThanOrEqual(1 << 20);
    program.destroy();
    expect(gpu.allocated).toBe(0);
  });
});

test("a GPU says what it is", async () => {
  const gpu = await freshGpu();
  expect(gpu.describe()).toContain(gpu.adapter.name);
  if (gpu.adapter.software) expect(gpu.describe()).toContain("software adapter");
});
