/** Which keys exist where: read from the JSON Schema, so that the zod schema stays the only list of them. */
import { configJsonSchema } from "./schema.ts";
import { suggest } from "./suggest.ts";

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly oneOf?: readonly Node[];
  /** A record or null. */
  readonly anyOf?: readonly Node[];
  readonly additionalProperties?: Node | boolean;
  readonly items?: Node | boolean;
  readonly const?: unknown;
}

let tree: Node | undefined;
function root(): Node {
  tree ??= configJsonSchema() as Node;
  return tree;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function child(node: Node | undefined, key: string | number): Node | undefined {
  if (typeof key === "number") return typeof node?.items === "object" ? node.items : undefined;
  const named = node?.properties && Object.hasOwn(node.properties, key) ? node.properties[key] : undefined;
  return named ?? (typeof node?.additionalProperties === "object" ? node.additionalProperties : undefined);
}

/** Of several kinds, the one that the value says it is. */
function variant(node: Node | undefined, value: unknown): Node | undefined {
  if (node?.anyOf) return node.anyOf.find((option) => option.properties) ?? node;
  if (!node?.oneOf) return node;
  const kind = isObject(value) ? value.kind : undefined;
  return node.oneOf.find((option) => option.properties?.kind?.const === kind);
}

function keysAt(path: readonly (string | number)[], config: unknown): string[] {
  let node: Node | undefined = root();
  let value: unknown = config;
  for (const key of path) {
    node = child(variant(node, value), key);
    value = isObject(value) ? value[key] : undefined;
  }
  return Object.keys(variant(node, value)?.properties ?? {}).filter((key) => key !== "$schema");
}

/** Every key as a dotted path; a condition's name is written `<name>`. */
function allPaths(node: Node = root(), prefix = ""): string[] {
  const found: string[] = [];
  const visit = (key: string, next: Node) => found.push(prefix + key, ...allPaths(next, `${prefix}${key}.`));
  for (const option of node.oneOf ?? node.anyOf ?? [node]) {
    for (const [key, next] of Object.entries(option.properties ?? {})) if (key !== "$schema") visit(key, next);
    if (typeof option.additionalProperties === "object") visit("<name>", option.additionalProperties);
  }
  return [...new Set(found)];
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** Kinds of task that have this key. */
function kindsWith(key: string): string[] {
  return (root().properties?.task?.oneOf ?? [])
    .filter((option) => option.properties && Object.hasOwn(option.properties, key))
    .map((option) => JSON.stringify(option.properties?.kind?.const));
}

/** What to write instead of an unknown key: a sentence in brackets. */
export function hintForKey(path: readonly (string | number)[], key: string, config: unknown): string {
  const siblings = keysAt(path, config);
  if (path.length === 1 && path[0] === "task" && kindsWith(key).length > 0) {
    return `(only for task.kind ${kindsWith(key).join(" or ")})`;
  }
  const near = suggest(key, siblings);
  if (near !== undefined) return `(did you mean "${near}"?)`;
  const paths = allPaths();
  const elsewhere = suggest(key, [...new Set(paths.map(lastPart))]);
  if (elsewhere !== undefined) {
    const homes = paths.filter((p) => lastPart(p) === elsewhere).slice(0, 3);
    return `(did you mean ${homes.map((p) => `"${p}"`).join(" or ")}?)`;
  }
  return `(known here: ${siblings.join(", ")})`;
}
