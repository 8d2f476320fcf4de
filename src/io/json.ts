/** JSON files of a run directory, and JSON in one canonical spelling for hashes. */
import { DataError } from "../errors.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { readSmallFile } from "./disk.ts";

/** Typed arrays become plain lists; without this they would become objects with numbered keys. */
function listsForTypedArrays(_key: string, value: unknown): unknown {
  return ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value as Float32Array) : value;
}

/** One line. JSON has no word for NaN and infinities: they become null, which pandas reads as NaN. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, listsForTypedArrays)}\n`;
}

/** @throws DiskError */
export function writeJson(path: string, value: unknown): void {
  writeFileAtomically(path, `${JSON.stringify(value, listsForTypedArrays, 2)}\n`);
}

/** @throws DataError for a missing file or one that is not JSON */
export function readJson(path: string): unknown {
  return parseJson(readSmallFile(path).toString("utf8"), path);
}

/** Nothing of ours is nested deeper. */
const MAX_DEPTH = 64;

/**
 * JSON of a stranger: what walks over the value afterwards may recurse.
 * @throws DataError naming `where`, also for a value nested so deeply that no file of ours can be it
 */
export function parseJson(text: string, where: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : "";
    throw new DataError(`${where}: not JSON (${why}); restore the file or mend it by hand`, { cause: error });
  }
  if (isDeep(value)) throw new DataError(`${where}: nested more than ${MAX_DEPTH} deep; is it the right file?`);
  return value;
}

/** Level by level, without recursion. */
export function isDeep(value: unknown, most = MAX_DEPTH): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    level = level.flatMap((v) => (typeof v === "object" && v !== null ? Object.values(v) : []));
  }
  return false;
}

/**
 * One text for equal values: keys sorted, no spaces, undefined members left out.
 * @throws Error for what JSON cannot hold exactly, such as NaN
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Error(`${value} has no place in JSON`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(",")}}`;
  }
  throw new Error(`not plain JSON: ${String(value)}`);
}
