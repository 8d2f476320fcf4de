/** Where a verb writes its result. */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { DiskError } from "../errors.ts";
import { makeDirectory, probeWritable } from "../io/disk.ts";

/**
 * Finds out before the work, not after it, that a result cannot be written. Creates its folder where it is missing.
 * @throws DiskError
 */
export function prepareOutput(path: string): void {
  const folder = dirname(path);
  makeDirectory(folder);
  probeWritable(folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new DiskError(`${path}: a folder stands where a file is needed; choose another path`);
  }
}
