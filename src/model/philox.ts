/**
 * Philox-4x32 in exact 32-bit arithmetic and the standard normals made from it in float64: what the host itself draws
 * (centres of place cells), and the witness of `shaders/lib/rng.wgsl`, checked by published vectors. Generator: Salmon,
 * Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Which counter word means what is said in
 * `streams.ts`.
 */
import { UsageError } from "../errors.ts";
import type { STREAM } from "./streams.ts";

/** Four 32-bit words, or the four normals made from them. */
export type Quad = readonly [number, number, number, number];

/** (root seed, network seed), both u32. */
export type Key = readonly [root: number, network: number];

export type Stream = (typeof STREAM)[keyof typeof STREAM];

export const DEFAULT_ROUNDS = 7;

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** High 32 bits of the 64-bit product of two u32, from 16-bit halves: no partial sum reaches 2^32. */
export function mulhi(x: number, y: number): number {
  const xLow = x & 0xffff;
  const xHigh = x >>> 16;
  const yLow = y & 0xffff;
  const yHigh = y >>> 16;
  const middle = xHigh * yLow + ((xLow * yLow) >>> 16);
  const carry = xLow * yHigh + (middle & 0xffff);
  return (xHigh * yHigh + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** Philox-4x32-`rounds` of a counter under a key; every word is a u32. */
export function philox4x32(counter: Quad, key: Key, rounds: number = DEFAULT_ROUNDS): Quad {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = mulhi(MULTIPLIER_0, c0);
    const high1 = mulhi(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A word as a number strictly inside (0, 1), on a grid that float32 represents exactly. */
export function uniform(word: number): number {
  return ((word >>> 9) + 0.5) * 2 ** -23;
}

/** Box–Muller: words (0, 1) make normals 0, 1 and words (2, 3) make normals 2, 3. */
export function normals4(words: Quad): Quad {
  const radius01 = Math.sqrt(-2 * Math.log(uniform(words[0])));
  const radius23 = Math.sqrt(-2 * Math.log(uniform(words[2])));
  const angle01 = 2 * Math.PI * uniform(words[1]);
  const angle23 = 2 * Math.PI * uniform(words[3]);
  return [
    radius01 * Math.cos(angle01),
    radius01 * Math.sin(angle01),
    radius23 * Math.cos(angle23),
    radius23 * Math.sin(angle23),
  ];
}

/**
 * The four words drawn at (step, quad, trajectory) of a stream.
 * Throws `UsageError` for an epoch that does not fit its 24 bits.
 */
export function drawWords(
  step: number,
  quad: number,
  trajectory: number,
  stream: Stream,
  epoch: number,
  key: Key,
  rounds: number = DEFAULT_ROUNDS,
): Quad {
  if (!(epoch >= 0 && epoch < 2 ** 24)) {
    throw new UsageError(`random stream: epoch ${epoch} does not fit 24 bits; use 0 to 16777215`);
  }
  return philox4x32([step, quad, trajectory, ((stream << 24) | epoch) >>> 0], key, rounds);
}

/** The standard normal of one unit at one step. */
export function noise(
  step: number,
  unit: number,
  trajectory: number,
  stream: Stream,
  epoch: number,
  key: Key,
  rounds: number = DEFAULT_ROUNDS,
): number {
  return normals4(drawWords(step, unit >>> 2, trajectory, stream, epoch, key, rounds))[unit & 3] as number;
}
