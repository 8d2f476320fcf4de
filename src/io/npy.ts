/**
 * The .npy format of NumPy (numpy.lib.format): a magic, a version, a Python dict literal that names type, order
 * and shape, then the elements. Written: version 1.0, little-endian, C order. Read: versions 1 and 2.
 */
import { DataError } from "../errors.ts";

/** NumPy's name of an element type. */
export type Dtype =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64";

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

export interface NpyArray {
  readonly name: string;
  /** In C order, last axis fastest; [] for a scalar. */
  readonly shape: readonly number[];
  /** The type in the file. float16 is widened: its `data` is a Float32Array; bool is a Uint8Array of 0 and 1. */
  readonly dtype: Dtype;
  readonly data: TypedArray;
}

/** What an array is before its elements. */
export interface NpyHeader {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Bytes from the start of the file to the first element. */
  readonly dataOffset: number;
  /** Bytes of all elements. */
  readonly dataBytes: number;
}

type TypedArrayConstructor = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
};

/** [name, descriptor in the file, array that holds the raw elements]; for a class that occurs twice the first is written. */
const TYPES: readonly (readonly [Dtype, string, TypedArrayConstructor])[] = [
  ["int8", "|i1", Int8Array],
  ["uint8", "|u1", Uint8Array],
  ["int16", "<i2", Int16Array],
  ["uint16", "<u2", Uint16Array],
  ["int32", "<i4", Int32Array],
  ["uint32", "<u4", Uint32Array],
  ["int64", "<i8", BigInt64Array],
  ["uint64", "<u8", BigUint64Array],
  ["float32", "<f4", Float32Array],
  ["float64", "<f8", Float64Array],
  ["float16", "<f2", Uint16Array],
  ["bool", "|b1", Uint8Array],
];

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy aligns the elements, so that a mapped file can be used as it is. */
const ALIGNMENT = 64;
/** Ours need about a hundred bytes. A header that claims more is not one of a numeric array. */
const MAX_HEADER_BYTES = 65_535;
/** NumPy's own limit. */
const MAX_AXES = 64;

function typeRow(dtype: Dtype): readonly [Dtype, string, TypedArrayConstructor] {
  const row = TYPES.find(([name]) => name === dtype);
  if (row === undefined) throw new Error(`no such element type: ${dtype}`);
  return row;
}

/** Bytes of one element in the file. */
export function elementBytes(dtype: Dtype): number {
  return typeRow(dtype)[2].BYTES_PER_ELEMENT;
}

/** The type that `data` is written as. */
export function dtypeOf(data: TypedArray): Dtype {
  const row = TYPES.find(([, , View]) => data instanceof View);
  if (row === undefined) throw new Error("not an array that NumPy knows");
  return row[0];
}

/** Number of elements; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

export function isShape(shape: readonly number[]): boolean {
  return shape.length <= MAX_AXES && shape.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** `(64,32)`, or `(64,)` for one axis, as Python writes it. */
export function formatShape(shape: readonly (number | string)[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(",")})`;
}

/** The bytes that stand before the elements, a multiple of 64. */
export function encodeNpyHeader(dtype: Dtype, shape: readonly number[]): Uint8Array {
  if (!isShape(shape)) throw new Error(`not a shape: ${formatShape(shape)}`);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${typeRow(dtype)[1]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const before = MAGIC.length + 4;
  const length = Math.ceil((before + dict.length + 1) / ALIGNMENT) * ALIGNMENT - before;
  const bytes = new Uint8Array(before + length);
  bytes.set(MAGIC);
  bytes.set([1, 0, length & 0xff, length >> 8], MAGIC.length);
  bytes.set(Buffer.from(`${dict.padEnd(length - 1)}\n`, "latin1"), before);
  return bytes;
}

/** A whole .npy file in memory. */
export function encodeNpy(data: TypedArray, shape: readonly number[]): Uint8Array {
  if (elementCount(shape) !== data.length) {
    throw new Error(`${data.length} elements do not fill the shape ${formatShape(shape)}`);
  }
  const header = encodeNpyHeader(dtypeOf(data), shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(bytesOf(data), header.length);
  return bytes;
}

/** The memory of a typed array; every host with a WebGPU implementation is little-endian, like the file. */
export function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Reads and judges a header; allocates nothing that its numbers ask for.
 * @param bytes the file, or as much of its start as holds the header
 * @param where file and array, for the message
 * @throws DataError naming array, expected and found
 */
export function decodeNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new DataError(`${where}: expected a .npy array, found other bytes; write it with numpy.save or numpy.savez`);
  }
  const version = bytes[6] as number;
  if ((version !== 1 && version !== 2) || bytes[7] !== 0) {
    throw new DataError(`${where}: expected .npy version 1.0 or 2.0, found ${version}.${bytes[7]}; save it anew`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw new DataError(`${where}: the .npy header is cut off; write the file again`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES || start + length > bytes.length) {
    throw new DataError(`${where}: the .npy header is cut off or too long (${length} bytes); write the file again`);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("latin1");
  const { descr, fortranOrder, shape } = parseHeaderDict(text, where);
  const dtype = dtypeOfDescr(descr, where);
  if (fortranOrder) {
    throw new DataError(`${where}: expected C order, found Fortran order; save numpy.ascontiguousarray(array)`);
  }
  const dataBytes = elementCount(shape) * elementBytes(dtype);
  if (shape.length > MAX_AXES || !Number.isSafeInteger(dataBytes)) {
    throw new DataError(`${where}: ${dtype} ${formatShape(shape)} is more than can be addressed; is the file damaged?`);
  }
  return { dtype, shape, dataOffset: start + length, dataBytes };
}

/**
 * A whole .npy file. The result shares the memory of `bytes` where its alignment allows.
 * @throws DataError
 */
export function decodeNpy(bytes: Uint8Array, name: string, where = name): NpyArray {
  const header = decodeNpyHeader(bytes, where);
  const found = bytes.length - header.dataOffset;
  if (found !== header.dataBytes) {
    const what = `${header.dtype} ${formatShape(header.shape)}`;
    throw new DataError(
      `${where}: expected ${header.dataBytes} bytes for ${what}, found ${found}; write the file again`,
    );
  }
  const data = viewElements(header, bytes.subarray(header.dataOffset));
  return { name, shape: header.shape, dtype: header.dtype, data };
}

function viewElements(header: NpyHeader, bytes: Uint8Array): TypedArray {
  const View = typeRow(header.dtype)[2];
  const aligned = bytes.byteOffset % View.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  const count = bytes.length / View.BYTES_PER_ELEMENT;
  const raw = new View(aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
  return header.dtype === "float16" ? Float32Array.from(raw as Uint16Array, widenFloat16) : raw;
}

/** IEEE 754 binary16 → number, exactly. */
export function widenFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

interface HeaderDict {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

/** The three entries may stand in any order; other writers than NumPy use that freedom. */
function parseHeaderDict(text: string, where: string): HeaderDict {
  const malformed = () => new DataError(`${where}: the .npy header is malformed; write the file again`);
  const body = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (body === undefined) throw malformed();
  const entry = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([\d\s,L]*)\)|(\[))\s*(,|$)\s*/y;
  const found: { descr?: string; fortranOrder?: boolean; shape?: readonly number[] } = {};
  while (entry.lastIndex < body.length) {
    const match = entry.exec(body);
    if (match === null) {
      if (/'descr'\s*:\s*\[/.test(body)) {
        throw new DataError(`${where}: expected a plain numeric array, found a record array; save one array per field`);
      }
      throw malformed();
    }
    const [, , key, , quoted, truth, tuple] = match;
    if (key === "descr" && quoted !== undefined) found.descr = quoted;
    else if (key === "fortran_order" && truth !== undefined) found.fortranOrder = truth === "True";
    else if (key === "shape" && tuple !== undefined) found.shape = parseTuple(tuple, malformed);
    else throw malformed();
  }
  const { descr, fortranOrder, shape } = found;
  if (descr === undefined || fortranOrder === undefined || shape === undefined) throw malformed();
  return { descr, fortranOrder, shape };
}

function parseTuple(text: string, malformed: () => DataError): number[] {
  const parts = text.split(",").map((part) => part.trim());
  // Python writes (3,) for one axis; (3) would be a number.
  if (parts.at(-1) === "") parts.pop();
  else if (parts.length === 1) throw malformed();
  return parts.map((part) => {
    const n = /^\d+L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN;
    if (!Number.isSafeInteger(n)) throw malformed();
    return n;
  });
}

function dtypeOfDescr(descr: string, where: string): Dtype {
  const row = TYPES.find(([, known]) => known === descr || (known.startsWith("|") && descr === `<${known.slice(1)}`));
  if (row !== undefined) return row[0];
  if (/^[>!]/.test(descr)) {
    const swapped = `<${descr.slice(1)}`;
    throw new DataError(
      `${where}: expected little-endian, found big-endian '${descr}'; save array.astype('${swapped}')`,
    );
  }
  if (/^\|?O/.test(descr)) {
    throw new DataError(`${where}: expected numbers, found Python objects; save a plain numeric array`);
  }
  throw new DataError(
    `${where}: expected integers, floats or bool, found '${descr}'; save a plain numeric array of one of these types`,
  );
}
