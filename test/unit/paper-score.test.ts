/** Drift against score: drifts that are known, verdicts on results that are known. */
import { describe, expect, it } from "vitest";
import type { Estimate } from "../../src/paper/evidence.ts";
import { loadProtocol } from "../../src/paper/protocol.ts";
import { scoreClaims } from "../../src/paper/score/claims.ts";
import { compareDrift, type DriftComparison, isCompared } from "../../src/paper/score/comparison.ts";
import { scoreFigures } from "../../src/paper/score/figures.ts";
import type { ScoreNetwork, ScoreResult } from "../../src/paper/score/result.ts";
import { ouTask } from "../../src/task/paths.ts";
import { Draws } from "../../src/theory/draws.ts";
import { type Moments, ouPath, pathMoments } from "../../src/theory/gaussian-path.ts";
import { apply, factor, type Matrix, zeros } from "../../src/theory/matrix.ts";
import { gain, scoreMap, stateMoments } from "../../src/theory/noisy-states.ts";

const [N, ROWS, SIGMA] = [12, 4000, 0.1];
const path = pathMoments(ouPath(ouTask()), 20)[20] as Moments;

function readoutMatrix(): Matrix {
  const draws = new Draws(1, 1);
  const out = zeros(2, N);
  for (let i = 0; i < out.data.length; i++) out.data[i] = (3 / Math.sqrt(N)) * draws.normal();
  return out;
}

/** States of the theory's own law, and a linear drift of each. */
function samples(map: (readout: Matrix) => Matrix, noise = 0) {
  const matrix = readoutMatrix();
  const law = stateMoments(path, { matrix, noiseStd: SIGMA });
  const root = factor(law.covariance);
  const drift = map(matrix);
  const draws = new Draws(1, 2);
  const states = new Float32Array(ROWS * N);
  const drifts = new Float32Array(ROWS * N);
  for (let s = 0; s < ROWS; s++) {
    const x = apply(
      root,
      Float64Array.from({ length: N }, () => draws.normal()),
    );
    states.set(
      x.map((v, i) => v + (law.mean[i] as number)),
      s * N,
    );
    drifts.set(
      apply(drift, x).map((v) => v + 0.3 + noise * draws.normal()),
      s * N,
    );
  }
  return { states, drifts, readout: matrix, noiseStd: SIGMA, path };
}

function compared(of: ReturnType<typeof samples>): DriftComparison {
  const c = compareDrift(of);
  if (!isCompared(c)) throw new Error("nothing was compared");
  return c;
}

const multiple = (c: number): Matrix => {
  const out = zeros(N, N);
  for (let i = 0; i < N; i++) out.data[i * N + i] = -c;
  return out;
};

describe("drift against score", () => {
  it("the theory's own drift has cosine 1, gain 1, decays off the readout at 1 and on it at 1 − K", () => {
    const c = compared(samples((matrix) => scoreMap(path, { matrix, noiseStd: SIGMA })));
    const K = (gain(path, { matrix: readoutMatrix(), noiseStd: SIGMA }).data[0] as number) / 2;
    const K2 = (gain(path, { matrix: readoutMatrix(), noiseStd: SIGMA }).data[3] as number) / 2;
    // 4000 samples of 12 units: the fitted covariance is off by √(12/4000) = 5 %.
    expect(c.cosine).toBeGreaterThan(0.995);
    expect(c.theoryCosine).toBeGreaterThan(0.999);
    expect(c.gain).toBeGreaterThan(0.95);
    expect(c.gain).toBeLessThan(1.05);
    expect(c.offStd).toBeCloseTo(SIGMA, 2);
    // The drift is linear, so its Jacobian is regressed without error but float32's.
    expect(c.offReadout).toBeCloseTo(1, 4);
    expect(c.onReadout).toBeCloseTo(1 - K - K2, 4);
    expect(c.theoryGain).toBeCloseTo(K + K2, 2);
  });

  it("a pure leak decays at κ everywhere, whatever the noise of the drift", () => {
    const c = compared(samples(() => multiple(0.2), 0.01));
    // Regression error: .01 / (.1 √4000), averaged over units.
    expect(c.offReadout).toBeCloseTo(0.2, 2);
    expect(c.onReadout).toBeCloseTo(0.2, 2);
  });

  it("what is orthogonal to the score has cosine 0 and gain 0; the opposite has −1", () => {
    expect(compared(samples(() => multiple(-0.1))).gain).toBeLessThan(0);
    expect(
      compared(
        samples((matrix) => {
          const m = scoreMap(path, { matrix, noiseStd: SIGMA });
          return { ...m, data: m.data.map((x) => -x) };
        }),
      ).cosine,
    ).toBeLessThan(-0.995);
    const noise = compared(samples(() => zeros(N, N), 1));
    expect(Math.abs(noise.cosine)).toBeLessThan(0.03);
  });

  it("rows that are not finite are left out; with too few of them nothing is compared", () => {
    const some = samples(() => multiple(0.2));
    some.states[3 * N] = Number.NaN;
    some.drifts[7 * N + 2] = Number.POSITIVE_INFINITY;
    expect(compared(some).states).toBe(ROWS - 2);
    some.states.fill(Number.NaN, 0, (ROWS - N) * N);
    expect(compareDrift(some)).toEqual({ states: N });
  });
});

/** Eight networks in each cell, whose measures are given by a rule. */
function result(of: (n: { leak: number; maskEvery: number; seed: number; t: number }) => Partial<DriftComparison>) {
  const { protocol } = loadProtocol(false);
  const times = protocol.score.times;
  const networks: ScoreNetwork[] = protocol.leaks.flatMap((leak) =>
    protocol.score.maskEvery.flatMap((maskEvery) =>
      Array.from({ length: 8 }, (_, seed) => ({
        ...{ index: 0, seed, leak, maskEvery, diverged: false },
        comparisons: times.map((t) => ({
          ...{
            states: 1024,
            cosine: 0,
            gain: 1,
            onReadout: 0,
            offReadout: 0,
            offStd: 1,
            theoryCosine: 0,
            theoryGain: 0,
          },
          ...of({ leak, maskEvery, seed, t }),
        })),
      })),
    ),
  );
  const all: ScoreResult = { times, units: N, noiseStd: 0.05, networks };
  const claims = scoreClaims(all, protocol);
  return { all, protocol, claim: (id: string) => claims.find((c) => c.id === id) ?? expect.fail(id) };
}

describe("verdicts on the score", () => {
  const jitter = (seed: number) => 0.01 * Math.sin(seed);

  it("every claim holds on networks as the theory has them, over the whole grid", () => {
    const { claim, all, protocol } = result(({ leak, maskEvery, seed, t }) => ({
      cosine: 0.1 + (leak > 0 ? 0.3 : 0) + 0.02 * maskEvery + jitter(seed),
      theoryCosine: 0.1 + (leak > 0 ? 0.3 : 0) + jitter(seed),
      gain: t / 60 + jitter(seed),
      offReadout: leak + 0.1 * leak * Math.sin(seed),
      onReadout: leak / 2,
    }));
    for (const id of ["cosine", "theory", "off-readout", "no-decay", "time-varying", "readout", "masking"]) {
      expect([id, claim(`score-${id}`).verdict]).toEqual([id, "holds"]);
    }
    // κ > 0 × k × t.
    expect(claim("score-cosine").cells).toHaveLength(3 * 2 * protocol.score.times.length);
    const figures = scoreFigures(all, protocol);
    expect(figures.map((f) => f.figure.name)).toEqual(["score-cosine", "score-gain", "score-decay"]);
    expect(figures[0]?.csv.split("\n")).toHaveLength(1 + 64 * protocol.score.times.length + 1);
  });

  it("none holds where leak and mask change nothing and the gain stays", () => {
    const { claim } = result(({ seed }) => ({
      cosine: jitter(seed),
      theoryCosine: 0.4,
      offReadout: 0.05,
      onReadout: 0.05,
    }));
    for (const id of ["cosine", "theory", "off-readout", "no-decay", "time-varying", "readout", "masking"]) {
      expect([id, claim(`score-${id}`).verdict]).toEqual([id, "fails"]);
    }
  });

  it("comparisons are paired by seed: a spread that seeds share does not hide a difference", () => {
    const { claim } = result(({ leak, seed }) => ({ cosine: seed + (leak > 0 ? 0.01 : 0) }));
    const cell = claim("score-cosine").cells[0]?.estimate as Estimate;
    expect(cell.low).toBeCloseTo(0.01, 10);
  });

  it("a network that diverged is left out and told", () => {
    const { all, protocol } = result(() => ({ cosine: 0.5 }));
    const networks = all.networks.map((n, i) =>
      i === 0 ? { ...n, diverged: true, comparisons: n.comparisons.map(() => ({ states: 0 })) } : n,
    );
    const claim = scoreClaims({ ...all, networks }, protocol)[0];
    expect(claim?.why).toBe("1 networks diverged");
    expect(claim?.cells[0]?.estimate.n).toBe(7);
  });
});
