/** The only file that knows wgsl_reflect: WGSL → the host contract of a kernel. */
import {
  buildShaderCostTree,
  type TypeInfo,
  type VariableInfo,
  WgslReflect,
} from "wgsl_reflect/wgsl_reflect.module.js";
import { ShaderError } from "../errors.ts";

export type ScalarType = "u32" | "i32" | "f32";

/** A field that the host can fill: a scalar, a vector, or an array of either. */
export interface FieldLayout {
  readonly name: string;
  readonly offset: number;
  readonly scalar: ScalarType;
  /** Scalars per element: 1, 2 or 4. */
  readonly lanes: number;
  /** Elements: 1 unless the field is an array. */
  readonly count: number;
  /** Bytes from one element to the next. */
  readonly stride: number;
}

export interface StructLayout {
  readonly name: string;
  readonly bytes: number;
  readonly fields: readonly FieldLayout[];
}

export interface BindingInfo {
  readonly name: string;
  readonly group: number;
  readonly binding: number;
  readonly kind: "uniform" | "storage" | "read-only-storage";
  /** Bytes of the whole variable, or of one element of a runtime-sized array. */
  readonly minBytes: number;
  /** Layout of a uniform, or of the elements of an array of structs. */
  readonly struct: StructLayout | null;
}

export interface KernelInterface {
  readonly file: string;
  readonly entry: string;
  readonly workgroupSize: readonly [number, number, number];
  readonly bindings: readonly BindingInfo[];
}

const SCALARS = new Set(["u32", "i32", "f32"]);
const VECTORS: Record<string, [ScalarType, number]> = {
  vec2u: ["u32", 2],
  vec4u: ["u32", 4],
  vec2i: ["i32", 2],
  vec4i: ["i32", 4],
  vec2f: ["f32", 2],
  vec4f: ["f32", 4],
};

// wgsl_reflect's classes are wider than its base type says; these are the members read here.
type Wide = TypeInfo & { members?: MemberLike[]; format?: Wide; count?: number; stride?: number };
interface MemberLike {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly type: TypeInfo;
}

function element(type: TypeInfo): [ScalarType, number] | null {
  if (SCALARS.has(type.name)) return [type.name as ScalarType, 1];
  return VECTORS[type.name] ?? null;
}

/** Nested structs are flattened: the field `leak` of the field `cell` is called `cell.leak`. */
function fieldLayouts(type: Wide, where: string, prefix: string, base: number): FieldLayout[] {
  return (type.members ?? []).flatMap((m): FieldLayout[] => {
    const t = m.type as Wide;
    const name = prefix + m.name;
    const offset = base + m.offset;
    if (t.members) return fieldLayouts(t, where, `${name}.`, offset);
    const isArray = t.name === "array" && t.format !== undefined;
    const e = element(isArray ? (t.format as Wide) : t);
    if (!e)
      throw new ShaderError(
        `${where}: field ${name} has type ${t.name}; use scalars, vec2, vec4, arrays of them, or structs`,
      );
    return [
      {
        name,
        offset,
        scalar: e[0],
        lanes: e[1],
        count: isArray ? (t.count ?? 0) : 1,
        stride: isArray ? (t.stride ?? 0) : m.size,
      },
    ];
  });
}

function structLayout(type: Wide, where: string): StructLayout {
  return { name: type.name, bytes: type.size, fields: fieldLayouts(type, where, "", 0) };
}

function bindingInfo(v: VariableInfo, file: string): BindingInfo {
  const type = v.type as Wide;
  const where = `shaders/${file}: ${v.name}`;
  const isUniform = String(v.resourceType) === "0";
  const inner = type.name === "array" ? (type.format as Wide) : type;
  return {
    name: v.name,
    group: v.group,
    binding: v.binding,
    kind: isUniform ? "uniform" : v.access === "read" || v.access === "" ? "read-only-storage" : "storage",
    minBytes: type.name === "array" ? Math.max(type.size, type.stride ?? inner.size) : type.size,
    struct: inner.members ? structLayout(inner, where) : null,
  };
}

/** Module-scope integer constants, for `@workgroup_size(NAME)`. */
function constants(code: string): Map<string, number> {
  const out = new Map<string, number>();
  for (const m of code.matchAll(/^\s*const\s+(\w+)\s*:\s*[ui]32\s*=\s*(\d+)[ui]?\s*;/gm)) {
    out.set(m[1] as string, Number(m[2]));
  }
  return out;
}

export function reflectKernel(file: string, code: string, entry?: string): KernelInterface {
  let module: WgslReflect;
  try {
    module = new WgslReflect(code);
  } catch (cause) {
    throw new ShaderError(`shaders/${file}: wgsl_reflect cannot read it: ${(cause as Error).message}`, { cause });
  }
  const entries = module.entry.compute;
  const fn = entry === undefined ? entries[0] : entries.find((e) => e.name === entry);
  if (!fn || (entry === undefined && entries.length !== 1)) {
    throw new ShaderError(
      `shaders/${file}: wanted entry point ${entry ?? "(the only one)"}, found ${entries.map((e) => e.name).join(", ")}`,
    );
  }
  const known = constants(code);
  const raw = fn.attributes?.find((a) => a.name === "workgroup_size")?.value;
  const dims = (Array.isArray(raw) ? raw : [raw]).map((d) => {
    const n = known.get(String(d)) ?? Number.parseInt(String(d), 10);
    if (!Number.isInteger(n)) throw new ShaderError(`shaders/${file}: workgroup size ${d} is not a literal or a const`);
    return n;
  });
  return {
    file,
    entry: fn.name,
    workgroupSize: [dims[0] ?? 1, dims[1] ?? 1, dims[2] ?? 1],
    bindings: fn.resources.map((r) => bindingInfo(r, file)).sort((a, b) => a.group - b.group || a.binding - b.binding),
  };
}

/** Operations of one invocation, from the text alone: a hint where to look, never a measurement. */
export interface StaticCost {
  readonly arithmetic: number;
  /** Divisions, square roots and the like. */
  readonly special: number;
  /** Reads and writes of buffers. */
  readonly memory: number;
  /** Loops whose length is known at run time only, and is taken as 8. */
  readonly openLoops: number;
}

export function staticCost(code: string, entry: string): StaticCost {
  const { entries, warnings } = buildShaderCostTree(code);
  const cost = entries.find((e) => e.name === entry)?.cost ?? { alu: 0, sfu: 0, memory: 0 };
  return {
    arithmetic: Math.round(cost.alu),
    special: Math.round(cost.sfu),
    memory: Math.round(cost.memory),
    openLoops: warnings.filter((w) => w.startsWith("Loop")).length,
  };
}
