/** Layouts of the records that host and kernels share, read from the WGSL (no GPU needed). */
import { ShaderError } from "../errors.ts";
import { reflectKernel, type StructLayout } from "../gpu/reflect.ts";
import { assembleShader, type ShaderReader } from "../gpu/shader-source.ts";

export interface RecordLayouts {
  readonly row: StructLayout;
  readonly network: StructLayout;
  readonly stats: StructLayout;
}

function elementLayout(kernel: string, binding: string, read: ShaderReader): StructLayout {
  const source = assembleShader(`${kernel}.wgsl`, read);
  const struct = reflectKernel(source.file, source.code).bindings.find((b) => b.name === binding)?.struct;
  if (!struct) throw new ShaderError(`shaders/${source.file}: ${binding} is not an array of structs`);
  return struct;
}

// Reading three shaders takes longer than planning does, and evaluating many small cases plans often.
const known = new WeakMap<ShaderReader, RecordLayouts>();

export function recordLayouts(read: ShaderReader): RecordLayouts {
  const before = known.get(read);
  if (before) return before;
  const layouts = {
    row: elementLayout("rnn/encode_initial", "rows", read),
    network: elementLayout("optim/adam", "networks", read),
    stats: elementLayout("optim/adam", "stats", read),
  };
  known.set(read, layouts);
  return layouts;
}

/** Reads field `name` of every record of an array that came back from the device. */
export function readField(layout: StructLayout, bytes: ArrayBuffer, name: string): number[] {
  const field = layout.fields.find((f) => f.name === name);
  if (!field) throw new ShaderError(`${layout.name} has no field ${name}`);
  const view = new DataView(bytes);
  const out: number[] = [];
  for (let at = field.offset; at + 4 <= bytes.byteLength; at += layout.bytes) {
    out.push(field.scalar === "f32" ? view.getFloat32(at, true) : view.getUint32(at, true));
  }
  return out;
}
