/** The Gaussian theory of model.md section 6: its identities, its numbers, and regressions on sampled paths. */
import { describe, expect, it } from "vitest";
import { mean, standardDeviation } from "../../src/metrics/statistics.ts";
import { ouTask } from "../../src/task/paths.ts";
import {
  bestConstantGain,
  excessOfConstantGain,
  excessOfConstantWithoutLeak,
  excessOfGain,
  excessWithoutLeak,
} from "../../src/theory/constant-gain.ts";
import { Draws } from "../../src/theory/draws.ts";
import { type GaussianPath, type Moments, ouPath, pathMoments } from "../../src/theory/gaussian-path.ts";
import {
  add,
  apply,
  factor,
  identity,
  inverse,
  type Matrix,
  multiply,
  norm,
  scalar,
  scale,
  subtract,
  trace,
  transpose,
  zeros,
} from "../../src/theory/matrix.ts";
import {
  bestNextState,
  denoised,
  embedding,
  gain,
  leastError,
  type Readout,
  recurrentTerm,
  scoreMap,
  scoreMatrix,
  stateMoments,
} from "../../src/theory/noisy-states.ts";
import { scatterFactor } from "../../src/theory/wishart.ts";

const UNITS = 24;

function random(rows: number, columns: number, scaleBy: number, draws: Draws): Matrix {
  const out = zeros(rows, columns);
  for (let i = 0; i < out.data.length; i++) out.data[i] = scaleBy * draws.normal();
  return out;
}

/** Nothing in it is symmetric or diagonal that need not be. */
function generalCase(): { path: GaussianPath; readout: Readout } {
  const draws = new Draws(1, 0);
  const root = random(3, 3, 0.2, draws);
  const startRoot = random(3, 3, 0.1, draws);
  return {
    path: {
      transition: add(scalar(3, 0.9), random(3, 3, 0.1, draws)),
      noise: multiply(root, transpose(root)),
      start: { mean: Float64Array.of(0.8, -0.3, 0.1), covariance: multiply(startRoot, transpose(startRoot)) },
    },
    readout: { matrix: random(3, UNITS, 3 / Math.sqrt(UNITS), draws), noiseStd: 0.1 },
  };
}

const relative = (a: Matrix, b: Matrix): number => norm(subtract(a, b)) / norm(b);
const logDensity = (r: Float64Array, { mean: m, covariance }: Moments): number => {
  const x = r.map((v, i) => v - (m[i] as number));
  return -0.5 * apply(inverse(covariance), x).reduce((sum, y, i) => sum + y * (x[i] as number), 0);
};

describe("Gaussian score theory", () => {
  it("Woodbury: σ² times the inverted covariance's score is −I + D⁺ K D, for general A, Q and D", () => {
    const { path, readout } = generalCase();
    for (const moments of pathMoments(path, 40)) {
      const states = stateMoments(moments, readout);
      const inverted = scale(scoreMatrix(states), readout.noiseStd ** 2);
      // Inverting loses as many digits as the covariance's condition has.
      const condition = trace(states.covariance) / readout.noiseStd ** 2;
      expect(relative(scoreMap(moments, readout), inverted)).toBeLessThan(1e-16 * condition);
    }
  });

  it("on the task's own path both agree to 2e-15", () => {
    const readout = { matrix: random(2, UNITS, 3 / Math.sqrt(UNITS), new Draws(5, 0)), noiseStd: 0.1 };
    for (const moments of pathMoments(ouPath(ouTask()), 59)) {
      const inverted = scale(scoreMatrix(stateMoments(moments, readout)), readout.noiseStd ** 2);
      expect(relative(scoreMap(moments, readout), inverted)).toBeLessThan(2e-15);
    }
  });

  it("the score is the density's gradient", () => {
    const { path, readout } = generalCase();
    const states = stateMoments(pathMoments(path, 7)[7] as Moments, readout);
    const r = Float64Array.from({ length: UNITS }, (_, i) => 0.2 * Math.cos(i));
    const score = apply(
      scoreMatrix(states),
      r.map((x, i) => x - (states.mean[i] as number)),
    );
    for (let i = 0; i < UNITS; i += 5) {
      const moved = (by: number) =>
        logDensity(
          Float64Array.from(r, (x, k) => (k === i ? x + by : x)),
          states,
        );
      // A quadratic: the central difference is exact but for rounding.
      expect((moved(1e-3) - moved(-1e-3)) / 2e-3).toBeCloseTo(score[i] as number, 8);
    }
  });

  it("Tweedie: r + σ² score is the embedded mean of the path given the state; the next state applies A", () => {
    const { path, readout } = generalCase();
    const moments = pathMoments(path, 5)[5] as Moments;
    const states = stateMoments(moments, readout);
    const r = Float64Array.from({ length: UNITS }, (_, i) => Math.sin(i));
    const score = apply(
      scoreMatrix(states),
      r.map((x, i) => x - (states.mean[i] as number)),
    );
    const byScore = r.map((x, i) => x + readout.noiseStd ** 2 * (score[i] as number));
    const clean = denoised(moments, readout, r);
    clean.forEach((x, i) => {
      expect(x).toBeCloseTo(byScore[i] as number, 12);
    });
    const next = bestNextState(moments, readout, path.transition, r);
    const wanted = apply(path.transition, apply(readout.matrix, clean));
    apply(readout.matrix, next).forEach((y, i) => {
      expect(y).toBeCloseTo(wanted[i] as number, 12);
    });
  });

  it("the gains of model.md: .037, .41, .59, .69, .75, .775 at t = 0, 2, 5, 10, 20, 39", () => {
    // Its readout is random; σ² D Dᵀ = .065 makes the first of its gains.
    const readout = { matrix: scale(identity(2), Math.sqrt(6.5)), noiseStd: 0.1 };
    const moments = pathMoments(ouPath(ouTask()), 39);
    const gains = [0, 2, 5, 10, 20, 39].map((t) => trace(gain(moments[t] as Moments, readout)) / 2);
    // Two decimals, of a readout that is isotropic only on average.
    [0.037, 0.41, 0.59, 0.69, 0.75, 0.775].forEach((k, i) => {
      expect(Math.abs((gains[i] as number) - k)).toBeLessThan(0.01);
    });
  });

  it("an OU path forgets its start: P_t = q²/(1 − (1 − θ)²) in the end; a random walk's grows for ever", () => {
    const last = (pull: number) => pathMoments(ouPath({ ...ouTask(), pull }), 400)[400] as Moments;
    expect(last(0.05).covariance.data[0]).toBeCloseTo(0.15 ** 2 / (1 - 0.95 ** 2), 12);
    expect(last(0.05).mean[0]).toBeCloseTo(0.8 * 0.95 ** 400, 12);
    expect(last(0).covariance.data[3]).toBeCloseTo(0.05 ** 2 + 400 * 0.15 ** 2, 10);
  });

  it("regressions on sampled paths find D⁺ K_t D and D⁺ A K_t D, as far off as sampling says", () => {
    const { path, readout } = generalCase();
    const [t, n] = [4, 20_000];
    const draws = new Draws(2, 0);
    const up = embedding(readout);
    const roots = { start: factor(path.start.covariance), noise: factor(path.noise) };
    const normals = (count: number) => Float64Array.from({ length: count }, () => draws.normal());
    const sizes = UNITS + 6;
    const scatter = zeros(sizes, sizes);
    const moments = pathMoments(path, t + 1);
    const centre = [moments[t] as Moments, moments[t + 1] as Moments].map((m) => m.mean);
    for (let i = 0; i < n; i++) {
      let s = apply(roots.start, normals(3)).map((x, k) => x + (path.start.mean[k] as number));
      let before = s;
      for (let step = 0; step <= t; step++) {
        before = s;
        const w = apply(roots.noise, normals(3));
        s = apply(path.transition, s).map((x, k) => x + (w[k] as number));
      }
      const surprise = before.map((x, k) => x - ((centre[0] as Float64Array)[k] as number));
      const r = apply(up, surprise).map((x) => x + readout.noiseStd * draws.normal());
      const z = [...r, ...surprise, ...s.map((x, k) => x - ((centre[1] as Float64Array)[k] as number))];
      for (let a = 0; a < sizes; a++) {
        for (let b = 0; b < sizes; b++) {
          scatter.data[a * sizes + b] = (scatter.data[a * sizes + b] as number) + (z[a] as number) * (z[b] as number);
        }
      }
    }
    const block = (row: number, column: number, rows: number, columns: number): Matrix => {
      const out = zeros(rows, columns);
      for (let a = 0; a < rows; a++) {
        for (let b = 0; b < columns; b++)
          out.data[a * columns + b] = scatter.data[(row + a) * sizes + column + b] as number;
      }
      return out;
    };
    const precision = inverse(block(0, 0, UNITS, UNITS));
    const now = moments[t] as Moments;
    const truth = recurrentTerm(gain(now, readout), readout);
    const regress = (from: number) => multiply(up, block(from, 0, 3, UNITS), precision);
    // E ‖error‖² = tr(D⁺ residual D⁺ᵀ) · tr(Σ⁻¹)/n, spread over d·H = 72 numbers: within 40 % in norm for certain.
    const inverseTrace = -trace(scoreMatrix(stateMoments(now, readout)));
    const expected = Math.sqrt((leastError(now, readout) * inverseTrace) / n);
    const error = norm(subtract(regress(UNITS), truth));
    expect(error / expected).toBeGreaterThan(0.6);
    expect(error / expected).toBeLessThan(1.4);
    const nextTruth = multiply(up, path.transition, gain(now, readout), readout.matrix);
    // 20 000 samples: some percent of 72 coefficients; with Kᵀ, or without A, it is off by far more.
    expect(relative(regress(UNITS + 3), nextTruth)).toBeLessThan(0.08);
    expect(relative(regress(UNITS + 3), truth)).toBeGreaterThan(0.1);
  });
});

describe("what constant weights give away", () => {
  const times = pathMoments(ouPath(ouTask()), 59);
  const readout = { matrix: scale(identity(2), 3), noiseStd: 0.1 };

  it("the best constant gain is best: moving it in any direction loses more", () => {
    const { path, readout: general } = generalCase();
    const moments = pathMoments(path, 20);
    const loss = (k: Matrix) => moments.reduce((sum, m) => sum + excessOfGain(k, m, general), 0);
    const best = bestConstantGain(moments, general);
    const least = loss(best);
    for (let i = 0; i < 9; i++) {
      for (const by of [-1e-3, 1e-3]) {
        const moved = { ...best, data: Float64Array.from(best.data, (x, k) => (k === i ? x + by : x)) };
        expect(loss(moved)).toBeGreaterThan(least);
      }
    }
  });

  it("its excess is nothing where nothing varies, and what the definition says where something does", () => {
    const still = Array.from({ length: 4 }, () => times[30] as Moments);
    expect(Math.abs(excessOfConstantGain(still, readout))).toBeLessThan(1e-12);
    // Scalars, by hand: K = P/(P + .09).
    const p = times.map((t) => t.covariance.data[0] as number);
    const k = p.reduce((a, b) => a + b) / p.reduce((a, b) => a + b + 0.09, 0);
    const excess = p.reduce((sum, x) => sum + (k - x / (x + 0.09)) ** 2 * (x + 0.09), 0);
    const least = p.reduce((sum, x) => sum + (x * 0.09) / (x + 0.09), 0);
    expect(excessOfConstantGain(times, readout)).toBeCloseTo(excess / least, 10);
  });

  it("without a leak, each of the H − d directions off the plane costs σ² until the rank has it", () => {
    const wide = { matrix: zeros(2, 10), noiseStd: 0.1 };
    wide.matrix.data[0] = wide.matrix.data[11] = 3;
    const path = times[20] as Moments;
    const inPlane = (10 - 8) * (0.01 ** 2 / ((path.covariance.data[0] as number) / 9 + 0.01));
    expect(excessWithoutLeak(path, wide, 0)).toBeCloseTo(8 * 0.01 + inPlane, 12);
    expect(excessWithoutLeak(path, wide, 2)).toBeCloseTo(6 * 0.01 + inPlane, 12);
    expect(excessWithoutLeak(path, wide, 8)).toBeCloseTo(inPlane, 12);
    expect(excessWithoutLeak(path, wide, 10)).toBe(0);
  });

  it("a constant map without a leak loses what its rank misses of the best constant map, averaged over times", () => {
    const wide = { matrix: zeros(2, 6), noiseStd: 0.1 };
    wide.matrix.data[0] = wide.matrix.data[7] = 3;
    const some = times.slice(0, 12);
    const truths = some.map((t) => scoreMap(t, wide));
    const laws = some.map((t) => stateMoments(t, wide).covariance);
    /** Mean excess of a map, from its definition. */
    const excess = (map: Matrix): number => {
      const each = truths.map((truth, i) => {
        const e = subtract(map, truth);
        return trace(multiply(e, laws[i] as Matrix, transpose(e))) / mean(some.map((m) => leastError(m, wide)));
      });
      return mean(each);
    };
    // Rank 2 serves two units off the plane, whose singular values are the largest.
    const two = zeros(6, 6);
    two.data[2 * 6 + 2] = two.data[3 * 6 + 3] = -1;
    expect(excessOfConstantWithoutLeak(some, wide, 2)).toBeCloseTo(excess(two), 10);
    const best = subtract(recurrentTerm(bestConstantGain(some, wide), wide), identity(6));
    expect(excessOfConstantWithoutLeak(some, wide, 6)).toBeCloseTo(excess(best), 10);
    expect(excessOfConstantGain(some, wide)).toBeCloseTo(excess(best), 10);
  });
});

describe("sampled covariances", () => {
  it("gammas have their mean, variance and skewness", () => {
    for (const shape of [0.5, 1, 7.5, 5000]) {
      const draws = new Draws(3, Math.round(10 * shape));
      const n = 20_000;
      const x = Array.from({ length: n }, () => draws.gamma(shape));
      // Four standard errors of the mean, and of the standard deviation (kurtosis 3 + 6/shape).
      expect(Math.abs(mean(x) - shape)).toBeLessThan(4 * Math.sqrt(shape / n));
      const slack = 4 * Math.sqrt((2 + 6 / shape) / (4 * n));
      expect(Math.abs(standardDeviation(x) / Math.sqrt(shape) - 1)).toBeLessThan(slack);
    }
  });

  it("Bartlett's scatter has the moments of a direct one: mean (n − 1) I, variances 2 (n − 1) and n − 1", () => {
    const [size, n, repeats] = [5, 12, 4000];
    const scatters = Array.from({ length: repeats }, (_, i) => {
      const a = scatterFactor(size, n, new Draws(4, i));
      return multiply(a, transpose(a));
    });
    const at = (i: number, j: number) => scatters.map((s) => s.data[i * size + j] as number);
    const df = n - 1;
    for (const [i, j] of [
      [0, 0],
      [4, 4],
      [2, 1],
      [4, 0],
    ] as const) {
      const [m, v] = i === j ? [df, 2 * df] : [0, df];
      expect(Math.abs(mean(at(i, j)) - m)).toBeLessThan(4 * Math.sqrt(v / repeats));
      // Variance of a sample variance: kurtosis at most 3 + 12/df here.
      expect(Math.abs(standardDeviation(at(i, j)) ** 2 / v - 1)).toBeLessThan(4 * Math.sqrt((2 + 12 / df) / repeats));
    }
  });
});
