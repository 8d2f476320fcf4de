/**
 * A configuration from its layers: defaults ← preset ← file ← single values. Each value remembers where it came from.
 * Every mistake becomes one UsageError of one line that names the key, the value, what is allowed and where it stood.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type * as z from "zod";
import { UsageError } from "../errors.ts";
import type { LoadedTrials } from "../io/trial-file.ts";
import { withCentres } from "./centres-file.ts";
import { hintForKey } from "./keys.ts";
import { presets } from "./presets/index.ts";
import { trialsOfTask } from "./resolve.ts";
import {
  COMMON_TASK_KEYS,
  type EvaluationSettings,
  type ExperimentConfig,
  evaluationSchema,
  experimentSchema,
} from "./schema.ts";
import { suggest } from "./suggest.ts";

/** One value from a flag of its own. */
export interface Override {
  /** Dotted path of the key. */
  readonly path: string;
  readonly value: unknown;
  /** Where it came from, as told to the user, such as `--steps`. */
  readonly origin: string;
}

/** Layers of a configuration: a preset, what the file changes, what `set` changes, what `overrides` change. */
export interface ConfigSources {
  readonly preset?: string;
  /** A JSON file. */
  readonly file?: string;
  /** `key=value` in order; a value is JSON, or else text. */
  readonly set?: readonly string[];
  readonly overrides?: readonly Override[];
}

/** Dotted path of each leaf → where its value came from. */
export type Provenance = Readonly<Record<string, string>>;

/** The resolved configuration, every key present, and where each value came from. */
export interface LoadedConfig {
  readonly config: ExperimentConfig;
  readonly provenance: Provenance;
}

type Json = Record<string, unknown>;
type Path = readonly PropertyKey[];

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value as JSON on one line, short enough for a message. */
export function show(value: unknown): string {
  let text: string | undefined;
  try {
    text = typeof value === "number" ? String(value) : JSON.stringify(value);
  } catch {
    // Circular, too deep or a bigint: its type must do.
  }
  text ??= typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Numbers as people type them, which JSON refuses: `.5`, `5.`, `+5`. */
const INFORMAL_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The value of a flag: JSON where it is JSON, else a number, else the text itself. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return INFORMAL_NUMBER.test(text) ? Number(text) : text;
  }
}

/** Nothing that the schema knows lies deeper. */
const DEEPEST = 6;

const dotted = (path: Path): string => path.map(String).join(".");

/** Conditions are a dictionary: a layer that names some replaces all, and a named one is replaced whole. */
const isWhole = (path: Path): boolean => path[0] === "replay" && path[1] === "conditions" && path.length <= 3;

function merge(base: unknown, layer: unknown, path: Path): unknown {
  if (!isObject(base) || !isObject(layer) || isWhole(path)) return layer;
  const changesKind = dotted(path) === "task" && layer.kind !== undefined && layer.kind !== base.kind;
  // Steps and masks of a maze say nothing of somebody's tensors.
  const common = layer.kind === "tensors" ? [] : COMMON_TASK_KEYS;
  const kept = Object.entries(base).filter(([key]) => !changesKind || common.includes(key));
  const merged = new Map(kept);
  for (const [key, value] of Object.entries(layer)) merged.set(key, merge(merged.get(key), value, [...path, key]));
  return Object.fromEntries(merged);
}

/** Paths of a value's leaves; lists and empty objects count as leaves. */
function leaves(value: unknown, path: Path): string[] {
  if (!isObject(value) || Object.keys(value).length === 0 || path.length > DEEPEST) {
    return path.length > 0 ? [dotted(path)] : [];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/** The layers applied so far. */
class Layers {
  value: unknown = {};
  readonly origins = new Map<string, string>();

  apply(layer: unknown, origin: string): void {
    this.value = merge(this.value, layer, []);
    this.#remember(leaves(layer, []), origin);
  }

  /** Like `apply` for a single key, which may lie inside a dictionary and then leaves its siblings alone. */
  set(path: Path, value: unknown, origin: string): void {
    const put = (base: unknown, depth: number): unknown => {
      const here = path.slice(0, depth);
      if (depth === path.length) return merge(base, value, here);
      const key = path[depth] as string;
      if (Array.isArray(base)) {
        throw new UsageError(
          `${dotted(here)} is a list: give it whole, as in --set ${dotted(here)}='[…]' (from ${origin})`,
        );
      }
      const changed = put(isObject(base) && Object.hasOwn(base, key) ? base[key] : undefined, depth + 1);
      const own = isObject(base) ? base : {};
      return dotted(here) === "task" ? merge(own, { [key]: changed }, here) : { ...own, [key]: changed };
    };
    this.value = put(this.value, 0);
    this.#remember(leaves(value, path), origin);
  }

  /** Forgets the leaves that a layer has removed. */
  #remember(changed: readonly string[], origin: string): void {
    const present = new Set(leaves(this.value, []));
    for (const leaf of this.origins.keys()) if (!present.has(leaf)) this.origins.delete(leaf);
    for (const leaf of changed) this.origins.set(leaf, origin);
  }

  /** Where the value at, above or below a path came from. */
  originOf(path: Path): string | undefined {
    for (let depth = path.length; depth > 0; depth--) {
      const origin = this.origins.get(dotted(path.slice(0, depth)));
      if (origin !== undefined) return origin;
    }
    const inside = [...this.origins].filter(([leaf]) => path.length === 0 || leaf.startsWith(`${dotted(path)}.`));
    return inside.at(-1)?.[1];
  }
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** One line for the first mistake, and how many more there are. */
function describe(error: z.ZodError, root: unknown, originOf: (path: Path) => string | undefined): UsageError {
  const issue = error.issues[0] as z.core.$ZodIssue;
  const from = (path: Path) => {
    const origin = originOf(path);
    return origin === undefined ? "" : `, from ${origin}`;
  };
  let line: string;
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] as string;
    const path = [...issue.path, key];
    line = `unknown key ${JSON.stringify(dotted(path))} ${hintForKey(issue.path as (string | number)[], key, root)}${from(path)}`;
  } else {
    const message = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    const value = valueAt(root, issue.path);
    const name = issue.path.length === 0 ? "the configuration" : dotted(issue.path);
    line =
      value === undefined
        ? `${name} is missing: it ${message}${from(issue.path)}`
        : `${issue.code === "invalid_key" ? JSON.stringify(name) : `${name} is ${show(value)}`}: ${message}${from(issue.path)}`;
  }
  const more = error.issues.length - 1;
  return new UsageError(more === 0 ? line : `${line} (and ${more} more mistake${more === 1 ? "" : "s"})`, {
    cause: error,
  });
}

/** Checks a value and fills in the defaults. Throws UsageError. */
export function parseConfig(
  value: unknown,
  originOf: (path: Path) => string | undefined = () => undefined,
): ExperimentConfig {
  const conditions = valueAt(value, ["replay", "conditions"]);
  if (isObject(conditions) && Object.hasOwn(conditions, "__proto__")) {
    // zod leaves this one key out without a word.
    throw new UsageError('unknown key "replay.conditions.__proto__": no condition may have this name');
  }
  const result = experimentSchema.safeParse(value);
  if (!result.success) throw describe(result.error, value, originOf);
  return result.data as ExperimentConfig;
}

/**
 * Checks the settings of `evaluate` and fills in the defaults. Throws UsageError.
 * @param origins where each setting came from, such as `--leak`
 */
export function parseEvaluation(
  value: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>> = {},
): EvaluationSettings {
  const result = evaluationSchema.safeParse(value);
  if (!result.success) throw describe(result.error, value, (path) => origins[String(path[0])]);
  return result.data as EvaluationSettings;
}

function findPreset(name: string): unknown {
  const known = presets();
  const preset = known.find((p) => p.name === name);
  if (preset) return preset.config;
  const names = known.map((p) => p.name);
  const near = suggest(name, names);
  const hint = near === undefined ? `known: ${names.join(", ")}` : `did you mean "${near}"?`;
  throw new UsageError(`unknown preset ${show(name)} (${hint})`);
}

/** V8 says "position 12" at most; people count lines. */
function placeOf(message: string, text: string): string {
  const at = /position (\d+)/.exec(message)?.[1];
  if (at === undefined) return "";
  const before = text.slice(0, Number(at)).split("\n");
  return ` at line ${before.length}, column ${(before.at(-1) as string).length + 1}`;
}

/** Why a file cannot be read, in words. */
export function readFailure(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "does not exist";
  if (code === "EISDIR") return "is a directory";
  if (code === "EACCES" || code === "EPERM") return "may not be read";
  if (code === "ENOTDIR") return "lies below something that is not a directory";
  return `cannot be read (${code ?? "unknown reason"})`;
}

function readConfigFile(file: string): Json {
  let text: string;
  try {
    text = readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    throw new UsageError(`config file ${show(file)} ${readFailure(cause)}; \`reverie init\` writes one`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`config file ${show(file)} is not JSON${placeOf((cause as Error).message, text)}`, { cause });
  }
  if (!isObject(value)) throw new UsageError(`config file ${show(file)} must hold a JSON object, not ${show(value)}`);
  const { $schema: _, ...rest } = value;
  return rest;
}

function parseSet(entry: string): Override {
  const at = entry.indexOf("=");
  const path = entry.slice(0, at).trim();
  const parts = path.split(".");
  if (at < 0 || path === "" || parts.includes("")) {
    throw new UsageError(`--set ${show(entry)}: must be key=value, as in --set rnn.leak=0.2`);
  }
  if (parts.length > DEEPEST) throw new UsageError(`unknown key ${show(path)}, from --set (no key is that deep)`);
  return {
    path,
    value: parseValue(entry.slice(at + 1).trim()),
    origin: "--set",
  };
}

/** Keys that name a file. */
const FILE_KEYS: readonly Path[] = [
  ["task", "path"],
  ["task", "cells", "file"],
];

/** So that a run can be gone on with from anywhere. */
function withAbsoluteFiles(config: ExperimentConfig, baseOf: (path: Path) => string): ExperimentConfig {
  const made = structuredClone(config);
  for (const path of FILE_KEYS) {
    const owner = valueAt(made, path.slice(0, -1)) as Json | undefined;
    const key = path.at(-1) as string;
    if (typeof owner?.[key] === "string" && owner[key] !== "") owner[key] = resolve(baseOf(path), owner[key]);
  }
  return made;
}

/** The steps of given tensors are those of their file, unless some are asked for. @throws DataError */
function withSteps(config: ExperimentConfig): ExperimentConfig {
  const { task } = config;
  if (task.kind !== "tensors" || task.steps !== 0) return config;
  return { ...config, task: { ...task, steps: (trialsOfTask(config) as LoadedTrials).task.steps } };
}

/**
 * Defaults ← `preset` ← `file` ← `set` ← `overrides`, checked. Objects merge key by key, but lists are replaced, and so
 * are `replay.conditions` and each condition. A new `task.kind` drops what only the old kind had.
 * Throws UsageError (exit 2).
 */
export function loadConfig(sources: ConfigSources = {}): LoadedConfig {
  const layers = new Layers();
  if (sources.preset !== undefined) layers.apply(findPreset(sources.preset), `preset ${sources.preset}`);
  if (sources.file !== undefined) {
    layers.apply(readConfigFile(sources.file), sources.file);
  }
  const values = [...(sources.set ?? []).map(parseSet), ...(sources.overrides ?? [])];
  // The kind comes first, or it would drop keys of the new kind that were given before it.
  values.sort((a, b) => Number(b.path === "task.kind") - Number(a.path === "task.kind"));
  for (const { path, value, origin } of values) layers.set(path.split("."), value, origin);
  const originOf = (path: Path): string | undefined => layers.originOf(path);
  const named = withAbsoluteFiles(parseConfig(layers.value, originOf), (path) =>
    sources.file !== undefined && originOf(path) === sources.file ? dirname(sources.file) : ".",
  );
  const given = withSteps(named);
  const read = withCentres(given);
  const config = read === given ? given : parseConfig(read, originOf);
  const provenance = Object.fromEntries(
    leaves(config, []).map((leaf) => [leaf, layers.originOf(leaf.split(".")) ?? "default"]),
  );
  return { config, provenance };
}
