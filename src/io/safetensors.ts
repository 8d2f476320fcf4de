/**
 * The safetensors format: eight bytes with the length of a JSON header (u64, little-endian), the header, which names
 * type, shape and `data_offsets` of every tensor, then the tensors without gaps. Metadata is a map of strings under
 * `__metadata__`; spaces behind the header align the data to eight bytes.
 */
import { DataError, UsageError } from "../errors.ts";
import { AtomicFile } from "./atomic-file.ts";
import { readSmallFile } from "./disk.ts";
import { bytesOf, elementCount, formatShape, type NpyArray, type TypedArray, widenFloat16 } from "./npy.ts";
import { type ArrayToWrite, Npz } from "./npz.ts";

const ALIGNMENT = 8;
/** As in the format's own readers. */
const MAX_HEADER_BYTES = 100_000_000;
const MAX_FILE_BYTES = 2 ** 32;
const METADATA = "__metadata__";

type Dtype = "F64" | "F32" | "F16" | "BF16";
const BYTES: Readonly<Record<Dtype, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

/** Larger elements first, so that every tensor is aligned; among equals the order given. @throws DiskError */
export function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, ArrayToWrite>>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { [METADATA]: metadata } : {};
  const ordered = Object.entries(tensors)
    .map(([name, { data, shape = [data.length] }]) => ({ name, data, shape, dtype: dtypeOf(name, data) }))
    .sort((a, b) => BYTES[b.dtype] - BYTES[a.dtype]);
  let at = 0;
  for (const { name, data, shape, dtype } of ordered) {
    if (elementCount(shape) !== data.length)
      throw new Error(`${name}: ${data.length} elements in ${formatShape(shape)}`);
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const before = Buffer.alloc(8 + length, " ");
  before.writeBigUInt64LE(BigInt(length), 0);
  text.copy(before, 8);
  const file = new AtomicFile(path);
  file.append(before);
  for (const { data } of ordered) file.append(bytesOf(data));
  file.commit();
}

function dtypeOf(name: string, data: TypedArray): Dtype {
  if (name === METADATA) throw new UsageError(`a tensor cannot be called ${METADATA}`);
  if (data instanceof Float32Array) return "F32";
  if (data instanceof Float64Array) return "F64";
  // Halves are raw bits here.
  if (data instanceof Uint16Array) return "F16";
  throw new Error(`${name}: not a type of weights`);
}

interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const isSize = (n: unknown): n is number => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;

function entryOf(value: unknown, where: string): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  if (typeof dtype !== "string" || !Array.isArray(shape) || !shape.every(isSize) || !Array.isArray(offsets)) {
    throw new DataError(`${where}: its entry in the header lacks dtype, shape or data_offsets; write the file again`);
  }
  if (!Object.hasOwn(BYTES, dtype)) {
    throw new DataError(`${where}: expected F32, F64, F16 or BF16, found ${dtype}; convert it with tensor.float()`);
  }
  const [from, to] = offsets as unknown[];
  if (offsets.length !== 2 || !isSize(from) || !isSize(to)) {
    throw new DataError(`${where}: data_offsets are not two positions; write the file again`);
  }
  return { dtype: dtype as Dtype, shape, data_offsets: [from, to] };
}

export interface Safetensors {
  readonly tensors: Npz;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads all tensors; halves are widened to float32. @throws DataError naming file, tensor, expected and found */
export function readSafetensors(path: string): Safetensors {
  const bytes = readSmallFile(path, MAX_FILE_BYTES);
  const damaged = (what: string) => new DataError(`${path}: damaged or not a .safetensors file (${what})`);
  if (bytes.length < 8) throw damaged("it ends too early");
  const length = bytes.readBigUInt64LE(0);
  if (length > BigInt(MAX_HEADER_BYTES) || 8n + length > BigInt(bytes.length)) {
    throw damaged(`a header of ${length} bytes`);
  }
  const start = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw damaged("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) throw damaged("its header is no object");
  const { [METADATA]: metadata = {}, ...entries } = header as Record<string, unknown>;
  const tensors = new Npz(path);
  const spans: [number, number][] = [];
  for (const [name, value] of Object.entries(entries)) {
    const where = `${path}: ${name}`;
    const { dtype, shape, data_offsets: span } = entryOf(value, where);
    const wanted = elementCount(shape) * BYTES[dtype];
    if (span[1] - span[0] !== wanted) {
      throw new DataError(
        `${where}: expected ${wanted} bytes for ${dtype} ${formatShape(shape)}, found ${span[1] - span[0]}`,
      );
    }
    spans.push([span[0], span[1]]);
    if (start + span[1] > bytes.length) throw damaged(`${name} lies beyond its end`);
    tensors.set(name, decode(name, dtype, shape, new Uint8Array(bytes.subarray(start + span[0], start + span[1]))));
  }
  // The format allows neither gaps nor overlaps: both are ways of hiding bytes.
  spans.sort(([a], [b]) => a - b);
  let at = 0;
  for (const [from, to] of spans) {
    if (from !== at) throw damaged("its tensors leave gaps or overlap");
    at = to;
  }
  if (start + at !== bytes.length) throw damaged(`${bytes.length - start - at} bytes too many`);
  return { tensors, metadata: metadata as Record<string, string> };
}

function decode(name: string, dtype: Dtype, shape: readonly number[], bytes: Uint8Array<ArrayBuffer>): NpyArray {
  if (dtype === "F64") return { name, shape, dtype: "float64", data: new Float64Array(bytes.buffer) };
  if (dtype === "F32") return { name, shape, dtype: "float32", data: new Float32Array(bytes.buffer) };
  const raw = new Uint16Array(bytes.buffer);
  if (dtype === "F16") return { name, shape, dtype: "float16", data: Float32Array.from(raw, widenFloat16) };
  // A bfloat16 is the upper half of a float32.
  const words = Uint32Array.from(raw, (half) => half << 16);
  return { name, shape, dtype: "float32", data: new Float32Array(words.buffer) };
}
