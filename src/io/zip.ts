/**
 * The zip container as .npz uses it (PKWARE APPNOTE 6.3): members are written stored, with sizes and CRC-32 in
 * front of the data, so that readers which walk the file front to back understand it too; fflate's streaming writer
 * puts them behind. Files beyond 4 GiB (zip64) are read, not written. Reading trusts nothing: the directory at the end must be consistent with the
 * local headers, members may not overlap, and every CRC-32 is verified.
 */
import fs from "node:fs";
import { crc32, inflateRawSync } from "node:zlib";
import { DataError, UsageError } from "../errors.ts";
import { AtomicFile } from "./atomic-file.ts";
import { asReadError, readFully } from "./disk.ts";

const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_SIGNATURE = 0x06054b50;
const END64_SIGNATURE = 0x06064b50;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR_BYTES = 20;
const EXTRA64 = 0x0001;
const CRC_OFFSET = 14;
const STORED = 0;
const DEFLATED = 8;
const FLAG_ENCRYPTED = 0x0001;
const FLAG_UTF8 = 0x0800;
/** 1 January 1980, midnight: the same arrays give the same bytes, whenever they are written. */
const DOS_DATE = 0x0021;
/** A field that holds this means "see the zip64 record". */
const ZIP64 = 0xffffffff;
const MAX_MEMBERS = 0xfffe;
/** DEFLATE cannot expand further than this. */
const MAX_EXPANSION = 1032;

export const MAX_ZIP_BYTES = ZIP64 - 1;

interface Member {
  readonly name: Uint8Array;
  readonly offset: number;
  readonly bytes: number;
  crc: number;
}

/** The fields that local header and directory entry share, 26 bytes from `version needed` on. */
function commonFields(member: Member): Uint8Array {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20, 0);
  fields.writeUInt16LE(member.name.some((byte) => byte > 0x7f) ? FLAG_UTF8 : 0, 2);
  fields.writeUInt16LE(STORED, 4);
  fields.writeUInt16LE(0, 6);
  fields.writeUInt16LE(DOS_DATE, 8);
  fields.writeUInt32LE(member.crc, 10);
  fields.writeUInt32LE(member.bytes, 14);
  fields.writeUInt32LE(member.bytes, 18);
  fields.writeUInt16LE(member.name.length, 22);
  return fields;
}

/** Writes members one after another, in pieces of any size; the file appears when `close` succeeds. */
export class ZipWriter {
  readonly #file: AtomicFile;
  readonly #members: Member[] = [];
  #open: Member | null = null;
  #left = 0;
  #directoryBytes = END_BYTES;

  /** @throws DiskError */
  constructor(path: string, o: { readonly large?: boolean } = {}) {
    this.#file = new AtomicFile(path, o);
  }

  /**
   * Starts a member of exactly `bytes` bytes.
   * @throws UsageError where the file would outgrow the format's 4 GiB
   */
  begin(name: string, bytes: number): void {
    this.#finishMember();
    const encoded = Buffer.from(name);
    const member: Member = { name: encoded, offset: this.#file.length, bytes, crc: 0 };
    this.#directoryBytes += CENTRAL_BYTES + encoded.length;
    const total = member.offset + LOCAL_BYTES + encoded.length + bytes + this.#directoryBytes;
    if (total > MAX_ZIP_BYTES || this.#members.length >= MAX_MEMBERS) {
      this.abort();
      const size = `${(total / 2 ** 30).toFixed(2)} GiB in ${this.#members.length + 1} arrays`;
      throw new UsageError(
        `${this.#file.path}: ${name} brings it to ${size}, a .npz holds 4 GiB; save fewer steps, conditions or arrays`,
      );
    }
    const signature = Buffer.alloc(4);
    signature.writeUInt32LE(LOCAL_SIGNATURE);
    this.#file.append(Buffer.concat([signature, commonFields(member), encoded]));
    this.#members.push(member);
    this.#open = member;
    this.#left = bytes;
  }

  append(bytes: Uint8Array): void {
    const member = this.#open;
    if (member === null || bytes.length > this.#left) {
      this.abort();
      throw new Error(`${this.#file.path}: more bytes than its member was to have`);
    }
    // zlib takes an empty buffer for a wish to start anew.
    if (bytes.length > 0) member.crc = crc32(bytes, member.crc);
    this.#left -= bytes.length;
    this.#file.append(bytes);
  }

  /** Writes the directory and puts the file in place. @throws DiskError */
  close(): void {
    this.#finishMember();
    const start = this.#file.length;
    for (const member of this.#members) {
      const entry = Buffer.alloc(CENTRAL_BYTES);
      entry.writeUInt32LE(CENTRAL_SIGNATURE, 0);
      entry.writeUInt16LE(20, 4);
      entry.set(commonFields(member), 6);
      entry.writeUInt32LE(member.offset, 42);
      this.#file.append(Buffer.concat([entry, member.name]));
    }
    const end = Buffer.alloc(END_BYTES);
    end.writeUInt32LE(END_SIGNATURE, 0);
    end.writeUInt16LE(this.#members.length, 8);
    end.writeUInt16LE(this.#members.length, 10);
    end.writeUInt32LE(this.#file.length - start, 12);
    end.writeUInt32LE(start, 16);
    this.#file.append(end);
    this.#file.commit();
  }

  /** Leaves nothing behind. */
  abort(): void {
    this.#file.abort();
  }

  #finishMember(): void {
    const member = this.#open;
    if (member === null) return;
    if (this.#left !== 0) {
      this.abort();
      throw new Error(`${this.#file.path}: ${Buffer.from(member.name)} lacks ${this.#left} bytes`);
    }
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(member.crc);
    this.#file.patch(crc, member.offset + CRC_OFFSET);
    this.#open = null;
  }
}

export interface ZipEntry {
  readonly name: string;
  /** Size of the content once it is unpacked. */
  readonly bytes: number;
  readonly packedBytes: number;
  readonly deflated: boolean;
  readonly crc: number;
  /** Where the packed content starts in the file. */
  readonly offset: number;
}

/** An open zip file whose directory has been read and found consistent. Call `close`. */
export class ZipReader {
  readonly path: string;
  readonly entries: readonly ZipEntry[];
  readonly #descriptor: number;

  /** @throws DataError, DiskError */
  constructor(path: string) {
    this.path = path;
    try {
      // A pipe or a device could go on for ever.
      if (!fs.statSync(path).isFile()) throw new DataError(`${path}: not a file; check the path`);
      this.#descriptor = fs.openSync(path, "r");
    } catch (error) {
      throw asReadError(error, path);
    }
    try {
      this.entries = this.#readDirectory();
    } catch (error) {
      this.close();
      throw asReadError(error, path);
    }
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  /**
   * The unpacked content, its CRC-32 verified. Allocates no more than `entry.bytes`, and that only as far as the
   * file really holds it.
   * @throws DataError
   */
  read(entry: ZipEntry): Uint8Array {
    const where = `${this.path}: ${entry.name}`;
    const packed = this.#bytes(entry.offset, entry.packedBytes);
    const bytes = entry.deflated ? inflate(packed, entry.bytes, where) : packed;
    if (bytes.length !== entry.bytes || crc32(bytes) !== entry.crc) {
      throw new DataError(`${where}: damaged (its CRC-32 does not match); restore the file or write it again`);
    }
    return bytes;
  }

  /**
   * Fills `out` from byte `from` of the content on, without its CRC-32.
   * @throws DataError where the member is compressed, or ends before
   */
  readAt(entry: ZipEntry, from: number, out: Uint8Array): void {
    if (entry.deflated) {
      throw new DataError(
        `${this.path}: ${entry.name}: compressed, and it is read piece by piece; save it with numpy.savez`,
      );
    }
    if (from + out.length > entry.bytes) throw this.#damaged(`${entry.name} ends too early`);
    let got: number;
    try {
      got = readFully(this.#descriptor, out, entry.offset + from);
    } catch (error) {
      throw asReadError(error, this.path);
    }
    if (got < out.length) throw this.#damaged("it ends too early");
  }

  #damaged(what: string): DataError {
    return new DataError(`${this.path}: damaged or not a .npz file (${what}); restore the file or write it again`);
  }

  #bytes(position: number, length: number): Buffer {
    // Not from the pool of small buffers, so that typed arrays can look at it where it is.
    const bytes = Buffer.from(new ArrayBuffer(length));
    let got: number;
    try {
      got = readFully(this.#descriptor, bytes, position);
    } catch (error) {
      throw asReadError(error, this.path);
    }
    if (got < length) throw this.#damaged("it ends too early");
    return bytes;
  }

  #readDirectory(): ZipEntry[] {
    const fileBytes = fs.fstatSync(this.#descriptor).size;
    const { count, size, start } = this.#directoryPlace(this.#findEnd(fileBytes));
    const directory = this.#bytes(start, size);
    const entries: ZipEntry[] = [];
    const names = new Set<string>();
    const spans: [number, number][] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      const { entry, length, localOffset } = this.#readEntry(directory.subarray(at), start);
      if (names.has(entry.name)) throw this.#damaged(`${entry.name} occurs twice`);
      names.add(entry.name);
      entries.push(entry);
      spans.push([localOffset, entry.offset + entry.packedBytes]);
      at += length;
    }
    if (at !== size) throw this.#damaged("its directory has extra bytes");
    // Overlapping members are how a small file asks for endless memory.
    spans.sort(([a], [b]) => a - b);
    for (let i = 1; i < spans.length; i++) {
      if ((spans[i]?.[0] ?? 0) < (spans[i - 1]?.[1] ?? 0)) throw this.#damaged("its members overlap");
    }
    return entries;
  }

  /** Where the directory lies, from the record at the end or from the zip64 record that it points past. */
  #directoryPlace(end: { readonly record: Buffer; readonly position: number }): {
    count: number;
    size: number;
    start: number;
  } {
    const { record, position } = end;
    const wrong = () => this.#damaged("its directory is not where it should be");
    const count = record.readUInt16LE(10);
    const size = record.readUInt32LE(12);
    const start = record.readUInt32LE(16);
    if (record.readUInt32LE(4) !== 0 || record.readUInt16LE(8) !== count) throw wrong();
    if (count !== 0xffff && size !== ZIP64 && start !== ZIP64) {
      if (start + size !== position) throw wrong();
      return { count, size, start };
    }
    const locatorAt = position - LOCATOR_BYTES;
    if (locatorAt < END64_BYTES) throw wrong();
    const locator = this.#bytes(locatorAt, LOCATOR_BYTES);
    const end64At = this.#large(locator, 8);
    const isLocator = locator.readUInt32LE(0) === LOCATOR_SIGNATURE && locator.readUInt32LE(4) === 0;
    // No extensible data between the record and its locator: nobody writes any.
    if (!isLocator || end64At + END64_BYTES !== locatorAt) throw wrong();
    const end64 = this.#bytes(end64At, END64_BYTES);
    const large = { count: this.#large(end64, 32), size: this.#large(end64, 40), start: this.#large(end64, 48) };
    const isWhole =
      end64.readUInt32LE(0) === END64_SIGNATURE &&
      this.#large(end64, 4) === END64_BYTES - 12 &&
      end64.readUInt32LE(16) === 0 &&
      end64.readUInt32LE(20) === 0 &&
      this.#large(end64, 24) === large.count;
    if (!isWhole || large.start + large.size !== end64At) throw wrong();
    return large;
  }

  /** A number of 64 bits; none of a sound file is beyond what a double counts. */
  #large(bytes: Buffer, at: number): number {
    const value = Number(bytes.readBigUInt64LE(at));
    if (!Number.isSafeInteger(value)) throw this.#damaged("a size in it is beyond any file");
    return value;
  }

  /** The entry's numbers in order; those that do not fit 32 bits stand in its zip64 field. */
  #sizes(
    central: Buffer,
    extra: Buffer,
  ): { readonly bytes: number; readonly packedBytes: number; readonly localOffset: number } {
    let field: Buffer | null = null;
    for (let at = 0; at + 4 <= extra.length && field === null; at += 4 + extra.readUInt16LE(at + 2)) {
      if (extra.readUInt16LE(at) === EXTRA64) field = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
    }
    let at = 0;
    const [bytes, packedBytes, localOffset] = [24, 20, 42].map((position) => {
      const short = central.readUInt32LE(position);
      if (short !== ZIP64) return short;
      if (field === null || at + 8 > field.length) throw this.#damaged("its directory is broken");
      at += 8;
      return this.#large(field, at - 8);
    }) as [number, number, number];
    return { bytes, packedBytes, localOffset };
  }

  #findEnd(fileBytes: number): { record: Buffer; position: number } {
    if (fileBytes < END_BYTES) throw this.#damaged("it ends too early");
    const tail = this.#bytes(Math.max(0, fileBytes - END_BYTES - 0xffff), Math.min(fileBytes, END_BYTES + 0xffff));
    for (let at = tail.length - END_BYTES; at >= 0; at--) {
      if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
      if (tail.readUInt16LE(at + 20) !== tail.length - at - END_BYTES) continue;
      return { record: tail.subarray(at, at + END_BYTES), position: fileBytes - tail.length + at };
    }
    throw this.#damaged("no directory at its end");
  }

  /** One entry of the directory, checked against the header in front of its data. */
  #readEntry(central: Buffer, directoryStart: number): { entry: ZipEntry; length: number; localOffset: number } {
    if (central.length < CENTRAL_BYTES || central.readUInt32LE(0) !== CENTRAL_SIGNATURE) {
      throw this.#damaged("its directory is broken");
    }
    const flags = central.readUInt16LE(8);
    const method = central.readUInt16LE(10);
    const nameBytes = central.readUInt16LE(28);
    const extraBytes = central.readUInt16LE(30);
    const extraAt = CENTRAL_BYTES + nameBytes;
    const length = extraAt + extraBytes + central.readUInt16LE(32);
    if (length > central.length) throw this.#damaged("its directory is broken");
    const { bytes, packedBytes, localOffset } = this.#sizes(central, central.subarray(extraAt, extraAt + extraBytes));
    if (localOffset + LOCAL_BYTES + nameBytes > directoryStart) {
      throw this.#damaged("its directory is broken");
    }
    const name = this.#decodeName(central.subarray(CENTRAL_BYTES, CENTRAL_BYTES + nameBytes));
    if ((flags & FLAG_ENCRYPTED) !== 0)
      throw new DataError(`${this.path}: ${name}: encrypted; save it with numpy.savez`);
    if (method !== STORED && method !== DEFLATED) {
      throw new DataError(`${this.path}: ${name}: unknown compression ${method}; save it with numpy.savez`);
    }
    const local = this.#bytes(localOffset, LOCAL_BYTES + nameBytes);
    const offset = localOffset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (
      local.readUInt32LE(0) !== LOCAL_SIGNATURE ||
      local.readUInt16LE(8) !== method ||
      local.readUInt16LE(26) !== nameBytes ||
      offset + packedBytes > directoryStart ||
      (method === STORED && packedBytes !== bytes) ||
      bytes > packedBytes * MAX_EXPANSION ||
      this.#decodeName(local.subarray(LOCAL_BYTES)) !== name
    ) {
      throw this.#damaged(`the header of ${name} contradicts the directory`);
    }
    const crc = central.readUInt32LE(16);
    return { entry: { name, bytes, packedBytes, deflated: method === DEFLATED, crc, offset }, length, localOffset };
  }

  #decodeName(bytes: Buffer): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      throw this.#damaged("a member's name is not UTF-8");
    }
  }
}

function inflate(packed: Uint8Array, bytes: number, where: string): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
  } catch (error) {
    throw new DataError(`${where}: damaged (it does not unpack); restore the file or write it again`, { cause: error });
  }
}
