/**
 * Arrays larger than memory or than a .npz: blocks are written as they come, each a member of its own, into files
 * `name-00001.npz`, … below the zip format's limit; `name.index.json` says which block of which array is where. What is
 * small becomes one ordinary .npz.
 */
import { basename } from "node:path";
import { toFloat16 } from "./float16.ts";
import { writeJson } from "./json.ts";
import { type Dtype, elementBytes, elementCount } from "./npy.ts";
import { NpzWriter } from "./npz.ts";

export interface DeclaredArray {
  readonly axes: readonly string[];
  readonly shape: readonly number[];
}

export interface ArrayBlock {
  readonly array: string;
  readonly origin: readonly number[];
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface Placed {
  readonly file: string;
  readonly member: string;
  readonly origin: readonly number[];
  readonly shape: readonly number[];
}

/** Room for headers below the format's 4 GiB; members of a shard are few and large. */
export const SHARD_BYTES = 3.5 * 2 ** 30;
/** Up to here arrays are put together in memory. */
export const ONE_FILE_BYTES = 256 * 2 ** 20;

export const blockBytes = (shape: readonly number[], dtype: Dtype): number => elementCount(shape) * elementBytes(dtype);

export interface ShardOptions {
  readonly dtype: "float32" | "float16";
  readonly oneFileBytes?: number;
  readonly shardBytes?: number;
}

/** Call `put` for blocks in any order, then `close`; `abort` leaves no unfinished file behind. */
export class ShardWriter {
  /** Files written, the index included. */
  readonly files: string[] = [];
  readonly #stem: string;
  readonly #arrays: Readonly<Record<string, DeclaredArray>>;
  readonly #dtype: "float32" | "float16";
  readonly #shardBytes: number;
  readonly #whole: Map<string, Float32Array> | null;
  readonly #placed = new Map<string, Placed[]>();
  readonly #manifest: unknown;
  #shard: NpzWriter | null = null;
  #bytes = 0;
  #members = 0;

  /** @param path ends in .npz */
  constructor(path: string, arrays: Readonly<Record<string, DeclaredArray>>, manifest: unknown, o: ShardOptions) {
    this.#stem = path.replace(/\.npz$/, "");
    this.#arrays = arrays;
    this.#manifest = manifest;
    this.#dtype = o.dtype;
    this.#shardBytes = o.shardBytes ?? SHARD_BYTES;
    const total = Object.values(arrays).reduce((sum, a) => sum + blockBytes(a.shape, o.dtype), 0);
    this.#whole = total <= (o.oneFileBytes ?? ONE_FILE_BYTES) ? new Map() : null;
  }

  /** @throws DiskError */
  put(block: ArrayBlock): void {
    const declared = this.#arrays[block.array];
    if (declared === undefined) throw new Error(`no such array was declared: ${block.array}`);
    if (this.#whole) {
      const whole = this.#whole.get(block.array) ?? new Float32Array(elementCount(declared.shape));
      this.#whole.set(block.array, whole);
      place(whole, declared.shape, block);
      return;
    }
    const bytes = blockBytes(block.shape, this.#dtype) + 512;
    const halves = bytes > this.#shardBytes ? halved(block) : null;
    if (halves) {
      for (const half of halves) this.put(half);
      return;
    }
    if (this.#shard && this.#bytes + bytes > this.#shardBytes) this.#finishShard();
    if (!this.#shard) {
      this.files.push(`${this.#stem}-${String(this.files.length + 1).padStart(5, "0")}.npz`);
      this.#shard = new NpzWriter(this.files.at(-1) as string, { large: true });
    }
    const member = `${block.array}.${this.#members++}`;
    this.#write(this.#shard, member, block.shape, block.data);
    this.#bytes += bytes;
    const { origin, shape } = block;
    const own = this.#placed.get(block.array) ?? [];
    own.push({ file: basename(this.files.at(-1) as string), member, origin, shape });
    this.#placed.set(block.array, own);
  }

  #write(writer: NpzWriter, name: string, shape: readonly number[], data: Float32Array): void {
    writer.add(name, shape, this.#dtype);
    if (this.#dtype === "float32") writer.append(data);
    else writer.appendRaw(toFloat16(data));
  }

  #finishShard(): void {
    this.#shard?.close();
    this.#shard = null;
    this.#bytes = 0;
  }

  /** Puts the last file in place. @throws DiskError */
  close(): void {
    const text = new TextEncoder().encode(JSON.stringify(this.#manifest));
    if (this.#whole) {
      const path = `${this.#stem}.npz`;
      const writer = new NpzWriter(path);
      for (const [name, { shape }] of Object.entries(this.#arrays)) {
        this.#write(writer, name, shape, this.#whole.get(name) ?? new Float32Array(elementCount(shape)));
      }
      writer.add("manifest", [text.length], "uint8");
      writer.append(text);
      writer.close();
      this.files.push(path);
      return;
    }
    this.#finishShard();
    const arrays = Object.entries(this.#arrays).map(([name, { axes, shape }]) => [
      name,
      { axes, shape, dtype: this.#dtype, blocks: this.#placed.get(name) ?? [] },
    ]);
    const path = `${this.#stem}.index.json`;
    writeJson(path, { format: "reverie-shards", arrays: Object.fromEntries(arrays), manifest: this.#manifest });
    this.files.push(path);
  }

  abort(): void {
    this.#shard?.abort();
  }
}

/** A block cut in two along its second axis, or null where that is no cut through its bytes. */
function halved({ array, origin, shape, data }: ArrayBlock): [ArrayBlock, ArrayBlock] | null {
  const [first = 1, second = 1, ...rest] = shape;
  if (first !== 1 || second < 2) return null;
  const n = second >> 1;
  const size = elementCount([n, ...rest]);
  const later = [origin[0] as number, (origin[1] as number) + n, ...origin.slice(2)];
  return [
    { array, origin, shape: [1, n, ...rest], data: data.subarray(0, size) },
    { array, origin: later, shape: [1, second - n, ...rest], data: data.subarray(size) },
  ];
}

/** Copies a block to its place in the whole array, runs of the last axis at a time. */
function place(whole: Float32Array, shape: readonly number[], block: ArrayBlock): void {
  const last = shape.length - 1;
  const run = block.shape[last] ?? 1;
  const index = block.shape.map(() => 0);
  for (let from = 0; from < block.data.length; from += run) {
    let to = 0;
    for (let axis = 0; axis <= last; axis++) {
      to = to * (shape[axis] as number) + (block.origin[axis] as number) + (index[axis] as number);
    }
    whole.set(block.data.subarray(from, from + run), to);
    for (let axis = last - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (block.shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
}
