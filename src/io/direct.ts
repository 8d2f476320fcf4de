/**
 * Large files past the system's cache (O_DIRECT): what is written once and not read soon need not be copied into memory
 * that the system must first find, and the disk takes it as fast as it can with hardly any processor. Such writes must
 * begin at multiples of a disk's block, in the file and in memory.
 */
import fs from "node:fs";
import { disk, errorCode, writeFully } from "./disk.ts";

/** What is written at once: long enough for fast disks, and a multiple of every disk's block. */
export const DIRECT_BYTES = 8 << 20;
const WASM_PAGE = 1 << 16;

/** Not among the types of Node or of the language. */
declare const WebAssembly: { readonly Memory: new (o: { initial: number }) => { readonly buffer: ArrayBuffer } };

/** Blocks of files that are done: each reserves gigabytes of address space until it is collected. */
const idle: Uint8Array[] = [];

/** Memory that begins at a page: the one kind that JavaScript has is WebAssembly's. Null where there is none. */
function alignedMemory(): Uint8Array | null {
  try {
    return idle.pop() ?? new Uint8Array(new WebAssembly.Memory({ initial: DIRECT_BYTES / WASM_PAGE }).buffer);
  } catch {
    // Address space is limited, or the engine has no WebAssembly.
    return null;
  }
}

/** What a file system says that has no such writes, or that wants other multiples. */
const REFUSALS = ["EINVAL", "ENOTSUP", "EOPNOTSUPP"];

/** Appends to a new file that is open already, in whole blocks; where that is refused, in the ordinary way. */
export class DirectWriter {
  readonly #ordinary: number;
  #block: Uint8Array;
  #direct: number | null;
  /** Bytes that the file holds, and those of the block that it does not hold yet. */
  #written = 0;
  #waiting = 0;

  private constructor(ordinary: number, direct: number, block: Uint8Array) {
    this.#ordinary = ordinary;
    this.#direct = direct;
    this.#block = block;
  }

  /** @param ordinary the file's descriptor. Null where system, engine or file system know no such writes. */
  static open(path: string, ordinary: number): DirectWriter | null {
    const flag = fs.constants.O_DIRECT;
    const block = flag === undefined ? null : alignedMemory();
    if (block === null) return null;
    try {
      return new DirectWriter(ordinary, disk.open(path, fs.constants.O_WRONLY | flag), block);
    } catch (error) {
      idle.push(block);
      if (errorCode(error) === "") throw error;
      return null;
    }
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + this.#block.length - this.#waiting);
      this.#block.set(part, this.#waiting);
      this.#waiting += part.length;
      from += part.length;
      if (this.#waiting === this.#block.length) this.#writeBlock();
    }
  }

  /** Overwrites what was appended before. */
  patch(bytes: Uint8Array, position: number): void {
    const old = bytes.subarray(0, Math.max(0, this.#written - position));
    if (old.length > 0) writeFully(this.#ordinary, old, position);
    if (old.length === bytes.length) return;
    this.#block.set(bytes.subarray(old.length), position + old.length - this.#written);
  }

  /** Writes the end, which fills no block; nothing may be appended after it. */
  finish(): void {
    writeFully(this.#ordinary, this.#block.subarray(0, this.#waiting), this.#written);
    this.#waiting = 0;
    this.close();
  }

  /** Harmless when it is closed already. */
  close(): void {
    if (this.#block.length > 0) idle.push(this.#block);
    this.#block = new Uint8Array(0);
    this.#closeDirect();
  }

  #closeDirect(): void {
    const direct = this.#direct;
    // The descriptor is gone even when close reports an error.
    this.#direct = null;
    if (direct !== null) disk.close(direct);
  }

  #writeBlock(): void {
    try {
      writeFully(this.#direct ?? this.#ordinary, this.#block, this.#written);
    } catch (error) {
      if (this.#direct === null || !REFUSALS.includes(errorCode(error))) throw error;
      this.#closeDirect();
      writeFully(this.#ordinary, this.#block, this.#written);
    }
    this.#written += this.#block.length;
    this.#waiting = 0;
  }
}
