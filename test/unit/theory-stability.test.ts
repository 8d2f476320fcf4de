import { describe, expect, it } from "vitest";
import { eigenvalues } from "../../src/theory/eigenvalues.ts";
import { criticalFriction, driftMatrix, ellipse, growth, isStableMode } from "../../src/theory/stability.ts";

const frictions = [1, 0.9, 0.7, 0.5, 0.3, 0.1];

describe("linear stability of momentum", () => {
  it("the ellipse and the roots of z² − (2 − λ − k) z + 1 − λ agree on every mode", () => {
    let [inside, outside] = [0, 0];
    for (const friction of frictions) {
      for (let re = -0.5; re <= 4.5; re += 0.037) {
        for (let im = -1.2; im <= 1.2; im += 0.041) {
          const k = { re, im };
          if (Math.abs(ellipse(k, friction) - 1) < 1e-6) continue;
          expect(growth(k, friction) < 1).toBe(isStableMode(k, friction));
          if (isStableMode(k, friction)) inside++;
          else outside++;
        }
      }
    }
    expect(Math.min(inside, outside)).toBeGreaterThan(1000);
  });

  it("the roots multiply to 1 − λ and add up to 2 − λ − k: max |z| is that of the two-variable map itself", () => {
    for (const friction of frictions) {
      for (const k of [
        { re: 0.3, im: 0 },
        { re: 0.3, im: 0.4 },
        { re: 1.2, im: -0.7 },
        { re: 2.9, im: 0.01 },
      ]) {
        // (r, v) ← (r + (1 − λ) v − k r, (1 − λ) v − k r), complex k as a rotation of the plane.
        const keep = 1 - friction;
        const drift = [
          [k.re, -k.im],
          [k.im, k.re],
        ] as const;
        const map = new Float64Array(16);
        for (let i = 0; i < 2; i++) {
          for (let j = 0; j < 2; j++) {
            const d = drift[i]?.[j] as number;
            const one = i === j ? 1 : 0;
            map[i * 4 + j] = one - d;
            map[i * 4 + 2 + j] = keep * one;
            map[(2 + i) * 4 + j] = -d;
            map[(2 + i) * 4 + 2 + j] = keep * one;
          }
        }
        const largest = Math.max(...eigenvalues(map, 4).map((z) => Math.hypot(z.re, z.im)));
        expect(growth(k, friction)).toBeCloseTo(largest, 7);
      }
    }
  });

  it("real modes are stable for 0 < k < 4 − 2λ", () => {
    for (const friction of frictions) {
      const edge = 4 - 2 * friction;
      for (const re of [1e-6, edge / 2, edge - 1e-6]) expect(isStableMode({ re, im: 0 }, friction)).toBe(true);
      for (const re of [-1e-6, 0, edge + 1e-6]) expect(isStableMode({ re, im: 0 }, friction)).toBe(false);
    }
  });

  it("a mode at k = 1 + iω becomes unstable where (1/(2 − λ) − 1)² + (ω/λ)² = 1", () => {
    expect(criticalFriction({ re: 1, im: 0 })).toBe(0);
    for (const im of [0.2, 0.47, 0.9]) {
      const critical = criticalFriction({ re: 1, im });
      expect(ellipse({ re: 1, im }, critical)).toBeCloseTo(1, 8);
      expect(isStableMode({ re: 1, im }, critical + 1e-6)).toBe(true);
      expect(isStableMode({ re: 1, im }, critical - 1e-6)).toBe(false);
    }
    // √(1 − 1/9) / 2
    expect(criticalFriction({ re: 1, im: Math.SQRT2 / 3 })).toBeCloseTo(0.5, 8);
    expect(criticalFriction({ re: 0.5, im: 1 })).toBeNaN();
  });

  it("the drift's matrix is κI − γΦ′W: central differences of the drift, and means of it over states", () => {
    const n = 3;
    const recurrent = [0.5, -0.2, 0.1, 0.7, 0.3, -0.4, 0.2, 0.6, -0.9];
    const bias = [0.1, -0.05, 0.2];
    for (const [activation, phi] of [
      ["relu", (a: number) => Math.max(0, a)],
      ["tanh", Math.tanh],
    ] as const) {
      const network = { units: n, recurrent, bias, leak: 0.2, gain: 1.3, activation, leakySlope: 0.01 };
      const drift = (r: readonly number[]): number[] =>
        r.map((x, i) => {
          let a = bias[i] as number;
          for (let j = 0; j < n; j++) a += (recurrent[i * n + j] as number) * (r[j] as number);
          return -0.2 * x + 1.3 * phi(a);
        });
      const states = [
        [0.4, 0.9, -0.3],
        [-0.6, 0.2, 0.8],
      ];
      const numeric = states.map((r) =>
        Float64Array.from({ length: n * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n];
          const moved = (by: number) => drift(r.map((x, q) => (q === j ? x + by : x)))[i] as number;
          return -(moved(1e-6) - moved(-1e-6)) / 2e-6;
        }),
      );
      const flat = states.flat();
      states.forEach((_, s) => {
        driftMatrix(network, flat, s).forEach((x, at) => {
          expect(x).toBeCloseTo(numeric[s]?.[at] as number, 8);
        });
      });
      driftMatrix(network, flat, 0, 2).forEach((x, at) => {
        expect(x).toBeCloseTo(((numeric[0]?.[at] as number) + (numeric[1]?.[at] as number)) / 2, 8);
      });
    }
  });
});
