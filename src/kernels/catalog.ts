/** What a kernel's file says of it: header, bindings, layouts, constants that may be rewritten, static cost. Pure. */
import { type KernelInterface, reflectKernel, type StaticCost, staticCost } from "../gpu/reflect.ts";
import {
  assembleShader,
  type ShaderReader,
  shaderImports,
  type TuneConstant,
  tuneConstants,
} from "../gpu/shader-source.ts";

export interface KernelDescription extends KernelInterface {
  /** As the host names it, such as `rnn/affine_tile`. */
  readonly name: string;
  /** The first sentence of its header. */
  readonly computes: string;
  readonly imports: readonly string[];
  readonly tune: readonly TuneConstant[];
  /** Of one invocation, at the constants' defaults. */
  readonly cost: StaticCost;
}

/** "Computes  …" with the lines that it goes on over. */
function computes(text: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => /^\/\/ Computes\b/.test(line));
  if (first < 0) return "";
  const rest = lines.slice(first + 1);
  const end = rest.findIndex((line) => !/^\/\/ {8,}/.test(line));
  return [lines[first] as string, ...rest.slice(0, end < 0 ? undefined : end)]
    .map((line) => line.replace(/^\/\/\s*(Computes\b)?\s*/, ""))
    .join(" ");
}

/** @throws ShaderError */
export function describeKernel(name: string, read: ShaderReader): KernelDescription {
  const file = `${name}.wgsl`;
  const { code } = assembleShader(file, read);
  const own = read(file);
  const kernel = reflectKernel(file, code);
  return {
    name,
    computes: computes(own),
    imports: shaderImports(own),
    ...kernel,
    tune: tuneConstants(code),
    cost: staticCost(code, kernel.entry),
  };
}
