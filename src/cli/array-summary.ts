/** What is in a file of arrays, without showing every number. */
import { basename, dirname, join } from "node:path";
import { DataError } from "../errors.ts";
import { readJson } from "../io/json.ts";
import { formatShape, isShape, type NpyArray } from "../io/npy.ts";
import { readNpz } from "../io/npz.ts";
import { readSafetensors } from "../io/safetensors.ts";

export interface ArraySummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of the finite elements; null where there is none. */
  readonly min: number | null;
  readonly max: number | null;
  /** NaN and infinities. */
  readonly nonFinite: number;
}

export interface FileSummary {
  readonly path: string;
  readonly arrays: readonly ArraySummary[];
  /** What a checkpoint says about itself. */
  readonly meta: Readonly<Record<string, unknown>> | null;
}

export function summariseArray({ name, dtype, shape, data }: NpyArray): ArraySummary {
  let min = Infinity;
  let max = -Infinity;
  let nonFinite = 0;
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (!Number.isFinite(value)) nonFinite++;
    else {
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  const any = min <= max;
  return { name, dtype, shape, min: any ? min : null, max: any ? max : null, nonFinite };
}

/** JSON as bytes, as checkpoints carry it; null for anything else. */
function asMeta(array: NpyArray): Record<string, unknown> | null {
  if (array.name !== "meta" || !(array.data instanceof Uint8Array)) return null;
  try {
    const value: unknown = JSON.parse(Buffer.from(array.data).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** One array is in memory at a time, for a sweep's file may be larger than that. @throws DataError */
export function summariseNpz(path: string): FileSummary {
  const names: string[] = [];
  readNpz(path, {
    only: (name) => {
      names.push(name);
      return false;
    },
  });
  let meta: FileSummary["meta"] = null;
  const arrays: ArraySummary[] = [];
  for (const wanted of names) {
    for (const array of readNpz(path, { only: (name) => name === wanted }).values()) {
      meta ??= asMeta(array);
      arrays.push(summariseArray(array));
    }
  }
  return { path, arrays, meta };
}

/** A file of weights; dtypes are those that its values are read into. @throws DataError */
function summariseSafetensors(path: string): FileSummary {
  const { tensors, metadata } = readSafetensors(path);
  return { path, arrays: [...tensors.values()].map(summariseArray), meta: metadata };
}

/** The arrays of a dump in several files, put together but in their ranges. @throws DataError */
function summariseIndex(path: string): FileSummary {
  const index = readJson(path) as { format?: unknown; arrays?: Record<string, Partial<IndexedArray>> } | null;
  const entries = Object.entries(index?.arrays ?? {});
  const sound = ({ shape, dtype, blocks }: Partial<IndexedArray>): boolean =>
    shape !== undefined && isShape(shape) && typeof dtype === "string" && Array.isArray(blocks);
  if (index?.format !== "reverie-shards" || !entries.every(([, entry]) => entry !== null && sound(entry))) {
    throw new DataError(`${path}: not the index of a dump in several files; write it again with reverie dump`);
  }
  const ranges = new Map<string, ArraySummary>();
  const files = new Set(
    entries.flatMap(([, entry]) => (entry as IndexedArray).blocks.map(({ file }) => basename(file))),
  );
  for (const file of files) {
    for (const part of summariseNpz(join(dirname(path), file)).arrays) {
      const name = part.name.replace(/\.\d+$/, "");
      const before = ranges.get(name) ?? part;
      const least = (pick: (...x: number[]) => number, key: "min" | "max") =>
        before[key] === null || part[key] === null ? (before[key] ?? part[key]) : pick(before[key], part[key]);
      const nonFinite = before === part ? part.nonFinite : before.nonFinite + part.nonFinite;
      ranges.set(name, { ...part, nonFinite, min: least(Math.min, "min"), max: least(Math.max, "max") });
    }
  }
  const arrays = entries.map(([name, entry]): ArraySummary => {
    const { shape, dtype } = entry as IndexedArray;
    return { ...{ min: null, max: null, nonFinite: 0, ...ranges.get(name) }, name, dtype, shape };
  });
  return { path: `${path}, ${files.size} files`, arrays, meta: null };
}

/** What an index says of an array. */
interface IndexedArray {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly blocks: readonly { readonly file: string }[];
}

/** Of any file of arrays that reverie writes. @throws DataError */
export function summariseFile(path: string): FileSummary {
  if (path.endsWith(".safetensors")) return summariseSafetensors(path);
  return path.endsWith(".index.json") ? summariseIndex(path) : summariseNpz(path);
}

const digits = (value: number | null): string => (value === null ? "–" : String(Number(value.toPrecision(6))));

/** A table of the arrays: name, type, shape, range. */
export function formatSummary({ path, arrays, meta }: FileSummary): string {
  const rows = arrays.map((a) => [
    a.name,
    a.dtype,
    formatShape(a.shape),
    `${digits(a.min)} … ${digits(a.max)}`,
    a.nonFinite === 0 ? "" : `${a.nonFinite} not finite`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd());
  if (meta !== null) {
    // The configuration is in config.json, where people can read it.
    const { config: _, ...facts } = meta;
    lines.push(`  meta: ${JSON.stringify(facts)}`);
  }
  return [path, ...lines].join("\n");
}
