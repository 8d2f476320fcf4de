/** Kinds of value that a configuration holds: each with its range, and the sentence that refuses what lies outside. */
import * as z from "zod";

/** Far inside float32, so that no accepted value becomes infinite on the device. */
export const LARGE = 1e6;
export const U32_MAX = 0xffffffff;

export const integer = (minimum: number, maximum: number, meaning: string) => {
  const error = `must be an integer from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error }).describe(meaning);
};

export const number = (minimum: number, maximum: number, meaning: string) => {
  const error = `must be a number from ${minimum} to ${maximum}`;
  return z.number({ error }).min(minimum, { error }).max(maximum, { error }).describe(meaning);
};

export const positive = (maximum: number, meaning: string) => {
  const error = `must be a number above 0 and at most ${maximum}`;
  return z.number({ error }).gt(0, { error }).max(maximum, { error }).describe(meaning);
};

export const boolean = (meaning: string) => z.boolean({ error: "must be true or false" }).describe(meaning);

export const choice = <const T extends readonly (string | number)[]>(values: T, meaning: string) =>
  z
    .literal(values, {
      error: `must be one of ${values.map((v) => JSON.stringify(v)).join(", ")}`,
    })
    .describe(meaning);

/** Only the wrong type gets our words here; unknown keys are named one by one in `load.ts`. */
export const typed = (message: string) => ({
  error: (issue: { code?: string }) => (issue.code === "invalid_type" ? message : undefined),
});

export const record = <S extends z.core.$ZodLooseShape>(shape: S, meaning: string) =>
  z.strictObject(shape, typed("must be an object")).describe(meaning);

export const listOf = <T extends z.ZodType>(
  item: T,
  minimum: number,
  maximum: number,
  what: string,
  meaning: string,
) => {
  const error = `must be a list of ${minimum === maximum ? minimum : `${minimum} to ${maximum}`} ${what}`;
  return z.array(item, { error }).min(minimum, { error }).max(maximum, { error }).describe(meaning);
};

type AllOptional<S extends Record<string, z.ZodType>> = {
  [K in keyof S]: z.ZodExactOptional<S[K]>;
};

/** Each field may be left out, but is not `undefined` where it stands. */
export const allOptional = <S extends Record<string, z.ZodType>>(shape: S): AllOptional<S> =>
  Object.fromEntries(Object.entries(shape).map(([key, type]) => [key, type.exactOptional()])) as AllOptional<S>;

export const seed = (meaning: string) => integer(0, U32_MAX, meaning);

export const metres = (minimum: number, meaning: string) => number(minimum, LARGE, `${meaning}, metres.`);

const coordinate = number(-LARGE, LARGE, "Coordinate, metres.");
export const point = (meaning: string) => {
  const error = "must be a point [x, y], metres";
  return z.tuple([coordinate, coordinate], { error }).describe(meaning);
};
