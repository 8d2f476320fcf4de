import fs from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { DataError, UsageError } from "../../src/errors.ts";
import { bytesOf, encodeNpy, type TypedArray } from "../../src/io/npy.ts";
import { expectArray, type Npz, NpzWriter, readNpz, writeNpz } from "../../src/io/npz.ts";
import { type ZipEntry, ZipReader, ZipWriter } from "../../src/io/zip.ts";
import { FIXTURES, NO_NUMPY, runNumpy, scratch, seededRandom, thrownBy } from "./io-helpers.ts";

const folder = scratch();

interface Printed {
  readonly dtype: string;
  readonly shape: number[];
  readonly values: (number | boolean | string)[];
}

/** An array as `make-fixtures.py` prints it. */
function comparable(values: Printed["values"]): (number | bigint)[] {
  return values.map((x) => {
    if (typeof x !== "string") return Number(x);
    const special: Record<string, number> = { nan: Number.NaN, inf: Infinity, "-inf": -Infinity };
    return special[x] ?? (x.includes(".") ? Number(x) : BigInt(x));
  });
}

const ARRAYS: Record<string, { data: TypedArray; shape: number[] }> = {
  f4: { data: Float32Array.of(0.1, -0, 3e38, 1e-45, Number.NaN, Infinity), shape: [2, 3] },
  f8: { data: Float64Array.of(0.1, -0, 1e300, 5e-324), shape: [4, 1] },
  i1: { data: Int8Array.of(-128, 127), shape: [2] },
  u1: { data: Uint8Array.of(0, 255), shape: [2] },
  i2: { data: Int16Array.of(-32768, 32767), shape: [2] },
  u2: { data: Uint16Array.of(0, 65535), shape: [2] },
  i4: { data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1), shape: [1, 2, 1] },
  u4: { data: Uint32Array.of(0, 2 ** 32 - 1), shape: [2] },
  i8: { data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n), shape: [2] },
  u8: { data: BigUint64Array.of(0n, 2n ** 64n - 1n), shape: [2] },
  scalar: { data: Float32Array.of(2.5), shape: [] },
  empty: { data: new Float32Array(0), shape: [0] },
  empty_axis: { data: new Float64Array(0), shape: [3, 0, 5] },
  größe: { data: Float32Array.of(1), shape: [1] },
};

function written(arrays: Parameters<typeof writeNpz>[1] = ARRAYS): string {
  const path = join(folder(), "out.npz");
  writeNpz(path, arrays);
  return path;
}

/** Changes bytes of a copy of a file. */
function patched(path: string, change: (bytes: Buffer) => Buffer | undefined): string {
  const bytes = fs.readFileSync(path);
  const copy = join(folder(), "in.npz");
  fs.writeFileSync(copy, change(bytes) ?? bytes);
  return copy;
}

describe("reading what NumPy wrote", () => {
  const expected = JSON.parse(fs.readFileSync(join(FIXTURES, "numpy-arrays.json"), "utf8")) as Record<string, Printed>;

  it.each(["numpy-arrays.npz", "numpy-compressed.npz"])("%s: every type and shape", (file) => {
    const npz = readNpz(join(FIXTURES, file));
    expect([...npz.keys()]).toEqual(Object.keys(expected));
    for (const [name, array] of npz) {
      const { dtype, shape, values } = expected[name] as Printed;
      expect({ name, dtype: array.dtype, shape: array.shape }).toEqual({ name, dtype, shape });
      expect(Array.from(array.data as Float32Array, (x) => x)).toEqual(comparable(values));
    }
  });

  it("a header of version 2", () => {
    const { shape, data } = readNpz(join(FIXTURES, "numpy-version-2.npz")).get("prime") ?? {};
    expect(shape).toEqual([13, 17]);
    expect(data).toEqual(Uint32Array.from({ length: 13 * 17 }, (_, i) => i));
  });

  it("only the arrays asked for", () => {
    const npz = readNpz(join(FIXTURES, "numpy-arrays.npz"), { only: (name) => name === "scalar" });
    expect([...npz.keys()]).toEqual(["scalar"]);
  });
});

describe("writing", () => {
  it("comes back as it was", () => {
    const npz = readNpz(written());
    expect([...npz.keys()]).toEqual(Object.keys(ARRAYS));
    for (const [name, { data, shape }] of Object.entries(ARRAYS)) {
      expect(npz.get(name)?.shape).toEqual(shape);
      expect(bytesOf(npz.get(name)?.data as TypedArray)).toEqual(bytesOf(data));
    }
  });

  it("is read by numpy.load: types, shapes and bits", ({ skip }) => {
    const program = `
import json, sys, zipfile, numpy as np
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
print(json.dumps({k: [v.dtype.str, list(v.shape), v.tobytes().hex()] for k, v in np.load(sys.argv[1]).items()}))`;
    const found = runNumpy(program, written());
    if (found === null) skip(NO_NUMPY);
    const descr = (name: string) => (/^[iu]1$/.test(name) ? `|${name}` : /^[fiu]\d$/.test(name) ? `<${name}` : null);
    for (const [name, { data, shape }] of Object.entries(ARRAYS)) {
      const [type, foundShape, hex] = (found as Record<string, [string, number[], string]>)[name] ?? [];
      expect(type).toBe(descr(name) ?? (data instanceof Float64Array ? "<f8" : "<f4"));
      expect(foundShape).toEqual(shape);
      expect(hex).toBe(Buffer.from(bytesOf(data)).toString("hex"));
    }
  });

  it("is a zip to fflate, which reads sizes and data at their own places", () => {
    const members = unzipSync(fs.readFileSync(written()));
    for (const [name, { data, shape }] of Object.entries(ARRAYS)) {
      expect(members[`${name}.npy`]).toEqual(encodeNpy(data, shape));
    }
  });

  it("puts size and CRC-32 in front of the data, for readers that go front to back", () => {
    const bytes = fs.readFileSync(written({ x: { data: Float32Array.of(1, 2, 3) } }));
    const content = encodeNpy(Float32Array.of(1, 2, 3), [3]);
    expect(bytes.readUInt32LE(14)).toBe(crc32(content));
    expect([bytes.readUInt32LE(18), bytes.readUInt32LE(22)]).toEqual([content.length, content.length]);
    expect(bytes.readUInt16LE(6)).toBe(0);
  });

  it("gives the same bytes at any time", () => {
    expect(fs.readFileSync(written())).toEqual(fs.readFileSync(written()));
  });

  it("in pieces gives the same bytes as at once", () => {
    const random = seededRandom(5);
    const data = Float32Array.from({ length: 1000 }, () => random());
    const path = join(folder(), "pieces.npz");
    const writer = new NpzWriter(path);
    writer.add("x", [10, 100]);
    for (let at = 0; at < data.length; ) {
      const length = Math.floor(random() * 90);
      writer.append(data.subarray(at, at + length));
      at += length;
    }
    writer.add("y", [], "int32");
    writer.append(Int32Array.of(-1));
    writer.close();
    const whole = written({ x: { data, shape: [10, 100] }, y: { data: Int32Array.of(-1), shape: [] } });
    expect(fs.readFileSync(path)).toEqual(fs.readFileSync(whole));
  });

  it("shows nothing before close, and leaves nothing after abort", () => {
    const directory = folder();
    const writer = new NpzWriter(join(directory, "x.npz"));
    writer.add("x", [2]);
    writer.append(Float32Array.of(1, 2));
    expect(fs.existsSync(join(directory, "x.npz"))).toBe(false);
    writer.abort();
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it.each(["a/b", "../x", "..", "a\\b", "", "a\0", "x".repeat(201)])("refuses the name %j", (name) => {
    const directory = folder();
    const error = thrownBy(() => writeNpz(join(directory, "x.npz"), { [name]: { data: Float32Array.of(1) } }));
    expect(error).toBeInstanceOf(UsageError);
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it("refuses to grow beyond 4 GiB before it has written a byte of the array", () => {
    const directory = folder();
    const writer = new NpzWriter(join(directory, "replay.npz"));
    writer.add("small", [1]);
    writer.append(Float32Array.of(1));
    const error = thrownBy(() => writer.add("positions", [2 ** 20, 2 ** 10]));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(
      /replay\.npz: positions\.npy brings it to 4\.00 GiB in 2 arrays, a \.npz holds 4 GiB; /,
    );
    expect(fs.readdirSync(directory)).toEqual([]);
  });

  it("takes a shape that its elements do not fill for a mistake and leaves nothing", () => {
    const directory = folder();
    for (const shape of [[2], [4], [1.5]]) {
      expect(() => writeNpz(join(directory, "x.npz"), { x: { data: new Float32Array(3), shape } })).toThrow();
      expect(fs.readdirSync(directory)).toEqual([]);
    }
  });

  it.each([
    ["too few elements", (writer: NpzWriter) => writer.append(Float32Array.of(1))],
    ["too many elements", (writer: NpzWriter) => writer.append(new Float32Array(4))],
    ["another type", (writer: NpzWriter) => writer.append(new Float64Array(3))],
    ["a shape that is none", (writer: NpzWriter) => writer.add("y", [-1])],
  ])("takes %s for a mistake and leaves nothing", (_, append) => {
    const directory = folder();
    const writer = new NpzWriter(join(directory, "x.npz"));
    writer.add("x", [3]);
    expect(() => {
      append(writer);
      writer.close();
    }).toThrow();
    expect(fs.readdirSync(directory)).toEqual([]);
  });
});

describe("reading a stranger's file", () => {
  const npy = encodeNpy(Float32Array.of(1, 2, 3), [3]);

  /** Writes bytes and returns the error that reading them gives. */
  function refusal(bytes: Uint8Array, options?: Parameters<typeof readNpz>[1]): Error {
    const path = join(folder(), "in.npz");
    fs.writeFileSync(path, bytes);
    const error = thrownBy(() => readNpz(path, options));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/^[^\n]*in\.npz: [^\n]+$/);
    return error;
  }

  it.each(["../x.npy", "a/b.npy", "a\\b.npy", "x.txt", ".npy"])("refuses a member named %s", (name) => {
    expect(refusal(zipSync({ [name]: npy })).message).toContain(JSON.stringify(name));
  });

  it("refuses other files", () => {
    expect(refusal(new Uint8Array(0)).message).toContain("it ends too early");
    expect(refusal(Buffer.from("not a zip ".repeat(20))).message).toContain("no directory at its end");
    expect(refusal(npy).message).toContain("no directory at its end");
    expect(refusal(zipSync({ "x.npy": Buffer.from("not an array") })).message).toContain("x: expected a .npy array");
  });

  it("names a missing file and a folder", () => {
    expect(thrownBy(() => readNpz("/nowhere/in.npz")).message).toBe(
      "/nowhere/in.npz: no such file; check the path (ENOENT)",
    );
    const directory = folder();
    expect(thrownBy(() => readNpz(directory)).message).toBe(`${directory}: not a file; check the path`);
    expect(thrownBy(() => readNpz("/dev/zero")).message).toBe("/dev/zero: not a file; check the path");
  });

  it("finds a changed element by its CRC-32, stored and deflated", () => {
    const path = written({ x: { data: Float32Array.of(1, 2, 3) } });
    const flipped = patched(path, (bytes) => {
      bytes[bytes.indexOf(bytesOf(Float32Array.of(2)))] = 1;
      return undefined;
    });
    expect(refusal(fs.readFileSync(flipped)).message).toContain("x.npy: damaged (its CRC-32 does not match)");
    const deflated = zipSync({ "x.npy": npy }, { level: 9 });
    // The directory's CRC field: 16 bytes into the entry, which stands 46 + 5 bytes before the end record of 22.
    const crcAt = deflated.length - 22 - 46 - "x.npy".length + 16;
    deflated[crcAt] = (deflated[crcAt] as number) ^ 1;
    expect(refusal(deflated).message).toContain("its CRC-32 does not match");
  });

  it("bounds what a compressed member may grow to", () => {
    const bomb = zipSync({ "x.npy": encodeNpy(new Float32Array(2 ** 22), [2 ** 22]) }, { level: 9 });
    expect(bomb.length).toBeLessThan(100_000);
    expect(refusal(bomb, { totalBytes: 2 ** 20 }).message).toContain("at most 1048576 are read");
    const entry = bomb.length - 22 - 46 - "x.npy".length;
    // The member claims to be small: unpacking stops there.
    const liar = Buffer.from(bomb);
    liar.writeUInt32LE(100, entry + 24);
    expect(refusal(liar).message).toContain("does not unpack");
    // It claims more than DEFLATE can give: nothing is unpacked at all.
    liar.writeUInt32LE(0xfffffff0, entry + 24);
    expect(refusal(liar).message).toContain("contradicts the directory");
  });

  it("bounds the number of arrays", () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`x${i}.npy`, npy]));
    expect(refusal(zipSync(many), { arrays: 10 }).message).toContain("11 arrays, at most 10");
  });

  it("refuses members inside one another", () => {
    const path = join(folder(), "x.npz");
    const writer = new ZipWriter(path);
    writer.begin("b.npy", npy.length);
    writer.append(npy);
    writer.close();
    const member = fs.readFileSync(path).subarray(0, 30 + "b.npy".length + npy.length);
    const outer = new ZipWriter(path);
    outer.begin("a.npy", member.length);
    outer.append(member);
    outer.begin("b.npy", npy.length);
    outer.append(npy);
    outer.close();
    const bytes = fs.readFileSync(path);
    // The entry of b is the last; its offset field now points into the data of a.
    bytes.writeUInt32LE(30 + "a.npy".length, bytes.length - 22 - "b.npy".length - 4);
    expect(refusal(bytes).message).toContain("its members overlap");
  });

  it("refuses what contradicts itself: names, places and methods in header and directory", () => {
    const sound = fs.readFileSync(written({ ab: { data: Float32Array.of(1) } }));
    const directory = sound.length - 22 - 46 - "ab.npy".length;
    const changed = (at: number) => {
      const bytes = Buffer.from(sound);
      bytes[at] = (bytes[at] as number) ^ 8;
      return bytes;
    };
    // A renamed array would be a missing one, or pass for another.
    expect(refusal(changed(30)).message).toContain("the header of ab.npy contradicts the directory");
    expect(refusal(changed(directory + 46)).message).toContain("the header of ib.npy contradicts the directory");
    expect(refusal(changed(8)).message).toContain("contradicts the directory");
    expect(refusal(changed(directory + 10)).message).toContain("contradicts the directory");
    const shifted = [sound.subarray(0, directory), Buffer.alloc(8), sound.subarray(directory)];
    expect(refusal(Buffer.concat(shifted)).message).toContain("its directory is not where it should be");
    expect(refusal(Buffer.concat([Buffer.alloc(8), sound])).message).toContain(
      "its directory is not where it should be",
    );
    expect(refusal(Buffer.concat([sound, Buffer.alloc(8)])).message).toContain("no directory at its end");
  });

  it("refuses a name that occurs twice, encryption and unknown compression", () => {
    const path = join(folder(), "x.npz");
    const writer = new ZipWriter(path);
    for (const _ of [1, 2]) {
      writer.begin("x.npy", npy.length);
      writer.append(npy);
    }
    writer.close();
    expect(refusal(fs.readFileSync(path)).message).toContain("x.npy occurs twice");

    const sound = Buffer.from(zipSync({ "x.npy": npy }, { level: 0 }));
    const entry = sound.length - 22 - 46 - "x.npy".length;
    const changed = (at: number, value: number) => {
      const bytes = Buffer.from(sound);
      bytes.writeUInt16LE(value, at);
      return bytes;
    };
    expect(refusal(changed(entry + 8, 1)).message).toContain("encrypted");
    expect(refusal(changed(entry + 10, 12)).message).toContain("unknown compression 12");
    expect(refusal(changed(sound.length - 12, 0xffff)).message).not.toBe("");
  });

  it("reads zip64, as files beyond 4 GiB are, and trusts its numbers no more than the others", () => {
    const sound = Buffer.from(zipSync({ "x.npy": npy }, { level: 0 }));
    const name = "x.npy".length;
    const start = sound.length - 22 - 46 - name;
    /** The same member, every number of 32 bits moved to where zip64 has it; each can be falsified. */
    const large = (change: Partial<Record<"bytes" | "offset" | "start" | "record" | "short", number>> = {}) => {
      const central = Buffer.from(sound.subarray(start, start + 46 + name));
      for (const at of [20, 24, 42]) central.writeUInt32LE(0xffffffff, at);
      const extra = Buffer.alloc(28 - (change.short ?? 0));
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(extra.length - 4, 2);
      extra.writeBigUInt64LE(BigInt(change.bytes ?? npy.length), 4);
      extra.writeBigUInt64LE(BigInt(npy.length), 12);
      if (extra.length === 28) extra.writeBigUInt64LE(BigInt(change.offset ?? 0), 20);
      central.writeUInt16LE(extra.length, 30);
      const directory = Buffer.concat([central, extra]);
      const end64 = Buffer.alloc(56);
      end64.writeUInt32LE(0x06064b50, 0);
      end64.writeBigUInt64LE(44n, 4);
      end64.writeBigUInt64LE(1n, 24);
      end64.writeBigUInt64LE(1n, 32);
      end64.writeBigUInt64LE(BigInt(directory.length), 40);
      end64.writeBigUInt64LE(BigInt(change.start ?? start), 48);
      const locator = Buffer.alloc(20);
      locator.writeUInt32LE(0x07064b50, 0);
      locator.writeBigUInt64LE(BigInt(change.record ?? start + directory.length), 8);
      locator.writeUInt32LE(1, 16);
      const end = Buffer.from(sound.subarray(-22));
      end.writeUInt32LE(0xffffffff, 12);
      end.writeUInt32LE(0xffffffff, 16);
      return Buffer.concat([sound.subarray(0, start), directory, end64, locator, end]);
    };
    const path = join(folder(), "large.npz");
    fs.writeFileSync(path, large());
    const zip = new ZipReader(path);
    expect(Buffer.from(zip.read(zip.entries[0] as ZipEntry))).toEqual(Buffer.from(npy));
    zip.close();
    const misplaced = "its directory is not where it should be";
    expect(refusal(large({ start: start - 1 })).message).toContain(misplaced);
    expect(refusal(large({ record: start })).message).toContain(misplaced);
    expect(refusal(large({ bytes: 2 ** 40 })).message).toContain("contradicts the directory");
    expect(refusal(large({ bytes: 2 ** 60 })).message).toContain("beyond any file");
    expect(refusal(large({ offset: 2 ** 40 })).message).toContain("its directory is broken");
    expect(refusal(large({ short: 8 })).message).toContain("its directory is broken");
  });
});

describe("expectArray", () => {
  const npz: Npz = readNpz(
    written({
      W_rec: { data: new Float64Array(64 * 32), shape: [64, 32] },
      narrow: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
      wide: { data: Float64Array.of(0.1, 2), shape: [2] },
      huge: { data: Float64Array.of(1, 1e300), shape: [2] },
      nan: { data: Float32Array.of(1, 2, 3, 4, 5, Number.NaN), shape: [2, 3] },
      inf: { data: Float64Array.of(-Infinity), shape: [] },
      ints: { data: BigInt64Array.of(1n), shape: [1] },
    }),
  );
  const where = npz.path;
  const message = (name: string, shape: (number | string)[], sizes: Record<string, number> = {}) =>
    thrownBy(() => expectArray(npz, name, { dtype: "float32", shape, sizes })).message;

  it("gives the numbers", () => {
    expect(expectArray(npz, "narrow", { dtype: "float32", shape: [2, 3] })).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  it("widens without a word and rounds with a notice", () => {
    const notices: string[] = [];
    const notice = (text: string) => notices.push(text);
    expect(expectArray(npz, "narrow", { dtype: "float64", shape: ["R", "N"] }, notice)).toBeInstanceOf(Float64Array);
    expect(notices).toEqual([]);
    expect(expectArray(npz, "wide", { dtype: "float32", shape: [2] }, notice)).toEqual(Float32Array.of(0.1, 2));
    expect(notices).toEqual([`${where}: wide: float64 rounded to float32`]);
  });

  it("says what was expected and what was found", () => {
    expect(message("W_rec", [64, 64])).toBe(`${where}: W_rec: expected float32 (64,64), found float64 (64,32)`);
    expect(message("ints", ["R"])).toBe(`${where}: ints: expected float32 (R,), found int64 (1,)`);
    expect(message("W", [1])).toBe(`${where}: W: missing; the file has W_rec, narrow, wide, huge, nan, inf, ints`);
  });

  it("holds letters to one size across arrays and within one", () => {
    const sizes: Record<string, number> = { N: 5 };
    expect(message("narrow", ["R", "N"], sizes)).toContain("expected float32 (R,N=5), found float32 (2,3)");
    expect(sizes).toEqual({ N: 5 });
    expect(message("narrow", ["N", "N"])).toContain("expected float32 (N,N), found");
    const seen: Record<string, number> = {};
    expectArray(npz, "narrow", { dtype: "float32", shape: ["R", "N"], sizes: seen });
    expect(seen).toEqual({ R: 2, N: 3 });
  });

  it("finds the first value that is not a finite number", () => {
    expect(message("nan", [2, 3])).toBe(`${where}: nan: NaN at (1,2); every value must be a finite number`);
    expect(message("inf", [])).toContain("-Infinity at ()");
    expect(message("huge", [2])).toContain("1e+300 is beyond float32 at (1,)");
    const any = expectArray(npz, "nan", { dtype: "float32", shape: [2, 3], finite: false });
    expect(any[5]).toBeNaN();
  });
});
