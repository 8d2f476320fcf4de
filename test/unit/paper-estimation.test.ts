/** Learners of the score: Bartlett's shortcut against samples, power laws, verdicts. */
import { beforeAll, describe, expect, it } from "vitest";
import { mean, standardDeviation } from "../../src/metrics/statistics.ts";
import { estimationClaims } from "../../src/paper/estimation/claims.ts";
import { estimationFigures } from "../../src/paper/estimation/figures.ts";
import {
  type Errors,
  errorsOf,
  gainOf,
  LEARNERS,
  type Setting,
  whiteDraw,
} from "../../src/paper/estimation/learners.ts";
import type { ErrorColumns, EstimationResult } from "../../src/paper/estimation/result.ts";
import { sampleEstimates } from "../../src/paper/estimation/sample.ts";
import { dimensionExponents, line, sampleLaw } from "../../src/paper/estimation/scaling.ts";
import { loadProtocol } from "../../src/paper/protocol.ts";
import { ouTask } from "../../src/task/paths.ts";
import { Draws } from "../../src/theory/draws.ts";
import {
  add,
  apply,
  identity,
  inverse,
  type Matrix,
  multiply,
  norm,
  scalar,
  subtract,
  trace,
  transpose,
  zeros,
} from "../../src/theory/matrix.ts";
import { embedding, gain, leastError, recurrentTerm, scoreMap, stateMoments } from "../../src/theory/noisy-states.ts";
import { scatterFactor } from "../../src/theory/wishart.ts";

const SETTING: Setting = { pathDimension: 2, dimension: 6, variance: 0.2, noiseStd: 0.1, readoutScale: 3 };
const SAMPLES = 40;

/** Orthogonal rows of length g that are no axes. */
function turnedReadout(): Matrix {
  const { dimension: H, readoutScale: g } = SETTING;
  const out = zeros(2, H);
  for (let j = 0; j < H; j++) {
    const angle = (2 * Math.PI * j) / H;
    out.data[j] = g * Math.sqrt(2 / H) * Math.cos(angle);
    out.data[H + j] = g * Math.sqrt(2 / H) * Math.sin(angle);
  }
  return out;
}

/** The same errors from samples themselves, with a turned readout and the theory's general formulas. */
function sampledErrors(repeat: number): Errors {
  const { dimension: H, variance, noiseStd, readoutScale } = SETTING;
  const readout = { matrix: turnedReadout(), noiseStd };
  const path = { mean: new Float64Array(2), covariance: scalar(2, variance) };
  const draws = new Draws(11, repeat);
  const up = embedding(readout);
  const size = H + 2;
  const z = zeros(SAMPLES, size);
  for (let i = 0; i < SAMPLES; i++) {
    const s = Float64Array.from({ length: 2 }, () => Math.sqrt(variance) * draws.normal());
    z.data.set(
      apply(up, s).map((x) => x + noiseStd * draws.normal()),
      i * size,
    );
    z.data.set(s, i * size + H);
  }
  for (let j = 0; j < size; j++) {
    let centre = 0;
    for (let i = 0; i < SAMPLES; i++) centre += (z.data[i * size + j] as number) / SAMPLES;
    for (let i = 0; i < SAMPLES; i++) z.data[i * size + j] = (z.data[i * size + j] as number) - centre;
  }
  const block = (from: number, columns: number) => {
    const out = zeros(SAMPLES, columns);
    for (let i = 0; i < SAMPLES; i++) {
      out.data.set(z.data.subarray(i * size + from, i * size + from + columns), i * columns);
    }
    return out;
  };
  const covariance = (a: Matrix, b: Matrix) => {
    const c = multiply(transpose(a), b);
    return { ...c, data: c.data.map((x) => x / (SAMPLES - 1)) };
  };
  const [r, s] = [block(0, H), block(H, 2)];
  const y = multiply(r, transpose(readout.matrix));
  const precision = inverse(covariance(r, r));
  const readoutNoise = scalar(2, (noiseStd * readoutScale) ** 2);
  const leakGain = subtract(identity(2), multiply(readoutNoise, inverse(covariance(y, y))));
  const onReadout = multiply(covariance(s, y), inverse(covariance(y, y)));
  const minusOne = scalar(H, -1);
  const maps = {
    whole: { ...precision, data: precision.data.map((x) => -(noiseStd ** 2) * x) },
    leakGiven: add(minusOne, recurrentTerm(leakGain, readout)),
    regressed: add(minusOne, multiply(up, covariance(s, r), precision)),
    readoutRegressed: add(minusOne, recurrentTerm(onReadout, readout)),
  };
  const states = stateMoments(path, readout);
  const truth = scoreMap(path, readout);
  const K = gain(path, readout);
  const each = (of: (error: Matrix) => number) =>
    Object.fromEntries(LEARNERS.map((l) => [l, of(subtract(maps[l], truth))])) as Errors["gain"];
  const inverted = inverse(states.covariance);
  return {
    precision: norm(subtract(precision, inverted)) / norm(inverted),
    gain: each((e) => norm(multiply(readout.matrix, e, up)) / norm(K)),
    excess: each((e) => trace(multiply(e, states.covariance, transpose(e))) / leastError(path, readout)),
  };
}

describe("learners of the score", () => {
  it("drawn from Bartlett's law, with the readout along axes, their errors are those of samples with any readout", () => {
    const repeats = 400;
    const drawn = Array.from({ length: repeats }, (_, i) =>
      errorsOf(whiteDraw(scatterFactor(8, SAMPLES, new Draws(12, i)), 2, SAMPLES), SETTING),
    );
    const sampled = Array.from({ length: repeats }, (_, i) => sampledErrors(i));
    const measures: [string, (e: Errors) => number][] = [
      ["precision", (e) => e.precision],
      ...LEARNERS.flatMap((l): [string, (e: Errors) => number][] => [
        [`gain ${l}`, (e) => e.gain[l]],
        [`excess ${l}`, (e) => e.excess[l]],
      ]),
    ];
    for (const [name, of] of measures) {
      const [a, b] = [drawn.map(of), sampled.map(of)];
      const standardError = Math.hypot(standardDeviation(a), standardDeviation(b)) / Math.sqrt(repeats);
      // Nine comparisons: four standard errors of the difference.
      expect([name, Math.abs(mean(a) - mean(b)) < 4 * standardError]).toEqual([name, true]);
    }
  });

  it("with many samples the errors are what theory says: H²/n of the whole map, d²/n with the leak given", () => {
    const n = 20_000;
    const setting = { ...SETTING, dimension: 40 };
    const repeats = 40;
    const errors = Array.from({ length: repeats }, (_, i) =>
      errorsOf(whiteDraw(scatterFactor(42, n, new Draws(13, i)), 2, n), setting),
    );
    const ofLeast = (x: number) => x / (2 * gainOf(setting) * 0.01);
    // Every row of (W/n)⁻¹ − I has (H + 1)/n in squares; it weighs σ² off the plane, σ² (1 − K) in it.
    const whole = ofLeast((0.01 * 41 * (38 + 2 * (1 - gainOf(setting)))) / n);
    const given = ofLeast(((1 - gainOf(setting)) * 0.01 * 2 * 3) / n);
    expect(mean(errors.map((e) => e.excess.whole)) / whole).toBeCloseTo(1, 1);
    // Six numbers a repeat: relative spread √(2/3/40) = 13 %.
    expect(Math.abs(mean(errors.map((e) => e.excess.leakGiven)) / given - 1)).toBeLessThan(0.5);
    expect(mean(errors.map((e) => e.excess.regressed)) / ofLeast((2 * 40 * gainOf(setting) * 0.01) / n)).toBeCloseTo(
      1,
      1,
    );
  });

  it("too few samples determine nothing", () => {
    expect(() => scatterFactor(8, 8, new Draws(1, 1))).toThrow("8 samples do not determine a covariance of 8 numbers");
  });
});

describe("power laws", () => {
  it("a line is fitted; an error of a known law gives its exponents and the samples that it needs", () => {
    expect(
      line([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toEqual({ slope: 2, at0: 1 });
    const errorsAt = (precision: number) => ({ precision: [precision] }) as unknown as ErrorColumns;
    const cells = [2, 64].flatMap((dimension) =>
      [10, 100, 1000, 10_000].map((samples) => ({
        ...{ dimension, time: 1, samples },
        // The first of H = 64 lies off the law and must not count.
        errors: errorsAt(samples < 640 && dimension === 64 ? 9 : Math.sqrt(dimension / samples)),
      })),
    );
    const result = { pathDimension: 2, cells, gains: [], constant: [] };
    const laws = [2, 64].map((dimension) => ({
      dimension,
      law: sampleLaw(result, { dimension, time: 1 }, (e) => e.precision, { samplesPerDimension: 10, error: 0.1 }),
    }));
    expect(laws[1]?.law.exponents[0]).toBeCloseTo(-0.5, 10);
    expect(laws[1]?.law.needed[0]).toBeCloseTo(6400, 6);
    expect(dimensionExponents(laws)[0]).toBeCloseTo(1, 10);
  });
});

describe("verdicts on estimation", () => {
  const { protocol } = loadProtocol(true);
  const small = { ...protocol.estimation, dimensions: [2, 16, 32], samples: [100, 1000, 10_000], repeats: 6 };
  const own = { ...protocol, estimation: small };
  let result: EstimationResult;
  let draws = 0;
  beforeAll(async () => {
    const onDraw = async () => void draws++;
    result = await sampleEstimates({ seed: 1, task: ouTask() as never, steps: 60, protocol: small, onDraw });
  });

  it("hold at small sizes, and say so over every cell", () => {
    expect(draws).toBe(3 * 3 * 6);
    const claims = estimationClaims(result, own);
    expect(claims.map((c) => [c.id, c.verdict])).toEqual([
      ["estimation-samples", expect.anything()],
      ["estimation-dimension", expect.anything()],
      ["estimation-early", "holds"],
      ["estimation-leak", "holds"],
      ["estimation-constant", expect.anything()],
      ["estimation-constant-leak", "holds"],
    ]);
    expect(claims.map((c) => c.cells.length)).toEqual([12, 4, 9, 24, 4, 8]);
    // Six repeats are too few for verdicts on exponents, which are −½ and, from 3 to 33 in (H + 1)/n, .87.
    for (const { estimate } of claims[0]?.cells ?? []) expect(Math.abs(estimate.value + 0.5)).toBeLessThan(0.15);
    for (const { estimate } of claims[1]?.cells ?? []) expect(Math.abs(estimate.value - 0.87)).toBeLessThan(0.2);
    expect(estimationFigures(result, own).map((f) => f.figure.name)).toEqual([
      "estimation-error",
      "estimation-excess",
      "gain-theory",
    ]);
  });

  it("fail where they are false: a leak that saves nothing, one gain that loses nothing, no growth with dimension", () => {
    const same = result.cells.map((c) => ({
      ...c,
      errors: {
        precision: c.errors.precision.map(() => 1 / Math.sqrt(c.samples)),
        gain: { ...c.errors.gain, whole: c.errors.precision.map(() => 1) },
        excess: { ...c.errors.excess, whole: c.errors.excess.leakGiven },
      },
    }));
    const constant = result.constant.map((c) => ({
      ...{ ...c, excess: 0.001 },
      withoutLeak: c.withoutLeak.map((w) => ({ ...w, excess: 0.002 })),
    }));
    const claims = estimationClaims({ ...result, cells: same, constant }, own);
    expect(claims.map((c) => c.verdict)).toEqual(["holds", "fails", "fails", "fails", "fails", "fails"]);
  });
});
