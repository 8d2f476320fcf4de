/** Opens the GPU under Node: the project-local driver, Dawn, the choice of the adapter, shader files from disk. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { GpuUnavailable, ShaderError } from "../errors.ts";
import { availableMemory } from "../io/memory.ts";
import { Gpu } from "./context.ts";
import { preloadLocalDriver, setupCommand } from "./local-driver.ts";
import { patiently } from "./patience.ts";
import type { ShaderReader } from "./shader-source.ts";

const SHADERS = new URL("../../shaders/", import.meta.url);

export function readShaderFile(path: string): string {
  try {
    return readFileSync(new URL(path, SHADERS), "utf8");
  } catch (cause) {
    throw new ShaderError(`there is no shader ${fileURLToPath(new URL(path, SHADERS))}`, { cause });
  }
}

/** Every kernel by the name that the host uses: the files outside `lib/`, which have an entry point. */
export function kernelNames(): string[] {
  return readdirSync(SHADERS, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".wgsl") && !file.startsWith("lib/"))
    .map((file) => file.replace(/\.wgsl$/, ""))
    .sort();
}

export interface OpenOptions {
  /** Part of the adapter's name; the first that fits is taken. */
  readonly adapter?: string;
  /** Refuse a software adapter. */
  readonly requireGpu?: boolean;
  readonly poison?: boolean;
  readonly onStrayError?: (error: Error) => void;
  readonly note?: (line: string) => void;
  /** Where shaders come from; the package's own by default. */
  readonly readShader?: ShaderReader;
}

const REMEDY = `run: ${setupCommand()} (unpacks a software Vulkan driver, and leaves the system as it is), or install your GPU's Vulkan driver`;

/** Variables that tell the loader which drivers there are; set wrongly, they hide all others. */
const DRIVER_VARIABLES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

function noDriverRemedy(): string {
  const set = DRIVER_VARIABLES.find((name) => process.env[name] !== undefined);
  return set === undefined
    ? REMEDY
    : `${set} is ${JSON.stringify(process.env[set])}; correct it or unset it, or ${REMEDY}`;
}

/** One Dawn instance per list of flags: each is kept for the life of the process, and takes memory. */
const instances = new Map<string, GPU>();

function instanceOf(create: (flags: string[]) => GPU, flags: string[]): GPU {
  const key = flags.join(" ");
  const known = instances.get(key) ?? create(flags);
  instances.set(key, known);
  return known;
}

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
    owner = instanceOf(create, flags);
    adapter = await owner.requestAdapter({ powerPreference: "high-performance" });
  } catch (cause) {
    const lines = (cause as Error).message.split("\n").map((l) => l.trim());
    throw new GpuUnavailable(`no adapter named "${options.adapter}": ${lines.filter(Boolean).join("; ")}`, { cause });
  }
  if (!adapter) throw new GpuUnavailable(`no Vulkan driver: ${noDriverRemedy()}`);
  const software = (adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
  if (software && options.requireGpu) {
    throw new GpuUnavailable(
      `only the software adapter ${adapter.info.device || adapter.info.description} is here and --require-gpu was given: install the GPU's Vulkan driver`,
    );
  }
  const gpu = await Gpu.open(owner, adapter, {
    readShader: options.readShader ?? readShaderFile,
    wait: patiently,
    ...(options.poison === undefined ? {} : { poison: options.poison }),
    ...(options.onStrayError === undefined ? {} : { onStrayError: options.onStrayError }),
    ...(software ? { memoryBudget: availableMemory } : {}),
  });
  if (software && existsSync("/dev/nvidia0")) {
    options.note?.(
      "an NVIDIA GPU is present, but its Vulkan driver is not: install libnvidia-gl of the driver's version (containers: NVIDIA_DRIVER_CAPABILITIES=all)",
    );
  }
  for (const loss of gpu.givenUp) options.note?.(loss);
  return gpu;
}
