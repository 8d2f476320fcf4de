/** shaders/lib/maths.wgsl against float64. Bound: 3 ULP (reliability.md figure 4), 2^18 points a range. */
import { describe, expect, test } from "vitest";
import { gpuHygiene } from "../gpu.ts";
import { runKernel, ulps, within, worst } from "./run-kernel.ts";

gpuHygiene();

const POINTS = 2 ** 18;
const BOUND = 3;

// Folded exactly before the product with 2π, so that the twin's own zeros are zeros.
const turn = (u: number): number => u - Math.floor(u + 0.5);
const sinTurns = (b: number): number => Math.sin(2 * Math.PI * b);
const cos2pi = (u: number): number => sinTurns(0.25 - Math.abs(turn(u)));
const sin2pi = (u: number): number => {
  const t = turn(u);
  return sinTurns(Math.abs(t) > 0.25 ? (t > 0 ? 0.5 : -0.5) - t : t);
};

const TWINS = { exp: Math.exp, log: Math.log, tanh: Math.tanh, cos2pi, sin2pi };
type Name = keyof typeof TWINS;
const NUMBER: Record<Name, number> = {
  exp: 0,
  log: 1,
  tanh: 2,
  cos2pi: 3,
  sin2pi: 4,
};
const SCALAR_FORM = 10;

async function evaluate(fn: number, x: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const out = await runKernel({
    kernel: "../test/kernel/wgsl/maths",
    tune: { FUNCTION: fn },
    uniforms: { launch: { count: x.length / 4 } },
    bind: { x, y: x.byteLength },
    groups: [Math.ceil(x.length / 256), 1, 1],
  });
  return out.f32("y");
}

/** Pads to whole vectors with the last value. */
function vectors(values: readonly number[]): Float32Array<ArrayBuffer> {
  const padded = [...values];
  while (padded.length % 4 !== 0) padded.push(values[values.length - 1] as number);
  return Float32Array.from(padded);
}

const linear = (from: number, to: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: POINTS }, (_, i) => from + ((to - from) * (i + 0.37)) / POINTS);
const geometric = (from: number, to: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: POINTS }, (_, i) => from * (to / from) ** ((i + 0.37) / POINTS));

// The lower end of exp keeps out of denormal results, which adapters may flush.
const RANGES: [Name, string, Float32Array<ArrayBuffer>][] = [
  ["exp", "[-20, 20]", linear(-20, 20)],
  ["exp", "[-87.3, 88.7]", linear(-87.3, 88.7)],
  ["exp", "[1e-30, 1]", geometric(1e-30, 1)],
  ["log", "[1e-7, 1e3]", geometric(1e-7, 1e3)],
  ["log", "[0.5, 2]", linear(0.5, 2)],
  ["log", "[1 - 1e-3, 1 + 1e-3]", linear(0.999, 1.001)],
  ["log", "[1.2e-38, 3.4e38]", geometric(1.2e-38, 3.4e38)],
  ["tanh", "[-12, 12]", linear(-12, 12)],
  ["tanh", "[-1, 1]", linear(-1, 1)],
  ["tanh", "[-5e-4, 5e-4]", linear(-5e-4, 5e-4)],
  ["tanh", "[1e-37, 1]", geometric(1e-37, 1)],
  ["cos2pi", "[0, 1]", linear(0, 1)],
  ["cos2pi", "[-3, 3]", linear(-3, 3)],
  ["sin2pi", "[0, 1]", linear(0, 1)],
  ["sin2pi", "[-3, 3]", linear(-3, 3)],
  // Among them the float below ½, which ½ + ½ would swallow.
  ["sin2pi", "[½ - 1e-6, ½ + 1e-6]", linear(0.5 - 1e-6, 0.5 + 1e-6)],
  ["sin2pi", "[1e-30, 1]", geometric(1e-30, 1)],
];

describe("accuracy", () => {
  for (const [name, range, x] of RANGES) {
    test(`${name} on ${range}`, async () => {
      const y = await evaluate(NUMBER[name], x);
      const exact = TWINS[name];
      const w = worst(POINTS, (i) => ulps(y[i] as number, exact(x[i] as number)));
      within(`${name} ${range} at ${x[w.at]}, ULP`, w.error, BOUND);
    });
  }
});

const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minusInf } = Number;
const DENORMAL = 2 ** -149;
const LARGEST = 2 ** 128 - 2 ** 104;

// Exactly these values, signs of zero included.
const EDGES: [Name, readonly (readonly [number, number])[]][] = [
  [
    "exp",
    [
      [0, 1],
      [-0, 1],
      [DENORMAL, 1],
      [-DENORMAL, 1],
      [89, inf],
      [LARGEST, inf],
      [inf, inf],
      [-104, 0],
      [-LARGEST, 0],
      [minusInf, 0],
      [nan, nan],
    ],
  ],
  [
    "log",
    [
      [1, 0],
      [0, minusInf],
      [-0, minusInf],
      [-1, nan],
      [-LARGEST, nan],
      [-DENORMAL, nan],
      [minusInf, nan],
      [inf, inf],
      [nan, nan],
    ],
  ],
  [
    "tanh",
    [
      [0, 0],
      [-0, -0],
      [2 ** -126, 2 ** -126],
      [100, 1],
      [-90, -1],
      [1e3, 1],
      [LARGEST, 1],
      [-LARGEST, -1],
      [inf, 1],
      [minusInf, -1],
      [nan, nan],
    ],
  ],
  [
    "cos2pi",
    [
      [0, 1],
      [-0, 1],
      [DENORMAL, 1],
      [0.5, -1],
      [1, 1],
      [7, 1],
      [LARGEST, 1],
      [-LARGEST, 1],
      [nan, nan],
      [inf, nan],
    ],
  ],
  [
    "sin2pi",
    [
      [0, 0],
      [0.25, 1],
      [-0.25, -1],
      [0.75, -1],
      [7, 0],
      [LARGEST, 0],
      [nan, nan],
      [minusInf, nan],
    ],
  ],
];

// An adapter may take a denormal for zero: either answer of these is right.
const NEAR_ZERO: [Name, number, readonly number[]][] = [
  ["log", DENORMAL, [Math.fround(Math.log(DENORMAL)), minusInf]],
  ["log", 2 ** -127, [Math.fround(Math.log(2 ** -127)), minusInf]],
  ["tanh", DENORMAL, [DENORMAL, 0]],
  ["tanh", -(2 ** -130), [-(2 ** -130), -0]],
  ["exp", -95, [Math.fround(Math.exp(-95)), 0]],
  ["cos2pi", 0.25, [0]],
  ["sin2pi", 0.5, [0]],
];

describe("edges", () => {
  test.each(EDGES)("%s", async (name, cases) => {
    const y = await evaluate(NUMBER[name], vectors(cases.map(([x]) => x)));
    cases.forEach(([x, exact], i) => {
      // toBe tells 0 from -0 and takes NaN for NaN. cos and sin promise no sign of zero.
      const got = name.endsWith("2pi") ? (y[i] as number) + 0 : y[i];
      expect(got, `${name}(${x})`).toBe(exact);
    });
  });

  test.each(NEAR_ZERO)("%s(%d)", async (name, x, allowed) => {
    const [y] = await evaluate(NUMBER[name], vectors([x]));
    const best = Math.min(...allowed.map((a) => ulps(y as number, a)));
    expect(best, `${name}(${x}) = ${y}, wanted ${allowed.join(" or ")}`).toBeLessThanOrEqual(BOUND);
  });

  test("NaN of either sign and any payload stays NaN", async () => {
    const bits = Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345);
    for (const name of Object.keys(NUMBER) as Name[]) {
      const y = await evaluate(NUMBER[name], new Float32Array(bits.buffer));
      expect([...y], name).toEqual([nan, nan, nan, nan]);
    }
  });
});

test("nonfinite is true of infinities and NaN alone", async () => {
  const x = vectors([0, -0, DENORMAL, -1, LARGEST, -LARGEST, inf, minusInf, nan]);
  const wanted = Array.from(x, (v) => (Number.isFinite(v) ? 0 : 1));
  expect([...(await evaluate(5, x))]).toEqual(wanted);
  expect([...(await evaluate(15, x))]).toEqual(wanted);
});

test("a scalar form has the bits of its vector form", async () => {
  const x = Float32Array.from({ length: 4096 }, (_, i) => (i - 2048) / 97);
  for (const name of Object.keys(NUMBER) as Name[]) {
    const four = new Uint32Array((await evaluate(NUMBER[name], x)).buffer);
    const one = new Uint32Array((await evaluate(NUMBER[name] + SCALAR_FORM, x)).buffer);
    expect(
      worst(four.length, (i) => Number(four[i] !== one[i])),
      name,
    ).toEqual({ error: 0, at: 0 });
  }
});
