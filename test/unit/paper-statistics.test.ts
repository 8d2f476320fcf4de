import { describe, expect, it } from "vitest";
import {
  estimateMean,
  formatEstimate,
  pairedDifference,
  pairedRatio,
  signFlipP,
  studentQuantile,
  verdictOf,
} from "../../src/paper/statistics.ts";

const s = { confidence: 0.95 };

describe("statistics over networks", () => {
  it("Student's quantiles are the tables'", () => {
    // Two-sided 95 % and 99 %; any table of t has them to three decimals.
    for (const [confidence, df, t] of [
      [0.95, 1, 12.706],
      [0.95, 2, 4.303],
      [0.95, 7, 2.365],
      [0.95, 31, 2.04],
      [0.99, 7, 3.499],
      [0.9, 1000, 1.646],
    ] as const) {
      expect(studentQuantile(confidence, df)).toBeCloseTo(t, 3);
    }
  });

  it("the interval of a mean is mean ± t·s/√n; what is not finite is left out and counted", () => {
    const e = estimateMean([1, 2, 3, 4, Number.POSITIVE_INFINITY, Number.NaN], s);
    expect(e.n).toBe(4);
    expect(e.value).toBe(2.5);
    expect(e.high - e.value).toBeCloseTo((3.1824 * Math.sqrt(5 / 3)) / 2, 3);
    expect(e.value - e.low).toBeCloseTo(e.high - e.value, 12);
    expect(estimateMean([1], s)).toEqual({
      value: 1,
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
      n: 1,
    });
  });

  it("pairs are taken seed by seed", () => {
    expect(pairedDifference([2, 4, 6], [1, 3, 5], s)).toEqual({ value: 1, low: 1, high: 1, n: 3 });
    const r = pairedRatio([2, 8], [1, 1], s);
    expect(r.value).toBeCloseTo(4, 12);
    expect(Math.log(r.high) + Math.log(r.low)).toBeCloseTo(2 * Math.log(4), 10);
  });

  it("the sign-flip test counts patterns", () => {
    expect(signFlipP([1, 1, 1])).toBe(1 / 8);
    expect(signFlipP([1, -1])).toBe(3 / 4);
    expect(signFlipP(new Array(8).fill(0.1))).toBe(1 / 256);
  });

  it("verdicts follow the share of the grid", () => {
    const cells = (holds: readonly boolean[]) =>
      holds.map((h) => ({ where: "", estimate: estimateMean([1, 2], s), holds: h }));
    const v = { holdsFrom: 0.75, partlyFrom: 0.25 };
    expect(verdictOf(cells([true, true, true, false]), v)).toBe("holds");
    expect(verdictOf(cells([true, false, false, false]), v)).toBe("partly");
    expect(verdictOf(cells([false, false, false, false]), v)).toBe("fails");
    expect(verdictOf([], v)).toBe("undecided");
  });

  it("writes an estimate with its interval", () => {
    expect(formatEstimate({ value: 1.9012, low: 1.8, high: 2, n: 8 }, "×")).toBe("1.9× [1.8, 2]");
    // Not minus infinity.
    expect(formatEstimate(pairedRatio([Number.NaN, Number.NaN], [1, 2], { confidence: 0.95 }), "×")).toBe("no value");
  });
});
