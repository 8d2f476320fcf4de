/** .npz files: named arrays that `numpy.load` reads, in a zip without compression, written atomically. */
import { DataError, UsageError } from "../errors.ts";
import { availableMemory } from "./memory.ts";
import {
  bytesOf,
  type Dtype,
  decodeNpy,
  dtypeOf,
  elementBytes,
  elementCount,
  encodeNpyHeader,
  formatShape,
  isShape,
  type NpyArray,
  type TypedArray,
} from "./npy.ts";
import { ZipReader, ZipWriter } from "./zip.ts";

/** What a stranger's file may ask for. */
export interface NpzLimits {
  readonly arrays: number;
  /** Bytes of all arrays together, unpacked. */
  readonly totalBytes: number;
}

/** A small file is read however little memory there is. */
const ALWAYS_READ = 64 << 20;

/** A compressed file of megabytes may claim gigabytes. */
const defaultLimits = (): NpzLimits => ({
  arrays: 65_534,
  totalBytes: Math.min(2 ** 32, Math.max(ALWAYS_READ, availableMemory())),
});

export interface ReadNpzOptions extends Partial<NpzLimits> {
  /** Reads only the arrays for which it is true; the others are neither unpacked nor checked. */
  readonly only?: (name: string) => boolean;
}

/** The arrays of a file by name, in the order of the file. */
export class Npz extends Map<string, NpyArray> {
  readonly path: string;
  constructor(path: string) {
    super();
    this.path = path;
  }
}

/** An array to be written; without `shape` it has one axis. */
export interface ArrayToWrite {
  readonly data: TypedArray;
  readonly shape?: readonly number[];
}

const SUFFIX = ".npy";

function nameProblem(name: string): string | null {
  if (name === "" || name.length > 200) return "must have 1 to 200 characters";
  // A tool that unpacks the archive would write outside its folder.
  if (/[/\\\0]/.test(name) || name.includes("..")) return "must not contain a slash, a backslash or '..'";
  return null;
}

/**
 * Reads a .npz, stored or compressed; every array's CRC-32 is verified.
 * @throws DataError naming file, array, expected and found; DiskError where permission is lacking
 */
export function readNpz(path: string, options: ReadNpzOptions = {}): Npz {
  const limits = { ...defaultLimits(), ...options };
  const npz = new Npz(path);
  const zip = new ZipReader(path);
  try {
    if (zip.entries.length > limits.arrays) {
      throw new DataError(
        `${path}: ${zip.entries.length} arrays, at most ${limits.arrays} are read; is it the right file?`,
      );
    }
    let total = 0;
    for (const entry of zip.entries) {
      const name = entry.name.endsWith(SUFFIX) ? entry.name.slice(0, -SUFFIX.length) : "";
      const problem = nameProblem(name);
      if (problem !== null) {
        throw new DataError(`${path}: member ${JSON.stringify(entry.name)}: not NAME.npy, or NAME ${problem}`);
      }
      if (options.only !== undefined && !options.only(name)) continue;
      total += Math.max(entry.bytes, entry.packedBytes);
      if (total > limits.totalBytes) {
        throw new DataError(
          `${path}: ${name} brings it to ${total} bytes, at most ${limits.totalBytes} are read; split the file`,
        );
      }
      npz.set(name, decodeNpy(zip.read(entry), name, `${path}: ${name}`));
    }
  } finally {
    zip.close();
  }
  return npz;
}

/**
 * Writes all arrays, or leaves what was at `path` as it is.
 * @throws UsageError for a bad name or more than 4 GiB; DiskError
 */
export function writeNpz(path: string, arrays: Readonly<Record<string, ArrayToWrite>>): void {
  const writer = new NpzWriter(path);
  try {
    for (const [name, { data, shape = [data.length] }] of Object.entries(arrays)) {
      writer.add(name, shape, dtypeOf(data));
      writer.append(data);
    }
    writer.close();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/**
 * Writes arrays that are never in memory as a whole: `add` names one, `append` brings its elements in C order in
 * pieces of any length, `close` puts the file in place. Where the caller itself fails in between it calls `abort`;
 * after that, and after any error of the writer, nothing is left behind.
 */
export class NpzWriter {
  readonly #path: string;
  readonly #zip: ZipWriter;
  readonly #names = new Set<string>();
  #dtype: Dtype | null = null;

  /** @throws DiskError */
  constructor(path: string, o: { readonly large?: boolean } = {}) {
    this.#path = path;
    this.#zip = new ZipWriter(path, o);
  }

  /** @throws UsageError for a name that cannot stand in a .npz, and where the file would outgrow 4 GiB */
  add(name: string, shape: readonly number[], dtype: Dtype = "float32"): void {
    const problem = nameProblem(name) ?? (this.#names.has(name) ? "must not occur twice" : null);
    if (problem !== null) {
      this.abort();
      throw new UsageError(`${this.#path}: array ${JSON.stringify(name)}: a name ${problem}`);
    }
    if (!isShape(shape)) {
      this.abort();
      throw new Error(`${this.#path}: ${name}: not a shape: ${formatShape(shape)}`);
    }
    this.#names.add(name);
    this.#dtype = dtype;
    const header = encodeNpyHeader(dtype, shape);
    this.#zip.begin(name + SUFFIX, header.length + elementCount(shape) * elementBytes(dtype));
    this.#zip.append(header);
  }

  append(data: TypedArray): void {
    const found = dtypeOf(data);
    // A bool is a byte in the file and has no array of its own here.
    const fits = found === this.#dtype || (this.#dtype === "bool" && found === "uint8");
    if (!fits) {
      this.abort();
      throw new Error(`${this.#path}: ${found} appended to an array of ${this.#dtype}`);
    }
    this.#zip.append(bytesOf(data));
  }

  /** Elements of float16 as their raw bits: JavaScript has no array of them. */
  appendRaw(bits: Uint16Array): void {
    if (this.#dtype !== "float16") {
      this.abort();
      throw new Error(`${this.#path}: raw halves appended to an array of ${this.#dtype}`);
    }
    this.#zip.append(bytesOf(bits));
  }

  /** @throws DiskError */
  close(): void {
    this.#zip.close();
  }

  abort(): void {
    this.#zip.abort();
  }
}

export interface ExpectedArray<D extends "float32" | "float64" = "float32" | "float64"> {
  readonly dtype: D;
  /** A number is that size; a letter is any size, the same wherever `sizes` has it. */
  readonly shape: readonly (number | string)[];
  /** Sizes of letters known so far; those seen first are added. */
  readonly sizes?: Record<string, number>;
  /** false lets NaN and infinities pass. */
  readonly finite?: boolean;
}

/**
 * A finite array of the expected type and shape. Narrower floats are widened, which is exact; float64 where
 * float32 is expected is rounded, and `notice` is told so.
 * @throws DataError such as `in.npz: W_rec: expected float32 (64,64), found float64 (64,32)`
 */
export function expectArray<D extends "float32" | "float64">(
  npz: Npz,
  name: string,
  expected: ExpectedArray<D>,
  notice: (message: string) => void = () => {},
): D extends "float32" ? Float32Array : Float64Array {
  const array = npz.get(name);
  const where = `${npz.path}: ${name}`;
  if (array === undefined) {
    throw new DataError(`${where}: missing; the file has ${[...npz.keys()].join(", ") || "no arrays"}`);
  }
  const sizes = expected.sizes ?? {};
  const isFloat = array.data instanceof Float32Array || array.data instanceof Float64Array;
  if (!isFloat || !shapeFits(array.shape, expected.shape, sizes)) {
    const wanted = formatShape(
      expected.shape.map((n) => (typeof n === "string" && Object.hasOwn(sizes, n) ? `${n}=${sizes[n]}` : n)),
    );
    throw new DataError(
      `${where}: expected ${expected.dtype} ${wanted}, found ${array.dtype} ${formatShape(array.shape)}`,
    );
  }
  const data = array.data as Float32Array | Float64Array;
  const converted = convert(data, expected.dtype);
  if (array.dtype === "float64" && expected.dtype === "float32") notice(`${where}: float64 rounded to float32`);
  const bad = expected.finite === false ? -1 : converted.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const source = data[bad] as number;
    const what = Number.isFinite(source) ? `${source} is beyond float32` : String(source);
    const index = formatShape(indexOf(bad, array.shape));
    throw new DataError(`${where}: ${what} at ${index}; every value must be a finite number`);
  }
  return converted as D extends "float32" ? Float32Array : Float64Array;
}

function convert(data: Float32Array | Float64Array, dtype: "float32" | "float64"): Float32Array | Float64Array {
  if (dtype === "float32") return data instanceof Float32Array ? data : Float32Array.from(data);
  return data instanceof Float64Array ? data : Float64Array.from(data);
}

function shapeFits(
  found: readonly number[],
  expected: readonly (number | string)[],
  sizes: Record<string, number>,
): boolean {
  if (found.length !== expected.length) return false;
  const seen: Record<string, number> = {};
  for (const [axis, want] of expected.entries()) {
    const size = found[axis] as number;
    const known = typeof want === "number" ? want : (sizes[want] ?? seen[want]);
    if (known !== undefined && known !== size) return false;
    if (typeof want === "string") seen[want] = size;
  }
  Object.assign(sizes, seen);
  return true;
}

/** Position along each axis of the element at `flat` in C order. */
function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const size of shape.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}
