/** All bugs, and how one is planted. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HOST } from "./host.mjs";
import { METRICS } from "./metrics.mjs";
import { MODEL } from "./model.mjs";
import { TRAINING } from "./training.mjs";

/** {name, file, find, replace, tests, only?}: `only` picks tests by name, as vitest's -t does. */
export const BUGS = [...MODEL, ...TRAINING, ...METRICS, ...HOST];

/** The file with its bug. Throws where the place is not there, or not only there. */
export function planted(root, { name, file, find, replace }) {
  const source = readFileSync(join(root, file), "utf8");
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: ${file} holds ${places} times: ${find}`);
  return source.replace(find, () => replace);
}

/** Changes with all that makes up a bug: an older verdict on it says nothing then. */
export const identity = (bug) => createHash("sha256").update(JSON.stringify(bug)).digest("hex").slice(0, 12);
