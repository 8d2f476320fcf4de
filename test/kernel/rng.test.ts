/** shaders/lib/rng.wgsl: published vectors, the exact twin, and the statistics of what it draws. */
import { describe, expect, test } from "vitest";
import { readShaderFile } from "../../src/gpu/open-node.ts";
import { STREAM } from "../../src/model/streams.ts";
import { normals4, philox4x32, type Quad, uniform } from "../../src/reference/rng.ts";
import { gpuHygiene } from "../gpu.ts";
import { runKernel, within, worst } from "./run-kernel.ts";

gpuHygiene();

interface Draws {
  readonly words: Uint32Array;
  readonly uniforms: Float32Array;
  readonly normals: Float32Array;
}

async function draw(
  counters: Uint32Array<ArrayBuffer>,
  keys: Uint32Array<ArrayBuffer>,
  tune: Record<string, number> = {},
): Promise<Draws> {
  const bytes = counters.byteLength;
  const out = await runKernel({
    kernel: "../test/kernel/wgsl/rng",
    tune,
    uniforms: { launch: { count: counters.length / 4 } },
    bind: { counters, keys, words: bytes, uniforms: bytes, normals: bytes },
    groups: [Math.ceil(counters.length / 256), 1, 1],
  });
  return {
    words: out.u32("words"),
    uniforms: out.f32("uniforms"),
    normals: out.f32("normals"),
  };
}

const quad = (a: ArrayLike<number>, i: number): Quad => [a[4 * i], a[4 * i + 1], a[4 * i + 2], a[4 * i + 3]] as never;

// "philox4x32" lines of kat_vectors, the known-answer file of Random123 (D. E. Shaw Research): counter, key, words.
const PI = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0];
const INPUTS = [new Array<number>(6).fill(0), new Array<number>(6).fill(0xffffffff), PI];
const ANSWERS: [number, number[][]][] = [
  [
    7,
    [
      [0x5f6fb709, 0x0d893f64, 0x4f121f81, 0x4f730a48],
      [0x5207ddc2, 0x45165e59, 0x4d8ee751, 0x8c52f662],
      [0x4dfccaba, 0x190a87f0, 0xc47362ba, 0xb6b5242a],
    ],
  ],
  [
    10,
    [
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ],
];

test.each(ANSWERS)("known answers of Philox-4x32-%d", async (rounds, answers) => {
  const counters = Uint32Array.from(INPUTS.flatMap((x) => x.slice(0, 4)));
  const keys = Uint32Array.from(INPUTS.flatMap((x) => x.slice(4)));
  const { words } = await draw(counters, keys, { PHILOX_ROUNDS: rounds });
  expect([...words]).toEqual(answers.flat());
});

test("streams have the numbers of src/model/streams.ts", () => {
  const source = readShaderFile("lib/rng.wgsl");
  const found = [...source.matchAll(/^const STREAM_(\w+): u32 = (\d+)u;$/gm)].map((m) => [m[1], Number(m[2])]);
  const wanted = Object.entries(STREAM).map(([name, n]) => [name.replace(/[A-Z]/g, "_$&").toUpperCase(), n]);
  expect(found).toEqual(wanted);
});

/** Scattered u32: a Weyl sequence with its upper bits folded into the lower. */
function scattered(count: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: count }, (_, i) => {
    const x = Math.imul(i + 1, 0x9e3779b1);
    return Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  });
}

const TWIN_DRAWS = 2 ** 14;
// log 0.8 ULP (halved by the root), root 0.5, cosine 1.8, product 0.5: 3.2 ULP of a radius below 5.77, ULP ≤ 2^-21.
const NORMAL_ERROR = 3.2 * 2 ** -21;

describe("twin", () => {
  test.each([7, 10])("2^16 words, uniforms and normals, %d rounds", async (rounds) => {
    const counters = scattered(4 * TWIN_DRAWS);
    const keys = scattered(2 * TWIN_DRAWS).reverse();
    const got = await draw(counters, keys, { PHILOX_ROUNDS: rounds });
    const words = Array.from({ length: TWIN_DRAWS }, (_, i) =>
      philox4x32(quad(counters, i), [keys[2 * i] as number, keys[2 * i + 1] as number], rounds),
    );
    const flat = words.flat();
    expect(worst(flat.length, (i) => Number(got.words[i] !== flat[i]))).toEqual({ error: 0, at: 0 });
    expect(worst(flat.length, (i) => Number(got.uniforms[i] !== uniform(flat[i] as number)))).toEqual({
      error: 0,
      at: 0,
    });
    const normals = words.flatMap(normals4);
    const w = worst(normals.length, (i) => Math.abs((got.normals[i] as number) - (normals[i] as number)));
    within(`normals, ${rounds} rounds, absolute error`, w.error, NORMAL_ERROR);
  });

  test("normals of the outermost words are finite and right", async () => {
    const ends = [
      0, 511, 512, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xfffffe00, 0xffffffff,
    ];
    const words = Uint32Array.from(ends.flatMap((a) => ends.flatMap((b) => [a, b, b, a])));
    const got = await draw(words, new Uint32Array(words.length / 2), {
      COUNTERS_ARE_WORDS: 1,
    });
    const normals = Array.from({ length: words.length / 4 }, (_, i) => normals4(quad(words, i))).flat();
    const w = worst(normals.length, (i) => Math.abs((got.normals[i] as number) - (normals[i] as number)));
    within("normals of outermost words, absolute error", w.error, NORMAL_ERROR);
    expect(Math.max(...got.normals)).toBeGreaterThan(5.76);
  });
});

// 2^20 normals on the axes that a rollout has.
const T = 64;
const N = 64;
const B = 256;
const COUNT = T * N * B;
const SIGMAS = 4;

function rolloutCounters(last: number): Uint32Array<ArrayBuffer> {
  const counters = new Uint32Array(COUNT);
  let at = 0;
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      for (let q = 0; q < N / 4; q++) {
        counters.set([t, q, b, last], at);
        at += 4;
      }
    }
  }
  return counters;
}

function sameKey(root: number, network: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: COUNT / 2 }, (_, i) => (i % 2 === 0 ? root : network));
}

/** (t, b, unit), unit fastest. */
const rollout = async (last: number, root: number, network: number): Promise<Float32Array> =>
  (await draw(rolloutCounters(last), sameKey(root, network))).normals;

const word = (stream: number, epoch: number): number => (stream << 24) | epoch;

/** Sample mean of f in units of its standard error under independent standard normals. */
function sigmas(count: number, f: (i: number) => number, mean: number, std: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += f(i);
  return (Math.abs(sum / count - mean) * Math.sqrt(count)) / std;
}

describe("statistics of 2^20 normals, in standard errors", () => {
  test("moments, and correlations over steps, units and trajectories", async () => {
    const x = (await rollout(word(STREAM.awakeNoise, 3), 1, 2)) as unknown as number[];
    const at = (i: number): number => x[i] as number;
    within("mean", sigmas(COUNT, at, 0, 1), SIGMAS);
    within(
      "variance",
      sigmas(COUNT, (i) => at(i) ** 2, 1, Math.sqrt(2)),
      SIGMAS,
    );
    within(
      "skewness",
      sigmas(COUNT, (i) => at(i) ** 3, 0, Math.sqrt(15)),
      SIGMAS,
    );
    within(
      "kurtosis",
      sigmas(COUNT, (i) => at(i) ** 4, 3, Math.sqrt(96)),
      SIGMAS,
    );
    const pairs: [string, number][] = [
      ["lag 1 over steps", B * N],
      ["neighbouring units", 1],
      ["units two apart", 2],
      ["neighbouring draws", 4],
      ["neighbouring trajectories", N],
    ];
    for (const [name, lag] of pairs) {
      within(
        name,
        sigmas(COUNT - lag, (i) => at(i) * at(i + lag), 0, 1),
        SIGMAS,
      );
      // Box–Muller pairs share a radius: their squares must not show it.
      within(
        `${name}, squares`,
        sigmas(COUNT - lag, (i) => (at(i) ** 2 - 1) * (at(i + lag) ** 2 - 1), 0, 2),
        SIGMAS,
      );
    }
  });

  test("rollouts that differ in one key or counter word are independent", async () => {
    const x = await rollout(word(STREAM.awakeNoise, 3), 1, 2);
    const others: [string, Float32Array][] = [
      ["other root seed", await rollout(word(STREAM.awakeNoise, 3), 2, 2)],
      ["other network seed", await rollout(word(STREAM.awakeNoise, 3), 1, 3)],
      ["other epoch", await rollout(word(STREAM.awakeNoise, 4), 1, 2)],
      ["other stream", await rollout(word(STREAM.replayNoise, 3), 1, 2)],
    ];
    for (const [name, y] of others) {
      within(
        name,
        sigmas(COUNT, (i) => (x[i] as number) * (y[i] as number), 0, 1),
        SIGMAS,
      );
    }
  });
});
