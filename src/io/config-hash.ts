/** Whether two configurations are the same, and where they are not. */
import { createHash } from "node:crypto";
import { canonicalJson } from "./json.ts";

/** SHA-256 in hex of the canonical JSON: the order of keys and the layout of the file do not matter. */
export function configHash(config: unknown): string {
  return createHash("sha256").update(canonicalJson(config)).digest("hex");
}

/**
 * Dotted paths at which `a` and `b` differ, sorted, such as `["rnn.leak", "seeds"]`. Lists count as one value;
 * a member that only one of them has is named without what is below it.
 */
export function differingKeys(a: unknown, b: unknown): string[] {
  const keys: string[] = [];
  collect(a, b, "", keys);
  return keys.sort();
}

function collect(a: unknown, b: unknown, path: string, keys: string[]): void {
  if (isRecord(a) && isRecord(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      collect(a[key], b[key], path === "" ? key : `${path}.${key}`, keys);
    }
  } else if (a === undefined || b === undefined ? a !== b : canonicalJson(a) !== canonicalJson(b)) {
    keys.push(path);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
