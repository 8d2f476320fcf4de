/** Bit-for-bit comparison, and a place to draw test numbers from. */
import { expect } from "vitest";
import { STREAM } from "../src/model/streams.ts";
import { drawWords, normals4 } from "../src/reference/rng.ts";

type Words = Float32Array | Uint32Array;

const wordsOf = (x: Words): Uint32Array => new Uint32Array(x.buffer, x.byteOffset, x.length);

/** Fails with the first place at which two arrays differ. NaN equals itself, −0 does not equal 0. */
export function expectSameBits(what: string, got: Words, expected: Words): void {
  expect(got.length, `${what}: length`).toBe(expected.length);
  const [a, b] = [wordsOf(got), wordsOf(expected)];
  const at = a.findIndex((word, i) => word !== b[i]);
  if (at >= 0) expect(`${got[at]} at ${at}`, `${what}: first difference`).toBe(`${expected[at]} at ${at}`);
}

/** Whether any bit differs. */
export function differ(x: Words, y: Words): boolean {
  const [a, b] = [wordsOf(x), wordsOf(y)];
  return a.length !== b.length || a.some((word, i) => word !== b[i]);
}

/** Normal deviates that are a function of `seed` and their place in the sequence alone. */
export function normals(seed: number): (length: number, std?: number) => Float32Array<ArrayBuffer> {
  let quad = 0;
  return (length, std = 1) => {
    const out = new Float32Array(length);
    for (let i = 0; i < length; i += 4) {
      const four = normals4(drawWords(0, quad++, 0, STREAM.testPaths, 0, [seed, 7]));
      for (let lane = 0; lane < 4 && i + lane < length; lane++) out[i + lane] = std * (four[lane] as number);
    }
    return out;
  };
}
