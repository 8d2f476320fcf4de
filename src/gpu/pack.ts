/** Packs plain records into the byte layout that WGSL declares. Unknown and missing fields are errors. */
import { ShaderError } from "../errors.ts";
import type { FieldLayout, StructLayout } from "./reflect.ts";

export type FieldValues = Readonly<Record<string, number | readonly number[]>>;

function store(view: DataView, at: number, scalar: FieldLayout["scalar"], value: number): void {
  if (scalar === "f32") view.setFloat32(at, value, true);
  else if (scalar === "u32") view.setUint32(at, value, true);
  else view.setInt32(at, value, true);
}

function packField(
  view: DataView,
  base: number,
  field: FieldLayout,
  value: number | readonly number[],
  where: string,
): void {
  const values = typeof value === "number" ? [value] : value;
  const room = field.lanes * field.count;
  if (values.length > room || (field.count === 1 && values.length !== room)) {
    throw new ShaderError(`${where}.${field.name} takes ${room} numbers, got ${values.length}`);
  }
  values.forEach((v, i) => {
    if (typeof v !== "number" || (field.scalar !== "f32" && !Number.isInteger(v))) {
      throw new ShaderError(`${where}.${field.name} is a ${field.scalar}, got ${v}`);
    }
    const element = Math.floor(i / field.lanes);
    store(view, base + field.offset + element * field.stride + (i % field.lanes) * 4, field.scalar, v);
  });
}

export function packStruct(layout: StructLayout, values: FieldValues, view: DataView, base = 0): void {
  for (const name of Object.keys(values)) {
    if (!layout.fields.some((f) => f.name === name)) {
      throw new ShaderError(
        `${layout.name} has no field ${name}; it has ${layout.fields.map((f) => f.name).join(", ")}`,
      );
    }
  }
  for (const field of layout.fields) {
    const value = values[field.name];
    if (value === undefined) throw new ShaderError(`${layout.name}.${field.name} was not given`);
    packField(view, base, field, value, layout.name);
  }
}

/** An array of structs, one record after another. */
export function packArray(layout: StructLayout, records: readonly FieldValues[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layout.bytes * records.length);
  const view = new DataView(bytes.buffer);
  records.forEach((r, i) => {
    packStruct(layout, r, view, i * layout.bytes);
  });
  return bytes;
}
