/** `reverie kernels`: the shaders as the host sees them. No GPU is opened. */

import { EXIT, type ExitCode, UsageError } from "../errors.ts";
import { kernelNames, readShaderFile } from "../gpu/open-node.ts";
import type { BindingInfo, StructLayout } from "../gpu/reflect.ts";
import { assembleShader } from "../gpu/shader-source.ts";
import { describeKernel, type KernelDescription } from "../kernels/catalog.ts";
import { alignColumns } from "../report/columns.ts";
import type { Io } from "./types.ts";

export interface KernelsOptions {
  /** Part of a kernel's name; all without. */
  readonly name?: string;
  /** The text that Dawn gets, imports included. */
  readonly wgsl: boolean;
}

const table = (rows: readonly (readonly string[])[]): string => alignColumns(rows).join("\n");

function overview(kernels: readonly KernelDescription[]): string {
  const head = ["kernel", "workgroup", "buffers", "uniforms", "tune", "arithmetic", "special", "memory", "open loops"];
  const rows = kernels.map((k) => [
    k.name,
    k.workgroupSize.join("×"),
    String(k.bindings.filter((b) => b.kind !== "uniform").length),
    String(k.bindings.filter((b) => b.kind === "uniform").length),
    String(k.tune.length),
    ...[k.cost.arithmetic, k.cost.special, k.cost.memory, k.cost.openLoops].map(String),
  ]);
  return `${table([head, ...rows])}

arithmetic, special, memory: operations of one invocation, read from the text at the constants' defaults; a loop of
unknown length counts 8 times. A hint where to look, not a measurement. \`reverie kernels NAME\` shows bindings and layouts.`;
}

function layout({ name, bytes, fields }: StructLayout): string[] {
  const type = ({ scalar, lanes, count }: StructLayout["fields"][number]) =>
    `${lanes > 1 ? `vec${lanes}<${scalar}>` : scalar}${count > 1 ? ` × ${count}` : ""}`;
  const rows = fields.map((f) => [`      ${f.name}`, type(f), String(f.offset)]);
  return [`    ${name}, ${bytes} bytes: field, type, offset`, ...(rows.length > 0 ? [table(rows)] : [])];
}

const bindingLine = (b: BindingInfo) => [`  ${b.name}`, `${b.group}/${b.binding}`, b.kind, String(b.minBytes)];

function detail(k: KernelDescription): string {
  const structs = k.bindings.flatMap((b) => (b.struct ? layout(b.struct) : []));
  return [
    `${k.name}   shaders/${k.file}, entry ${k.entry}, workgroup ${k.workgroupSize.join("×")}`,
    `  ${k.computes}`,
    table([["  binding", "group/slot", "kind", "least bytes"], ...k.bindings.map(bindingLine)]),
    ...structs,
    ...(k.tune.length > 0 ? [`  tune: ${k.tune.map((t) => `${t.name} = ${t.value}`).join(", ")}`] : []),
    `  imports: ${k.imports.join(", ") || "none"}`,
  ].join("\n");
}

export async function runKernels(options: KernelsOptions, io: Io): Promise<ExitCode> {
  const all = kernelNames();
  const { name } = options;
  const exact = all.filter((own) => own === name);
  const names = name === undefined ? all : exact.length > 0 ? exact : all.filter((own) => own.includes(name));
  if (names.length === 0) throw new UsageError(`no kernel is called ${name}; reverie kernels lists them`);
  if (options.wgsl) {
    if (names.length > 1)
      throw new UsageError(`--wgsl prints one kernel; ${name ?? "all"} fits ${names.length}: name one`);
    io.out(assembleShader(`${names[0]}.wgsl`, readShaderFile).code);
    return EXIT.ok;
  }
  const kernels = names.map((own) => describeKernel(own, readShaderFile));
  if (io.json) io.out(JSON.stringify(kernels, null, 2));
  else io.out(name === undefined ? overview(kernels) : kernels.map(detail).join("\n\n"));
  return EXIT.ok;
}
