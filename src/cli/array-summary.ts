/** What is in a file of arrays, without showing every number. */

import { formatShape, type NpyArray } from "../io/npy.ts";
import { readNpz } from "../io/npz.ts";

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
