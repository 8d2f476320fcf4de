/** Every kernel file under shaders/, by the name the host uses. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readShaderFile } from "../src/gpu/open-node.ts";
import { type KernelInterface, reflectKernel } from "../src/gpu/reflect.ts";
import { assembleShader, type ShaderSource, type Tune } from "../src/gpu/shader-source.ts";

const ROOT = fileURLToPath(new URL("../shaders/", import.meta.url));

export const KERNELS: readonly string[] = readdirSync(ROOT, { recursive: true })
  .map(String)
  .filter((f) => f.endsWith(".wgsl") && !f.startsWith("lib/"))
  .map((f) => f.replace(/\.wgsl$/, ""))
  .sort();

export interface AssembledKernel {
  readonly source: ShaderSource;
  readonly interface: KernelInterface;
}

export function assembled(name: string, tune: Tune = {}): AssembledKernel {
  const source = assembleShader(`${name}.wgsl`, readShaderFile, tune);
  return { source, interface: reflectKernel(source.file, source.code) };
}
