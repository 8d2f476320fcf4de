import fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { float16ToFloat32, parse } from "npyjs";
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/errors.ts";
import {
  decodeNpy,
  decodeNpyHeader,
  dtypeOf,
  encodeNpy,
  encodeNpyHeader,
  formatShape,
  type TypedArray,
  widenFloat16,
} from "../../src/io/npy.ts";
import { readNpz } from "../../src/io/npz.ts";
import { FIXTURES, thrownBy } from "./io-helpers.ts";

const WRITABLE: readonly TypedArray[] = [
  Int8Array.of(-128, 127, 0),
  Uint8Array.of(255, 0, 1),
  Int16Array.of(-32768, 32767, 5),
  Uint16Array.of(65535, 0, 9),
  Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0),
  Uint32Array.of(2 ** 32 - 1, 0, 7),
  BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 0n),
  BigUint64Array.of(2n ** 64n - 1n, 0n, 3n),
  Float32Array.of(Math.fround(0.1), Number.NaN, -0),
  Float64Array.of(0.1, Number.NEGATIVE_INFINITY, 5e-324),
];

/** A .npy of version 1.0 with any text as its header. */
function npyWithHeader(text: string, data = new Uint8Array(0)): Uint8Array {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, Buffer.from(text, "latin1"), data]);
}

describe("npy", () => {
  it("writes what it reads, for every type", () => {
    for (const data of WRITABLE) {
      const array = decodeNpy(encodeNpy(data, [1, 3, 1]), "x");
      expect(array).toEqual({ name: "x", shape: [1, 3, 1], dtype: dtypeOf(data), data });
    }
  });

  it("is read by npyjs", () => {
    for (const data of WRITABLE) {
      const found = parse(encodeNpy(data, [3, 1]).slice().buffer as ArrayBuffer);
      expect(found.data).toEqual(data);
      expect(found.shape).toEqual([3, 1]);
      expect(found.fortranOrder).toBe(false);
    }
  });

  it("aligns the elements to 64 bytes and ends the header with a newline, as NumPy does", () => {
    for (const shape of [[], [3], [1, 2, 3], [123456789, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
      const header = encodeNpyHeader("float32", shape);
      expect(header.length % 64).toBe(0);
      expect(header.at(-1)).toBe(0x0a);
      expect(decodeNpyHeader(header, "x")).toMatchObject({ shape, dtype: "float32", dataOffset: header.length });
    }
  });

  it("takes a header of NumPy's own, byte for byte", () => {
    const npz = fs.readFileSync(join(FIXTURES, "numpy-arrays.npz"));
    for (const [dtype, shape] of [
      ["float32", [3, 5, 7]],
      ["uint32", [13, 17]],
      ["float64", [3, 0, 5]],
    ] as const) {
      // NumPy pads a little more, to leave room for a growing first axis; the dict itself must be the same.
      const dict = Buffer.from(encodeNpyHeader(dtype, shape)).toString("latin1", 10).trimEnd();
      expect(npz.includes(dict)).toBe(true);
    }
  });

  it("widens all 65536 float16 as npyjs does", () => {
    const all = Array.from({ length: 65536 }, (_, bits) => bits);
    expect(all.filter((bits) => !Object.is(widenFloat16(bits), float16ToFloat32(bits)))).toEqual([]);
  });

  it("does not need aligned memory", () => {
    const shifted = Buffer.concat([Buffer.alloc(3), encodeNpy(Float64Array.of(1, 2), [2])]).subarray(3);
    expect(decodeNpy(shifted, "x").data).toEqual(Float64Array.of(1, 2));
  });

  it("accepts the freedoms other writers take with the header", () => {
    const data = new Uint8Array(Float32Array.of(1, 2).buffer);
    for (const text of [
      `{"shape":(2L,),"fortran_order":False,"descr":"<f4"}\n`,
      `{ 'fortran_order' : False , 'descr' : '<f4' , 'shape' : ( 1 , 2 ) }`,
    ]) {
      expect(decodeNpy(npyWithHeader(text, data), "x").data).toEqual(Float32Array.of(1, 2));
    }
    expect(
      decodeNpy(npyWithHeader("{'descr': '<u1', 'fortran_order': False, 'shape': (2,)}", data.slice(0, 2)), "x").dtype,
    ).toBe("uint8");
  });

  it.each([
    ["fortran", "expected C order, found Fortran order"],
    ["big_endian", "expected little-endian, found big-endian '>f4'; save array.astype('<f4')"],
    ["object", "expected numbers, found Python objects"],
    ["text", "expected integers, floats or bool, found '<U5'"],
    ["complex", "expected integers, floats or bool, found '<c8'"],
    ["record", "expected a plain numeric array, found a record array"],
  ])("refuses NumPy's %s array in one line that says why", (name, why) => {
    const path = join(FIXTURES, "numpy-refused.npz");
    const error = thrownBy(() => readNpz(path, { only: (found) => found === name }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain(`${path}: ${name}: ${why}`);
    expect(error.message).not.toContain("\n");
  });

  it.each([
    [
      "a shape no memory holds",
      "{'descr': '<f8', 'fortran_order': False, 'shape': (9007199254740991, 2)}",
      "addressed",
    ],
    ["a shape larger than the data", "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}", "found 0"],
    ["a negative size", "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "malformed"],
    ["a size beyond 2^53", "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "malformed"],
    ["a number for a tuple", "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", "malformed"],
    ["a missing entry", "{'descr': '<f4', 'shape': (3,)}", "malformed"],
    ["an unknown entry", "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 'y'}", "malformed"],
    ["code", "{'descr': '<f4', 'fortran_order': False, 'shape': (len([1]),)}", "malformed"],
    ["65 axes", `{'descr': '<f4', 'fortran_order': False, 'shape': (${"1, ".repeat(65)})}`, "addressed"],
  ])("refuses %s", (_, text, why) => {
    const error = thrownBy(() => decodeNpy(npyWithHeader(text), "W", "in.npz: W"));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(/^in\.npz: W: [^\n]+$/);
    expect(error.message).toContain(why);
  });

  it("refuses more or fewer elements than the shape has", () => {
    const sound = encodeNpy(Float32Array.of(1, 2), [2]);
    for (const bytes of [Buffer.concat([sound, Buffer.alloc(4)]), sound.subarray(0, -1)]) {
      const found = bytes.length - 128;
      expect(thrownBy(() => decodeNpy(bytes, "W", "in.npz: W")).message).toBe(
        `in.npz: W: expected 8 bytes for float32 (2,), found ${found}; write the file again`,
      );
    }
  });

  it("refuses a header length that goes beyond the file", () => {
    const bytes = Buffer.from(encodeNpy(Float32Array.of(1), [1]));
    bytes.writeUInt16LE(60_000, 8);
    expect(thrownBy(() => decodeNpy(bytes, "W"))).toBeInstanceOf(DataError);
    // Version 2 has room for a length of 4 GiB.
    const long = Buffer.concat([Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\xff", "latin1"), Buffer.alloc(100)]);
    expect(thrownBy(() => decodeNpy(long, "W")).message).toContain("4294967295 bytes");
  });

  it("answers any bytes with an array or a DataError", () => {
    const sound = encodeNpy(Float32Array.of(1, 2, 3), [3]);
    const flipped = fc
      .array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = sound.slice();
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), flipped), (bytes) => {
        try {
          const { data } = decodeNpy(bytes, "x");
          expect(data.byteLength).toBeLessThanOrEqual(4 * bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(DataError);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("prints shapes as Python does", () => {
    expect([[], [3], [64, 32], ["T", 2]].map((shape) => formatShape(shape))).toEqual([
      "()",
      "(3,)",
      "(64,32)",
      "(T,2)",
    ]);
  });
});
