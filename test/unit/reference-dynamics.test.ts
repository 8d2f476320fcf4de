import { describe, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { type CellParams, cellParams, type StepParameters } from "../../src/model/dynamics.ts";
import type { NetworkShape } from "../../src/model/parameters.ts";
import { STREAM } from "../../src/model/streams.ts";
import {
  activationDerivativeReference,
  activationReference,
  initialiseReference,
  philoxNoise,
  type RolloutInput,
  referenceTensors,
  rolloutReference,
} from "../../src/reference/index.ts";

const step = (overrides: Partial<StepParameters>): CellParams =>
  cellParams({
    leak: 0,
    gain: 1,
    noiseStd: 1,
    noiseScale: 1,
    friction: 1,
    noiseFriction: false,
    adaptStrength: 0,
    adaptTau: 1,
    ...overrides,
  });

/** One network of one unit with all weights 0 but those given. */
const singleUnit = (T: number, params: CellParams, weights: Record<string, number> = {}): RolloutInput => {
  const shape: NetworkShape = { units: 1, inputs: 1, outputs: 1, encoderInputs: 1 };
  return {
    shape,
    weights: referenceTensors(shape, (name) => Float64Array.of(weights[name] ?? 0)),
    activation: "identity",
    leakySlope: 0.01,
    params: [params],
    e0: Float64Array.of(1),
    u: null,
    noise: null,
    T,
    B: 1,
  };
};

describe("activation", () => {
  test("φ and φ′ at, below and above the kink", () => {
    const table = (["relu", "leakyRelu", "tanh", "identity"] as const).map((kind) =>
      [-2, 0, 2].map((a) => [activationReference(kind, 0.25)(a), activationDerivativeReference(kind, 0.25)(a)]),
    );
    const slope = 1 - Math.tanh(2) ** 2;
    expect(table).toEqual([
      [
        [0, 0],
        [0, 0],
        [2, 1],
      ],
      [
        [-0.5, 0.25],
        [0, 0.25],
        [2, 1],
      ],
      [
        [-Math.tanh(2), slope],
        [0, 1],
        [Math.tanh(2), slope],
      ],
      [
        [-2, 1],
        [0, 1],
        [2, 1],
      ],
    ]);
  });
});

describe("one step", () => {
  test("computed by hand: old r and old c in the drive, new v in r", () => {
    // Dyadic numbers, so that every operation is exact: κ = .5, γ = 2, λ = .25, τ_a = 4, b_a = 2.
    const params = step({ leak: 0.5, gain: 2, friction: 0.25, adaptTau: 4, adaptStrength: 2 });
    const weights = { W_rec: 0.5, W_in: 3, b: 0.25, W_out: 2, b_out: 1, W_enc: 1.5, b_enc: 0.5 };
    const { r, v, c, a, y } = rolloutReference({
      ...singleUnit(2, params, weights),
      e0: Float64Array.of(1),
      u: Float64Array.of(1, 0),
      noise: Float64Array.of(0.125, 0),
    });
    // t = 0: r 2, a = .25 + 3 + 1 = 4.25, f = −1 + 8.5 = 7.5, v = 7.625, c = .5·2 = 1, r = 9.625.
    // t = 1: a = .25 + 4.8125 − 1 = 4.0625, f = −4.8125 + 8.125 = 3.3125, v = .75·7.625 + 3.3125 = 9.03125.
    expect([...r]).toEqual([2, 9.625, 18.65625]);
    expect([...v]).toEqual([0, 7.625, 9.03125]);
    expect([...c]).toEqual([0, 1, 0.75 + 0.5 * 9.625]);
    expect([...a]).toEqual([4.25, 4.0625]);
    expect([...y]).toEqual([20.25, 38.3125]);
  });

  test("rows differ in their parameters and do not touch each other", () => {
    const [N, T, B] = [5, 12, 3];
    const shape: NetworkShape = { units: N, inputs: 2, outputs: 3, encoderInputs: 2 };
    const params = [
      step({ leak: 0.5 }),
      step({ leak: 0.2, friction: 0.5 }),
      step({ leak: 0.5, adaptStrength: 0.1, adaptTau: 20 }),
    ];
    const drawn = { B, stream: STREAM.replayNoise, epoch: 0, key: [1, 1], trajectory0: 0, params } as const;
    const input: RolloutInput = {
      shape,
      weights: initialiseReference(shape, { initialGain: 0.4, key: [1, 1] }),
      activation: "relu",
      leakySlope: 0.01,
      params,
      e0: Float64Array.of(1, -1, 0.5, 0.25, -0.5, 1),
      u: philoxNoise({ ...drawn, T, N: 2 }),
      noise: philoxNoise({ ...drawn, T, N, epoch: 1 }),
      T,
      B,
    };
    const together = rolloutReference(input);
    for (let b = 0; b < B; b++) {
      const pick = (x: Float64Array, width: number) =>
        x.filter((_, i) => Math.floor(i / width) % B === b) as Float64Array;
      const alone = rolloutReference({
        ...input,
        params: [params[b] as CellParams],
        e0: pick(input.e0, 2),
        u: pick(input.u as Float64Array, 2),
        noise: pick(input.noise as Float64Array, N),
        B: 1,
      });
      for (const name of ["r", "v", "c", "a"] as const) expect(alone[name]).toEqual(pick(together[name], N));
      expect(alone.y).toEqual(pick(together.y, 3));
    }
  });

  test("a given state to start from replaces the encoder, and is followed like the encoded one", () => {
    const params = step({ leak: 0.5 });
    const encoded = rolloutReference(singleUnit(5, params, { W_rec: 0.25, W_enc: 3 }));
    const given = rolloutReference({
      ...singleUnit(5, params, { W_rec: 0.25 }),
      e0: new Float64Array(0),
      r0: Float64Array.of(3),
    });
    expect(given.r).toEqual(encoded.r);
  });

  test("an array that does not fit is named", () => {
    const input = singleUnit(3, step({}));
    expect(() => rolloutReference({ ...input, noise: new Float64Array(2) })).toThrow(DataError);
    expect(() => rolloutReference({ ...input, noise: new Float64Array(2) })).toThrow(/noise has 2 elements.* needs 3/);
    expect(() => rolloutReference({ ...input, params: [] })).toThrow(/params/);
    const weights = { ...input.weights, W_rec: new Float64Array(4) };
    expect(() => rolloutReference({ ...input, weights })).toThrow(/W_rec/);
  });
});

describe("closed forms", () => {
  test("a constant force under friction: v_n = f (1 − (1−λ)^n)/λ", () => {
    const params = step({ friction: 0.25 });
    const { v } = rolloutReference(singleUnit(40, params, { b: 0.5 }));
    // Float64 rounding over 40 steps.
    for (let n = 0; n <= 40; n++) expect(v[n]).toBeCloseTo((0.5 * (1 - 0.75 ** n)) / 0.25, 12);
  });

  test("adaptation to a constant r: c_n = b_a r (1 − (1 − 1/τ_a)^n)", () => {
    const params = step({ gain: 0, adaptStrength: 0.5, adaptTau: 8 });
    const { c } = rolloutReference(singleUnit(60, params, { W_enc: 2 }));
    for (let n = 0; n <= 60; n++) expect(c[n]).toBeCloseTo(0.5 * 2 * (1 - 0.875 ** n), 12);
  });

  test("the fixed point under adaptation: r* = (γ/κ) φ((W_rec − b_a) r* + b)", () => {
    const params = step({ leak: 0.5, gain: 1, adaptStrength: 0.25, adaptTau: 4 });
    const input = singleUnit(600, params, { W_rec: 0.25, b: 0.5, W_enc: 1 });
    const { r, c } = rolloutReference({ ...input, activation: "tanh" });
    const end = r[600] as number;
    // 600 steps are more than 50 time constants: what remains is float64 rounding.
    expect(end).toBeCloseTo(2 * Math.tanh((0.25 - 0.25) * end + 0.5), 12);
    expect(c[600]).toBeCloseTo(0.25 * end, 12);
  });
});

/** Stationary variance of r' = r + v', v' = (1−λ)v − k r + ςξ (model.md section 4). */
const stationaryVariance = (k: number, friction: number, std: number) =>
  (std ** 2 * (2 - friction)) / (friction * k * (4 - 2 * friction - k));

const HARMONIC = [
  { leak: 0.05, friction: 1 },
  { leak: 0.2, friction: 1 },
  { leak: 1, friction: 1 },
  { leak: 0.2, friction: 0.5 },
  { leak: 0.5, friction: 0.6 },
  { leak: 1.2, friction: 0.3 },
];

describe("stationary variance of the leaky and of the momentum process", () => {
  test.each(HARMONIC)("Σ of the squared impulse response, κ = $leak, λ = $friction", ({ leak, friction }) => {
    const params = step({ leak, friction });
    const noise = new Float64Array(1500);
    noise[0] = 1;
    const { r } = rolloutReference({ ...singleUnit(1500, params), noise });
    const variance = r.reduce((sum, x) => sum + x * x, 0);
    // The slowest response has decayed by 0.95^1500 < 1e-33; the sum is exact to float64 rounding.
    const expected = stationaryVariance(params.leak, 1 - params.keep, 1);
    expect(Math.abs(variance / expected - 1)).toBeLessThan(1e-10);
    if (friction === 1) expect(expected).toBeCloseTo(1 / (params.leak * (2 - params.leak)), 10);
  });

  test.each(HARMONIC.slice(1))("of a simulated population, κ = $leak, λ = $friction", ({ leak, friction }) => {
    const [T, B, N, settle] = [1200, 64, 4, 200];
    const params = Array.from({ length: B }, () => step({ leak, friction, noiseStd: 0.5 }));
    const shape: NetworkShape = { units: N, inputs: 1, outputs: 1, encoderInputs: 1 };
    const { r } = rolloutReference({
      shape,
      weights: referenceTensors(shape),
      activation: "relu",
      leakySlope: 0.01,
      params,
      e0: new Float64Array(B),
      u: null,
      noise: philoxNoise({ T, B, N, stream: STREAM.replayNoise, epoch: 0, key: [5, 6], trajectory0: 0, params }),
      T,
      B,
    });
    const stationary = r.subarray(settle * B * N);
    const variance = stationary.reduce((sum, x) => sum + x * x, 0) / stationary.length;
    // 256000 samples, squares correlated over at most about 5 steps: standard error √(2·5/256000) = 0.6 %, times 4.
    expect(Math.abs(variance / stationaryVariance(leak, friction, 0.5) - 1)).toBeLessThan(0.025);
  });

  test("fluctuation–dissipation noise gives every friction the temperature of the overdamped limit", () => {
    const k = 1e-3;
    for (const friction of [1, 0.7, 0.4, 0.2]) {
      const params = step({ leak: k, friction, noiseStd: 1, noiseScale: Math.SQRT2, noiseFriction: true });
      // To first order in k the variance is σ²/k, whatever λ; the next order is k/(4 − 2λ) < 1e-3.
      expect(Math.abs(stationaryVariance(k, friction, params.noise) * k - 1)).toBeLessThan(1e-3);
    }
  });
});
