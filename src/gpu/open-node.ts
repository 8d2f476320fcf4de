/** Opens the GPU under Node: the project-local driver, Dawn, the choice of the adapter, shader files from disk. */
import { existsSync, readFileSync } from "node:fs";
import { freemem } from "node:os";
import { fileURLToPath } from "node:url";
import { GpuUnavailable, ShaderError } from "../errors.ts";
import { Gpu } from "./context.ts";
import { preloadLocalDriver } from "./local-driver.ts";

const SHADERS = new URL("../../shaders/", import.meta.url);

export function readShaderFile(path: string): string {
  try {
    return readFileSync(new URL(path, SHADERS), "utf8");
  } catch (cause) {
    throw new ShaderError(`there is no shader ${fileURLToPath(new URL(path, SHADERS))}`, { cause });
  }
}

export interface OpenOptions {
  /** Part of the adapter's name; the first that fits is taken. */
  readonly adapter?: string;
  /** Refuse a software adapter. */
  readonly requireGpu?: boolean;
  readonly poison?: boolean;
  readonly onStrayError?: (error: Error) => void;
  readonly note?: (line: string) => void;
}

function availableMemory(): number {
  try {
    const m = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"));
    if (m) return Number(m[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return freemem();
}

const REMEDY =
  "run: npm run setup (unpacks a software Vulkan driver inside the project), or install your GPU's Vulkan driver";

/**
 * Opens the best adapter, or the named one. Throws GpuUnavailable (exit 3) with a remedy. Says on `note` what is
 * given up, and whenever a software adapter stands in for a GPU.
 */
export async function openGpu(options: OpenOptions = {}): Promise<Gpu> {
  preloadLocalDriver();
  let create: (flags: string[]) => GPU;
  try {
    ({ create } = (await import("webgpu")) as unknown as { create: (flags: string[]) => GPU });
  } catch (cause) {
    throw new GpuUnavailable(
      `Dawn does not load here: ${(cause as Error).message.split("\n")[0]} (needs x64 or arm64 Linux with glibc ≥ 2.34, macOS or Windows)`,
      { cause },
    );
  }
  let owner: GPU;
  let adapter: GPUAdapter | null;
  const flags = ["disable-dawn-features=timestamp_quantization"];
  if (options.adapter !== undefined) flags.push(`adapter=${options.adapter}`);
  try {
    owner = create(flags);
    adapter = await owner.requestAdapter({ powerPreference: "high-performance" });
  } catch (cause) {
    const lines = (cause as Error).message.split("\n").map((l) => l.trim());
    throw new GpuUnavailable(`no adapter named "${options.adapter}": ${lines.filter(Boolean).join("; ")}`, { cause });
  }
  if (!adapter) throw new GpuUnavailable(`no Vulkan driver: ${REMEDY}`);
  const gpu = await Gpu.open(owner, adapter, {
    readShader: readShaderFile,
    ...(options.poison === undefined ? {} : { poison: options.poison }),
    ...(options.onStrayError === undefined ? {} : { onStrayError: options.onStrayError }),
    ...((adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter ? { memoryBudget: availableMemory } : {}),
  });
  if (gpu.adapter.software) {
    if (options.requireGpu)
      throw new GpuUnavailable(
        `only the software adapter ${gpu.adapter.name} is here and --require-gpu was given: install the GPU's Vulkan driver`,
      );
    if (existsSync("/dev/nvidia0")) {
      options.note?.(
        "an NVIDIA GPU is present, but its Vulkan driver is not: install libnvidia-gl of the driver's version (containers: NVIDIA_DRIVER_CAPABILITIES=all)",
      );
    }
  }
  for (const loss of gpu.givenUp) options.note?.(loss);
  return gpu;
}
