/** From what a user asks for, a grid, a list or a random sample, to the conditions of a sweep. */
import { createHash } from "node:crypto";
import { loadConfig, parseValue, show } from "../config/load.ts";
import { suggest } from "../config/suggest.ts";
import { UsageError } from "../errors.ts";
import { type Condition, PARAMETERS, type Parameter, type SweepDefinition } from "./definition.ts";

type Value = number | boolean;

/** One `--grid`: values to take, or with `--random` also a range to draw from. */
export interface Axis {
  readonly parameter: Parameter;
  readonly values: readonly Value[];
  /** `start:stop` without a count. */
  readonly range: { readonly start: number; readonly stop: number; readonly log: boolean } | null;
}

export interface ConditionRequest {
  /** `parameter=a,b,c`, `parameter=start:stop:count` or `parameter=log:start:stop:count`. */
  readonly grid: readonly string[];
  /** What a JSON file lists. */
  readonly list: { readonly value: unknown; readonly origin: string } | null;
  /** Conditions to draw, or null for the whole grid. */
  readonly random: number | null;
  readonly rootSeed: number;
}

/** The epoch word of the noise has 24 bits, and a table of a million conditions is read by nobody. */
const MAX_CONDITIONS = 2 ** 20;

function parameterOf(name: string, origin: string): Parameter {
  const found = PARAMETERS.find((p) => p === name);
  if (found) return found;
  const near = suggest(name, PARAMETERS);
  const hint = near === undefined ? `known: ${PARAMETERS.join(", ")}` : `did you mean "${near}"?`;
  throw new UsageError(`${origin}: unknown step parameter ${show(name)} (${hint})`);
}

/** Checks a value against the configuration's own range. @throws UsageError */
function check(parameter: Parameter, value: unknown, origin: string): Value {
  loadConfig({
    preset: "tiny",
    overrides: [{ path: "replay.conditions", value: { sweep: { [parameter]: value } }, origin }],
  });
  return value as Value;
}

function numberOf(text: string, origin: string): number {
  const value = parseValue(text);
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new UsageError(`${origin}: ${show(text)} is not a number; use a,b,c or start:stop:count`);
  }
  return value;
}

/** Twelve digits: 0.06 and not 0.06000000000000001, and the same number whoever writes the grid as a list. */
const tidy = (x: number): number => Number(x.toPrecision(12));

function between(start: number, stop: number, share: number, log: boolean): number {
  return tidy(log ? start * (stop / start) ** share : start + (stop - start) * share);
}

function rangeOf(parameter: Parameter, text: string, origin: string): Pick<Axis, "values" | "range"> {
  const log = text.startsWith("log:");
  const parts = (log ? text.slice(4) : text).split(":");
  if (parts.length < 2 || parts.length > 3) {
    throw new UsageError(`${origin}: must be start:stop:count, as in adaptStrength=0:0.2:11`);
  }
  const [start, stop] = [numberOf(parts[0] as string, origin), numberOf(parts[1] as string, origin)];
  check(parameter, start, origin);
  check(parameter, stop, origin);
  if (log && !(start > 0 && stop > 0)) throw new UsageError(`${origin}: a logarithmic range needs ends above 0`);
  if (parts.length === 2) return { values: [], range: { start, stop, log } };
  const count = numberOf(parts[2] as string, origin);
  if (!(Number.isInteger(count) && count >= 1 && count <= MAX_CONDITIONS)) {
    throw new UsageError(`${origin}: the count must be a whole number from 1 to ${MAX_CONDITIONS}`);
  }
  return {
    values: Array.from({ length: count }, (_, i) => between(start, stop, count > 1 ? i / (count - 1) : 0, log)),
    range: null,
  };
}

/** @throws UsageError */
export function parseAxis(text: string): Axis {
  const origin = `--grid ${text}`;
  const at = text.indexOf("=");
  if (at < 0) throw new UsageError(`${origin}: must be parameter=values, as in --grid friction=1,0.6,0.3`);
  const parameter = parameterOf(text.slice(0, at).trim(), origin);
  const right = text.slice(at + 1).trim();
  if (right === "") throw new UsageError(`${origin}: names no values`);
  if (right.includes(":")) {
    if (parameter === "noiseFriction") throw new UsageError(`${origin}: must be true, false or both`);
    return { parameter, ...rangeOf(parameter, right, origin) };
  }
  const values = right.split(",").map((v) => check(parameter, parseValue(v.trim()), origin));
  return { parameter, values, range: null };
}

function parseAxes(grid: readonly string[]): Axis[] {
  const axes = grid.map(parseAxis);
  axes.forEach((axis, i) => {
    if (axes.findIndex((a) => a.parameter === axis.parameter) < i) {
      throw new UsageError(`--grid names ${axis.parameter} twice; give all its values at once`);
    }
    const twice = axis.values.find((v, j) => axis.values.indexOf(v) < j);
    if (twice !== undefined) throw new UsageError(`--grid ${axis.parameter}: ${twice} occurs twice`);
  });
  return axes;
}

function product(axes: readonly Axis[]): Condition[] {
  const count = axes.reduce((n, a) => n * a.values.length, 1);
  if (count > MAX_CONDITIONS)
    throw new UsageError(`the grid has ${count} conditions, at most ${MAX_CONDITIONS} are run`);
  let out: Condition[] = [{}];
  for (const { parameter, values } of axes) {
    out = out.flatMap((own) => values.map((value) => ({ ...own, [parameter]: value })));
  }
  return out;
}

/** A number in (0, 1) for draw i of an axis: asking for more conditions changes none of the first ones. */
function draw(rootSeed: number, i: number, axis: number): number {
  const digest = createHash("sha256").update(`sweep ${rootSeed} ${i} ${axis}`).digest();
  return (digest.readUInt32LE(0) + 0.5) / 2 ** 32;
}

function sample(axes: readonly Axis[], count: number, rootSeed: number): Condition[] {
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      axes.map(({ parameter, values, range }, axis) => {
        const u = draw(rootSeed, i, axis);
        const value = range ? between(range.start, range.stop, u, range.log) : values[Math.floor(u * values.length)];
        return [parameter, value as Value];
      }),
    ),
  );
}

function listed(value: unknown, origin: string): Condition[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_CONDITIONS) {
    throw new UsageError(`${origin}: must be a JSON list of conditions, as in [{"friction": 0.6}, {"friction": 0.3}]`);
  }
  const seen = new Map<string, number>();
  return value.map((entry: unknown, i) => {
    const where = `${origin}: condition ${i}`;
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
      throw new UsageError(`${where} is ${show(entry)}; must be an object of step parameters`);
    }
    const own: [Parameter, Value][] = Object.entries(entry).map(([name, v]) => {
      const parameter = parameterOf(name, where);
      return [parameter, check(parameter, v, where)];
    });
    const condition: Condition = Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
    const key = JSON.stringify(condition);
    if (seen.has(key)) throw new UsageError(`${where} is the same as condition ${seen.get(key)}`);
    seen.set(key, i);
    return condition;
  });
}

/** @throws UsageError */
export function conditionsOf(request: ConditionRequest): Pick<SweepDefinition, "axes" | "conditions"> {
  const { list, random } = request;
  if (list !== null) {
    if (request.grid.length > 0 || random !== null) {
      throw new UsageError("--list excludes --grid and --random; give one of them");
    }
    return { axes: [], conditions: listed(list.value, list.origin) };
  }
  const axes = parseAxes(request.grid);
  if (axes.length === 0) throw new UsageError("what is to be swept? Give --grid friction=1,0.6,0.3, or --list FILE");
  if (random !== null) {
    if (!(Number.isInteger(random) && random >= 1 && random <= MAX_CONDITIONS)) {
      throw new UsageError(`--random ${random}: must be a whole number from 1 to ${MAX_CONDITIONS}`);
    }
    return { axes: [], conditions: sample(axes, random, request.rootSeed) };
  }
  const open = axes.find((a) => a.range !== null);
  if (open) throw new UsageError(`--grid ${open.parameter}: how many values? Use start:stop:count, or --random N`);
  return { axes: axes.map(({ parameter, values }) => ({ parameter, values })), conditions: product(axes) };
}
