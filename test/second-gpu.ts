/** A device of its own for tests that break things: the shaders it reads, or the device itself. */
import { GpuError } from "../src/errors.ts";
import { Gpu, type GpuOptions } from "../src/gpu/context.ts";
import { preloadLocalDriver } from "../src/gpu/local-driver.ts";
import { readShaderFile } from "../src/gpu/open-node.ts";
import { patiently } from "../src/gpu/patience.ts";
import { testGpu } from "./gpu.ts";

let owner: Promise<GPU> | null = null;

/** Dawn's entry object, one for the process: the process dies when it is collected. */
async function entry(): Promise<GPU> {
  // The first device pins the driver's libraries; a second must not come before it.
  await testGpu();
  preloadLocalDriver();
  owner ??= import("webgpu").then(({ create }) =>
    (create as unknown as (flags: string[]) => GPU)(["disable-dawn-features=timestamp_quantization"]),
  );
  return owner;
}

export async function secondGpu(options: Partial<GpuOptions> = {}): Promise<Gpu> {
  const gpu = await entry();
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new GpuError("no adapter for a second device");
  return Gpu.open(gpu, adapter, { readShader: readShaderFile, wait: patiently, poison: true, ...options });
}

/** Reads the shaders with one change; throws where there is nothing to change. */
export function changed(file: string, from: string, to: string): GpuOptions["readShader"] {
  return (path) => {
    const text = readShaderFile(path);
    if (path !== file) return text;
    if (!text.includes(from)) throw new Error(`${file} does not contain: ${from}`);
    return text.replace(from, to);
  };
}
