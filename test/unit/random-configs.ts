/** Keys and values of configurations, right ones and wrong ones, for tests that draw them at random. */
import fc from "fast-check";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { presets } from "../../src/config/presets/index.ts";

/** Dotted paths of all keys of all presets. */
function pathsOf(value: unknown, prefix = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [prefix + key, ...pathsOf(inner, `${prefix}${key}.`)]);
}
export const KEYS = [...new Set(presets().flatMap((p) => pathsOf(loadConfig({ preset: p.name }).config)))];

/** Stands for a value that is right at its key. */
const RIGHT = Symbol("right");
const DEFAULTS = parseConfig({});
export function valueFor(path: string, drawn: unknown): unknown {
  if (drawn !== RIGHT) return drawn;
  let value: unknown = DEFAULTS;
  for (const part of path.split(".")) value = (value as Record<string, unknown> | undefined)?.[part];
  return value;
}

export const near = fc.oneof(
  { weight: 6, arbitrary: fc.constant(RIGHT) },
  fc.constantFrom(0, -0, 1, -1, 0.5, 2, 7, 10, 63, 64, 65, 257, 65536, 2 ** 24, 2 ** 32 - 1, 2 ** 32),
  fc.constantFrom(NaN, Infinity, -Infinity, 1e-320, 1e-45, 1e39, 1e308, "64", "NaN", "relu", "tanh", "ou", "triangle"),
  fc.constantFrom(true, false, null, [], {}, [1], [0, 1], [[0, 0]], "encoded", "fixed", "plain"),
  fc.integer(),
  fc.double(),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

export const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme" }) },
  { weight: 1, arbitrary: fc.constantFrom("__proto__.x", "constructor", "rnn.toString", "networks", "$schema") },
);
