/**
 * Results of experiments as JSON and back. JSON has no NaN and no infinities; here they are the words "NaN", "Infinity"
 * and "-Infinity", which no result uses otherwise. Typed arrays come back as lists.
 */

const WORDS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

function toWords(value: unknown): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float64Array, toWords);
  if (Array.isArray(value)) return value.map(toWords);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, toWords(v)]));
}

/** One line. */
export const resultText = (value: unknown): string => JSON.stringify(toWords(value));

/** Numbers where `resultText` wrote words. */
export function fromWords(value: unknown): unknown {
  if (typeof value === "string") return Object.hasOwn(WORDS, value) ? WORDS[value] : value;
  if (Array.isArray(value)) return value.map(fromWords);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, fromWords(v)]));
}
