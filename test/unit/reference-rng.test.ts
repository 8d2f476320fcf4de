import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { cellParams } from "../../src/model/dynamics.ts";
import { STREAM } from "../../src/model/streams.ts";
import {
  drawWords,
  type Key,
  mulhi,
  noise,
  normals4,
  philox4x32,
  philoxNoise,
  type Quad,
  uniform,
} from "../../src/reference/index.ts";

const KEY: Key = [17, 4];

/** Six words in, four out: Random123 (D. E. Shaw Research), `tests/kat_vectors`, philox4x32. */
const KNOWN_ANSWERS = `
 7 00000000 00000000 00000000 00000000 00000000 00000000 5f6fb709 0d893f64 4f121f81 4f730a48
 7 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 5207ddc2 45165e59 4d8ee751 8c52f662
 7 243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 4dfccaba 190a87f0 c47362ba b6b5242a
10 00000000 00000000 00000000 00000000 00000000 00000000 6627e8d5 e169c58d bc57ac4c 9b00dbd8
10 ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff 408f276d 41c83b0e a20bc7c6 6d5451fd
10 243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0 d16cfe09 94fdcceb 5001e420 24126ea1
`
  .trim()
  .split("\n")
  .map((line) => line.trim().split(/\s+/));

describe("Philox-4x32", () => {
  test.each(KNOWN_ANSWERS)("%i rounds of %s %s %s %s under %s %s", (rounds, ...words) => {
    const [c0, c1, c2, c3, k0, k1, ...expected] = words.map((word) => Number.parseInt(word, 16)) as number[];
    expect(philox4x32([c0, c1, c2, c3] as unknown as Quad, [k0, k1] as unknown as Key, Number(rounds))).toEqual(
      expected,
    );
  });

  test("the high half of a product is exact", () => {
    const edges = [0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffff0000, 0xffffffff, 0xd2511f53, 0xcd9e8d57];
    const drawn = Array.from({ length: 40 }, (_, i) => drawWords(i, 0, 0, STREAM.masks, 0, KEY)).flat();
    for (const x of [...edges, ...drawn]) {
      for (const y of [...edges, ...drawn]) expect(mulhi(x, y)).toBe(Number((BigInt(x) * BigInt(y)) >> 32n));
    }
  });

  test("counter words are step, quad, trajectory and stream over epoch", () => {
    const expected = philox4x32([3, 2, 9, 4 * 2 ** 24 + 0xabcdef], KEY, 10);
    expect(drawWords(3, 2, 9, STREAM.awakeNoise, 0xabcdef, KEY, 10)).toEqual(expected);
    expect(noise(3, 10, 9, STREAM.awakeNoise, 0xabcdef, KEY, 10)).toBe(normals4(expected)[2]);
  });

  test("an epoch beyond 24 bits is refused: it would run into the stream", () => {
    expect(() => drawWords(0, 0, 0, STREAM.awakeNoise, 2 ** 24, KEY)).toThrow(UsageError);
    expect(() => drawWords(0, 0, 0, STREAM.awakeNoise, -1, KEY)).toThrow(UsageError);
  });
});

describe("uniforms and normals", () => {
  test("uniforms are float32 numbers strictly inside (0, 1)", () => {
    expect(uniform(0)).toBe(2 ** -24);
    expect(uniform(0xffffffff)).toBe(1 - 2 ** -24);
    for (const word of [0, 511, 512, 0x7fffffff, 0x80000000, 0xffffffff]) {
      expect(Math.fround(uniform(word))).toBe(uniform(word));
    }
  });

  test("Box–Muller: the radius gives back the first word, the angle the second", () => {
    const words: Quad = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
    const n = normals4(words);
    for (const pair of [0, 2] as const) {
      const [x, y] = [n[pair] as number, n[pair + 1] as number];
      const turn = Math.atan2(y, x) / (2 * Math.PI);
      // Float64 rounding of exp and atan2 only.
      expect(Math.exp(-(x * x + y * y) / 2)).toBeCloseTo(uniform(words[pair] as number), 14);
      expect(turn < 0 ? turn + 1 : turn).toBeCloseTo(uniform(words[pair + 1] as number), 14);
    }
  });

  test("the noise has the moments of independent standard normals", () => {
    const [T, B, N] = [100, 50, 40];
    const params = Array.from({ length: B }, () => unitNoise);
    const xi = philoxNoise({ T, B, N, stream: STREAM.awakeNoise, epoch: 7, key: KEY, trajectory0: 0, params });
    const n = xi.length;
    const moment = (power: number) => xi.reduce((sum, x) => sum + x ** power, 0) / n;
    // Five standard errors: the k-th moment's estimate has variance (E x^2k − (E x^k)²)/n with E x² , x⁴, … = 1, 3, 15, 105.
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / n));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / n));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
    // Neighbours in unit (both of one draw and of the next), in row and in time are uncorrelated.
    for (const lag of [1, 2, 3, 4, N, B * N]) {
      let sum = 0;
      for (let i = 0; i + lag < n; i++) sum += (xi[i] as number) * (xi[i + lag] as number);
      expect(Math.abs(sum / (n - lag)), `lag ${lag}`).toBeLessThan(5 / Math.sqrt(n - lag));
    }
  });

  test("the noise of a row does not depend on which batch or window it is drawn in, nor on how many units there are", () => {
    const request = { stream: STREAM.replayNoise, epoch: 3, key: KEY } as const;
    const params = [unitNoise, unitNoise, unitNoise];
    const whole = philoxNoise({ ...request, T: 6, B: 3, N: 7, trajectory0: 5, params });
    const part = philoxNoise({ ...request, T: 2, B: 1, N: 5, trajectory0: 7, params: [unitNoise], step0: 4 });
    for (let t = 0; t < 2; t++) {
      for (let i = 0; i < 5; i++) expect(part[t * 5 + i]).toBe(whole[((t + 4) * 3 + 2) * 7 + i]);
    }
    expect(whole[(4 * 3 + 2) * 7 + 6]).toBe(noise(4, 6, 7, STREAM.replayNoise, 3, KEY));
  });

  test("each row has its own standard deviation", () => {
    const request = { T: 1, B: 2, N: 4, stream: STREAM.awakeNoise, epoch: 0, key: KEY, trajectory0: 0 } as const;
    const unit = philoxNoise({ ...request, params: [unitNoise, unitNoise] });
    const scaled = philoxNoise({
      ...request,
      params: [
        { ...unitNoise, noise: 0 },
        { ...unitNoise, noise: 0.25 },
      ],
    });
    expect([...scaled]).toEqual([...unit].map((x, i) => (i < 4 ? 0 * x : 0.25 * x)));
  });
});

const unitNoise = cellParams({
  leak: 0,
  gain: 1,
  noiseStd: 1,
  noiseScale: 1,
  friction: 1,
  noiseFriction: true,
  adaptStrength: 0,
  adaptTau: 1,
});
