/**
 * Paths that somebody recorded, from .npz or CSV: trials of positions with their times, as they stand in the file. Nothing
 * is left out and nothing mended: a value that is no finite number, a time that does not rise and a trial without samples
 * are refused with the place where they stand.
 */
import { DataError } from "../errors.ts";
import { parseCsv } from "./csv.ts";
import { readSmallFile } from "./disk.ts";
import { formatShape } from "./npy.ts";
import { expectArray, type Npz, readNpz } from "./npz.ts";

export interface Trial {
  /** For messages: `trial 3`, or the CSV's own name of it. */
  readonly name: string;
  /** (samples, 2), metres. */
  readonly positions: Float64Array;
  /** Seconds, strictly rising; null where the file has none. */
  readonly times: Float64Array | null;
}

export interface Recording {
  readonly path: string;
  readonly trials: readonly Trial[];
}

/**
 * `.csv`: columns `x`, `y` and, where they are known, `trial` and `t`, one sample a line. Anything else is .npz with
 * `positions` (trials, samples, 2), or (samples, 2) with `lengths` or `offsets` of the trials, and perhaps `timestamps`.
 * @throws DataError naming file, array or row, and index
 */
export function readRecording(path: string): Recording {
  const recording = /\.csv$/i.test(path) ? fromCsv(path) : fromNpz(path);
  for (const trial of recording.trials) checkTimes(path, trial);
  return recording;
}

function checkTimes(path: string, { name, positions, times }: Trial): void {
  if (positions.length === 0) throw new DataError(`${path}: ${name} has no samples; leave it out`);
  const at = times?.findIndex((t, i) => i > 0 && !(t > (times[i - 1] as number))) ?? -1;
  if (times && at >= 0) {
    const [before, now] = [times[at - 1], times[at]];
    throw new DataError(`${path}: ${name}: sample ${at} at ${now} s comes after one at ${before} s; times must rise`);
  }
}

const NAMES = ["positions", "lengths", "offsets", "timestamps"];

function fromNpz(path: string): Recording {
  const others: string[] = [];
  const npz = readNpz(path, {
    only: (name) => {
      if (!NAMES.includes(name)) others.push(name);
      return NAMES.includes(name);
    },
  });
  const array = npz.get("positions");
  if (!array) {
    const found = [...npz.keys(), ...others].join(", ") || "no arrays";
    throw new DataError(`${path}: positions: missing; the file has ${found}`);
  }
  const isBlock = array.shape.length === 3;
  const shape = isBlock ? ["trials", "samples", 2] : ["samples", 2];
  const positions = expectArray(npz, "positions", { dtype: "float64", shape });
  const borders = isBlock ? blockBorders(npz, array.shape) : raggedBorders(npz, array.shape[0] as number);
  const times = npz.has("timestamps") ? timestamps(npz, array.shape) : null;
  const perTrial = times && times.length !== positions.length / 2;
  return {
    path,
    trials: borders.slice(1).map((end, i) => {
      const start = borders[i] as number;
      // One row of times may serve all trials.
      const own = times && (perTrial ? times.slice(0, end - start) : times.slice(start, end));
      return { name: `trial ${i}`, positions: positions.slice(2 * start, 2 * end), times: own };
    }),
  };
}

function blockBorders(npz: Npz, shape: readonly number[]): number[] {
  for (const name of ["lengths", "offsets"]) {
    if (npz.has(name)) {
      throw new DataError(
        `${npz.path}: ${name}: positions ${formatShape(shape)} are whole trials; ragged ones are (samples, 2)`,
      );
    }
  }
  const [trials, samples] = shape as [number, number];
  if (trials === 0) throw new DataError(`${npz.path}: positions: no trials; at least one is needed`);
  return Array.from({ length: trials + 1 }, (_, i) => i * samples);
}

/** First sample of each trial, and one past the last. */
function raggedBorders(npz: Npz, samples: number): number[] {
  if (npz.has("lengths") && npz.has("offsets")) {
    throw new DataError(`${npz.path}: lengths, offsets: give one of them`);
  }
  const name = npz.has("lengths") ? "lengths" : "offsets";
  if (!npz.has(name)) return [0, samples];
  const values = wholeNumbers(npz, name);
  const borders = [0];
  if (name === "lengths") for (const length of values) borders.push((borders.at(-1) as number) + length);
  else borders.splice(0, 1, ...values, ...(values.at(-1) === samples ? [] : [samples]));
  const last = borders.at(-1) as number;
  if (borders[0] !== 0 || last !== samples || borders.some((b, i) => i > 0 && b < (borders[i - 1] as number))) {
    throw new DataError(
      `${npz.path}: ${name}: trials end at ${last} of ${samples} samples of positions; they must begin at 0, rise, and hold every sample`,
    );
  }
  return borders;
}

function wholeNumbers(npz: Npz, name: string): number[] {
  const array = npz.get(name);
  const values = Array.from(array?.data ?? [], Number);
  if (array?.shape.length !== 1 || values.length === 0) {
    throw new DataError(`${npz.path}: ${name}: expected (trials), found ${formatShape(array?.shape ?? [])}`);
  }
  const bad = values.findIndex((v) => !(Number.isSafeInteger(v) && v >= 0));
  if (bad >= 0) throw new DataError(`${npz.path}: ${name}: ${values[bad]} at (${bad}); must be a whole number ≥ 0`);
  return values;
}

/** As many as samples, or one row for all trials. */
function timestamps(npz: Npz, shape: readonly number[]): Float64Array {
  const own = npz.get("timestamps")?.shape.length;
  const [first, second] = shape as [number, number];
  const wanted = shape.length === 3 ? (own === 1 ? [second] : [first, second]) : [first];
  return expectArray(npz, "timestamps", { dtype: "float64", shape: wanted });
}

function fromCsv(path: string): Recording {
  const rows = parseCsv(
    readSmallFile(path)
      .toString("utf8")
      .replace(/^\uFEFF/, ""),
    path,
  );
  const [first] = rows;
  if (!first)
    throw new DataError(`${path}: no samples; a header line such as trial,t,x,y and one line a sample are needed`);
  const has = (column: string): boolean => Object.hasOwn(first, column);
  for (const column of ["x", "y"]) {
    if (!has(column)) {
      throw new DataError(`${path}: no column ${column}; found ${Object.keys(first).join(", ")}; metres are expected`);
    }
  }
  const number = (row: Record<string, string>, column: string, i: number): number => {
    const text = (row[column] as string).trim();
    const value = text === "" ? Number.NaN : Number(text);
    if (Number.isFinite(value)) return value;
    throw new DataError(`${path}: row ${i + 1}: ${column} is ${JSON.stringify(text)}; must be a finite number`);
  };
  const trials = new Map<string, { positions: number[]; times: number[] }>();
  let before: string | undefined;
  rows.forEach((row, i) => {
    const name = has("trial") ? `trial ${row.trial}` : "trial 0";
    let trial = trials.get(name);
    if (trial && name !== before) {
      throw new DataError(`${path}: row ${i + 1}: ${name} goes on after another one; keep its rows together`);
    }
    if (!trial) {
      trial = { positions: [], times: [] };
      trials.set(name, trial);
    }
    before = name;
    trial.positions.push(number(row, "x", i), number(row, "y", i));
    if (has("t")) trial.times.push(number(row, "t", i));
  });
  return {
    path,
    trials: [...trials].map(([name, { positions, times }]) => ({
      name,
      positions: Float64Array.from(positions),
      times: has("t") ? Float64Array.from(times) : null,
    })),
  };
}
