/** Files of tensors for other programs: halves, shards and safetensors. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { toFloat16 } from "../../src/io/float16.ts";
import { widenFloat16 } from "../../src/io/npy.ts";
import { readNpz } from "../../src/io/npz.ts";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.ts";
import { ShardWriter } from "../../src/io/shards.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-tensors-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const value = new Float32Array(1);
const bits = new Uint32Array(value.buffer);

/** The plain twin of `toFloat16`, one number at a time; larger values become infinities. */
function narrowToFloat16(x: number): number {
  value[0] = x;
  const b = bits[0] as number;
  const sign = (b >>> 16) & 0x8000;
  const exponent = (b >>> 23) & 0xff;
  const fraction = b & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 | (fraction >>> 13) : 0);
  const e = exponent - 112;
  if (e >= 31) return sign | 0x7c00;
  if (e <= 0) {
    // Subnormal: the implied one, shifted to where it is worth 2⁻²⁴.
    if (e < -10) return sign;
    return sign | roundedShift(fraction | 0x800000, 14 - e);
  }
  // A carry out of the fraction raises the exponent, up to infinity, as it should.
  return sign | roundedShift((e << 23) | fraction, 13);
}

function roundedShift(n: number, shift: number): number {
  const half = 1 << (shift - 1);
  const rest = n & ((1 << shift) - 1);
  const down = n >>> shift;
  return rest > half || (rest === half && (down & 1) === 1) ? down + 1 : down;
}

describe("halves", () => {
  test("every float16 survives the way to float32 and back", () => {
    const lost: number[] = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = widenFloat16(bits);
      if (!Number.isNaN(value) && narrowToFloat16(value) !== bits) lost.push(bits);
    }
    expect(lost).toEqual([]);
    expect(widenFloat16(narrowToFloat16(Number.NaN))).toBeNaN();
  });

  test.each([
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [2 ** -25, 0],
    [2 ** -25 + 2 ** -40, 2 ** -24],
    [-(2 ** -14 - 2 ** -26), -(2 ** -14)],
  ])("%d is rounded to the nearest, ties to even: %d", (value, rounded) => {
    expect(widenFloat16(narrowToFloat16(value))).toBe(rounded);
    expect(toFloat16(Float32Array.of(value))[0]).toBe(narrowToFloat16(value));
  });

  test("many at once are each rounded like one, from the smallest to NaN", () => {
    // All exponents and signs, fractions around the ties.
    const bits = Uint32Array.from(
      { length: 1 << 16 },
      (_, i) => ((i >> 7) << 23) | (Math.imul(i & 127, 0x10204081 >>> 9) & 0x7fffff),
    );
    const values = new Float32Array(bits.buffer);
    expect(toFloat16(values)).toEqual(Uint16Array.from(values, narrowToFloat16));
    const ties = Float32Array.from({ length: 4096 }, (_, i) => (1 + i * 2 ** -11) * 2 ** ((i % 29) - 14));
    expect(toFloat16(ties)).toEqual(Uint16Array.from(ties, narrowToFloat16));
  });
});

describe("shards", () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => i);
  /** (2, 3, 4) in blocks of one entry of the second axis. */
  const blocks = [0, 1].flatMap((i) =>
    [0, 1, 2].map((j) => ({
      array: "x",
      origin: [i, j, 0],
      shape: [1, 1, 4],
      data: values.slice((i * 3 + j) * 4, (i * 3 + j + 1) * 4),
    })),
  );
  const arrays = { x: { axes: ["network", "time", "unit"], shape: [2, 3, 4] } };

  test("what is small becomes one file, whatever the order of its blocks", () => {
    const path = join(folder, "small.npz");
    const writer = new ShardWriter(path, arrays, { a: 1 }, { dtype: "float32" });
    for (const block of blocks.toReversed()) writer.put(block);
    writer.close();
    expect(writer.files).toEqual([path]);
    const { shape, data } = readNpz(path).get("x") ?? {};
    expect(shape).toEqual([2, 3, 4]);
    expect(data).toEqual(values);
  });

  test.each(["float32", "float16"] as const)(
    "what is large becomes several, and an index that leads back: %s",
    (dtype) => {
      const writer = new ShardWriter(
        join(folder, `${dtype}.npz`),
        arrays,
        {},
        { dtype, oneFileBytes: 0, shardBytes: 1200 },
      );
      for (const block of blocks) writer.put(block);
      writer.close();
      expect(writer.files).toHaveLength(4);
      const index = JSON.parse(readFileSync(join(folder, `${dtype}.index.json`), "utf8"));
      expect(index.arrays.x).toMatchObject({ axes: ["network", "time", "unit"], shape: [2, 3, 4], dtype });
      const found = new Float32Array(24);
      for (const { file, member, origin } of index.arrays.x.blocks) {
        found.set(readNpz(join(folder, file)).get(member)?.data as Float32Array, (origin[0] * 3 + origin[1]) * 4);
      }
      expect(found).toEqual(values);
    },
  );
});

/** A file made by the letter of the format. */
function safetensorsFile(name: string, header: string, data: Uint8Array, length = header.length): string {
  const before = Buffer.alloc(8);
  before.writeBigUInt64LE(BigInt(length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([before, Buffer.from(header), data]));
  return path;
}

describe("safetensors", () => {
  const w = { data: Float32Array.of(1, -2, 3, 4, 5, 6), shape: [2, 3] };

  test("the bytes are those of the format: length, JSON header, aligned data without gaps", () => {
    const path = join(folder, "w.safetensors");
    writeSafetensors(path, { w, b: { data: Float64Array.of(7) } }, { format: "pt" });
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
      __metadata__: { format: "pt" },
      b: { dtype: "F64", shape: [1], data_offsets: [0, 8] },
      w: { dtype: "F32", shape: [2, 3], data_offsets: [8, 32] },
    });
    expect(bytes.readDoubleLE(8 + length)).toBe(7);
    expect(bytes.readFloatLE(8 + length + 8 + 4)).toBe(-2);
    expect(bytes).toHaveLength(8 + length + 32);
    const { tensors, metadata } = readSafetensors(path);
    expect(metadata).toEqual({ format: "pt" });
    expect(tensors.get("w")).toMatchObject({ shape: [2, 3], data: w.data });
  });

  test("halves of both kinds are widened", () => {
    const header =
      '{"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"BF16","shape":[],"data_offsets":[2,4]}}';
    const { tensors } = readSafetensors(
      safetensorsFile("h.safetensors", header, Uint8Array.of(0x00, 0x3e, 0x40, 0xc0)),
    );
    expect(tensors.get("h")?.data).toEqual(Float32Array.of(1.5));
    expect(tensors.get("b")?.data).toEqual(Float32Array.of(-3));
  });

  const entry = (offsets: string) => `{"w":{"dtype":"F32","shape":[1],"data_offsets":${offsets}}}`;
  test.each([
    ["cut off", entry("[0,4]"), 0, undefined],
    ["with bytes behind its tensors", entry("[0,4]"), 8, undefined],
    ["with a gap", entry("[4,8]"), 8, undefined],
    ["whose offsets contradict the shape", entry("[0,8]"), 8, undefined],
    ["whose header claims too much", entry("[0,4]"), 4, 1e6],
    ["whose header is no JSON", "{w}", 4, undefined],
    ["of integers", '{"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}', 8, undefined],
    ["with offsets that are no numbers", entry('["0","4"]'), 4, undefined],
  ])("a file %s is refused", (_, header, bytes, length) => {
    const path = safetensorsFile("bad.safetensors", header, new Uint8Array(bytes), length);
    expect(() => readSafetensors(path)).toThrow(DataError);
  });
});
