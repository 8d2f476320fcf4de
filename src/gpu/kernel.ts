/** A compiled kernel: its interface read from the WGSL, explicit layouts, and binding by name. */
import { ShaderError } from "../errors.ts";
import type { DeviceBuffer, Gpu } from "./context.ts";
import { type FieldValues, packStruct } from "./pack.ts";
import { type BindingInfo, type KernelInterface, reflectKernel } from "./reflect.ts";
import { assembleShader, type ShaderSource, type Tune } from "./shader-source.ts";

/** Group 1 holds what changes from iteration to iteration, bound with a dynamic offset. */
export const CLOCK_GROUP = 1;

const COMPUTE_STAGE = 4;

async function compileModule(gpu: Gpu, source: ShaderSource): Promise<GPUShaderModule> {
  gpu.device.pushErrorScope("validation");
  const module = gpu.device.createShaderModule({ label: source.file, code: source.code });
  const [info, scope] = await Promise.all([module.getCompilationInfo(), gpu.device.popErrorScope()]);
  const error = info.messages.find((m) => m.type === "error");
  if (error) {
    const at = source.origin(error.lineNum);
    throw new ShaderError(`${at.file}:${at.line}:${error.linePos}: ${error.message.split("\n")[0]}`);
  }
  if (scope) throw new ShaderError(`shaders/${source.file}: ${scope.message.split("\n")[0]}`);
  return module;
}

export class Kernel {
  readonly name: string;
  readonly interface: KernelInterface;
  readonly pipeline: GPUComputePipeline;
  readonly layouts: readonly GPUBindGroupLayout[];

  private constructor(
    name: string,
    iface: KernelInterface,
    pipeline: GPUComputePipeline,
    layouts: GPUBindGroupLayout[],
  ) {
    this.name = name;
    this.interface = iface;
    this.pipeline = pipeline;
    this.layouts = layouts;
  }

  static async compile(gpu: Gpu, name: string, tune: Tune): Promise<Kernel> {
    const source = assembleShader(`${name}.wgsl`, gpu.options.readShader, tune);
    const iface = reflectKernel(source.file, source.code);
    const storage = iface.bindings.filter((b) => b.kind !== "uniform").length;
    if (storage > 8)
      throw new ShaderError(`shaders/${source.file} binds ${storage} storage buffers; WebGPU promises only 8`);
    const module = await compileModule(gpu, source);
    const groups = Math.max(0, ...iface.bindings.map((b) => b.group)) + 1;
    const layouts = Array.from({ length: groups }, (_, group) =>
      gpu.device.createBindGroupLayout({
        label: `${name} group ${group}`,
        entries: iface.bindings
          .filter((b) => b.group === group)
          .map((b) => ({
            binding: b.binding,
            visibility: COMPUTE_STAGE,
            buffer: { type: b.kind, hasDynamicOffset: group === CLOCK_GROUP, minBindingSize: b.minBytes },
          })),
      }),
    );
    gpu.device.pushErrorScope("validation");
    let pipeline: GPUComputePipeline;
    try {
      pipeline = await gpu.wait(
        gpu.device.createComputePipelineAsync({
          label: name,
          layout: gpu.device.createPipelineLayout({ label: name, bindGroupLayouts: layouts }),
          compute: { module, entryPoint: iface.entry },
        }),
      );
    } catch (cause) {
      await gpu.device.popErrorScope();
      throw new ShaderError(`shaders/${source.file}: ${(cause as Error).message.split("\n")[0]}`, { cause });
    }
    const error = await gpu.device.popErrorScope();
    if (error) throw new ShaderError(`shaders/${source.file}: ${error.message.split("\n")[0]}`);
    return new Kernel(name, iface, pipeline, layouts);
  }

  binding(name: string): BindingInfo {
    const b = this.interface.bindings.find((x) => x.name === name);
    if (!b)
      throw new ShaderError(
        `${this.name} has no binding ${name}; it has ${this.interface.bindings.map((x) => x.name).join(", ")}`,
      );
    return b;
  }

  /** Bytes of a uniform variable, packed by field name. */
  packUniform(name: string, values: FieldValues): Uint8Array<ArrayBuffer> {
    const b = this.binding(name);
    if (b.kind !== "uniform" || !b.struct) throw new ShaderError(`${this.name}: ${name} is not a uniform struct`);
    const bytes = new Uint8Array(b.minBytes);
    packStruct(b.struct, values, new DataView(bytes.buffer));
    return bytes;
  }

  /** A bind group of one group, every binding given by name. */
  bindGroup(gpu: Gpu, buffers: Readonly<Record<string, DeviceBuffer>>, label: string, group = 0): GPUBindGroup {
    const own = this.interface.bindings.filter((b) => b.group === group);
    for (const name of Object.keys(buffers)) if (!own.some((b) => b.name === name)) this.binding(name);
    return gpu.device.createBindGroup({
      label,
      layout: this.layouts[group] as GPUBindGroupLayout,
      entries: own.map((b) => {
        const view = buffers[b.name];
        if (!view) throw new ShaderError(`${label}: ${this.name} needs a buffer for ${b.name}`);
        if (b.kind !== "uniform" && view.bytes > gpu.limits.maxStorageBufferBindingSize) {
          throw new ShaderError(
            `${label}: ${b.name} binds ${view.bytes} bytes; this adapter allows ${gpu.limits.maxStorageBufferBindingSize}`,
          );
        }
        const size = group === CLOCK_GROUP ? b.minBytes : view.bytes + view.guard;
        return { binding: b.binding, resource: { buffer: view.buffer, offset: view.offset, size } };
      }),
    });
  }
}
