/** Convergence on curves whose answer is known, and verdicts on families made up for them. */
import { describe, expect, test } from "vitest";
import type { Family } from "../../src/paper/experiment.ts";
import { iterationsTo, smoothed } from "../../src/paper/leakage/convergence.ts";
import { leakageFigures } from "../../src/paper/leakage/figures.ts";
import { judgeLeakage } from "../../src/paper/leakage/judge.ts";
import { taskLeakage } from "../../src/paper/leakage/measure.ts";
import { loadProtocol, type Protocol } from "../../src/paper/protocol.ts";

const full = loadProtocol(false).protocol;
const protocol: Protocol = {
  ...full,
  seeds: { first: 0, count: 4 },
  leaks: [0, 0.2, 1],
  maskEvery: [5],
  leakage: { ...full.leakage, smoothOver: 3 },
};

describe("convergence", () => {
  test("smoothing is a mean over what is there", () => {
    expect(smoothed([3, 1, 2, 6], 3)).toEqual([3, 2, 2, 3]);
  });
  test("never is one iteration more than there are", () => {
    expect(iterationsTo([4, 3, 2, 1], 2.5)).toBe(3);
    expect(iterationsTo([4, 3, 2, 1], 0.5)).toBe(5);
    expect(iterationsTo([Number.NaN, 1], 2)).toBe(2);
  });
});

/** Losses fall geometrically towards `errors[κ]`, faster where the rate is larger; seeds differ by some per cent. */
function family(of: (leak: number) => { error: number; rate: number }): Family {
  const members = protocol.leaks.flatMap((leak, l) =>
    Array.from({ length: 4 }, (_, seed) => ({ index: 4 * l + seed, seed, leak, maskEvery: 5 })),
  );
  const factor = (seed: number): number => 1 + 0.02 * seed;
  return {
    name: "tmaze",
    run: "",
    config: {} as Family["config"],
    members,
    weights: [],
    diverged: members.map(() => false),
    testError: members.map((m) => of(m.leak).error * factor(m.seed)),
    losses: Array.from({ length: 200 }, (_, i) =>
      members.map((m) => of(m.leak).error * factor(m.seed) * 0.9 + Math.exp(-of(m.leak).rate * i)),
    ),
  };
}

const verdictsOf = (f: Family): Record<string, string> =>
  Object.fromEntries(judgeLeakage([taskLeakage(f, protocol)], protocol).map((c) => [c.id, c.verdict]));

describe("a leak", () => {
  test("that ends lower and faster than no leak, and like the vanilla network", () => {
    const verdicts = verdictsOf(
      family((leak) => (leak === 0 ? { error: 0.02, rate: 0.02 } : { error: 0.01, rate: 0.1 })),
    );
    expect(verdicts).toEqual({
      "leakage-error-tmaze": "holds",
      "leakage-speed-tmaze": "holds",
      "leakage-passes-tmaze": "holds",
      "leakage-vanilla-error-tmaze": "fails",
      "leakage-vanilla-speed-tmaze": "fails",
    });
  });
  test("that does nothing fails everywhere", () => {
    const verdicts = verdictsOf(family(() => ({ error: 0.01, rate: 0.02 })));
    for (const id of ["error", "speed", "vanilla-error", "vanilla-speed"])
      expect(verdicts[`leakage-${id}-tmaze`]).toBe("fails");
  });
  test("is timed against the reference's own final error; who never gets there counts", () => {
    const [t] = [
      taskLeakage(
        family((leak) => (leak === 0 ? { error: 0.05, rate: 0.02 } : { error: 0.01, rate: 0.1 })),
        protocol,
      ),
    ];
    const of = (leak: number) => t.members.filter((m) => m.leak === leak).map((m) => m.toReference);
    expect(of(0)).toEqual([201, 201, 201, 201]);
    // 0.9 · 0.01 + exp(−0.1 i) < 1.5 · 0.0103, the median of the reference's errors, and one step of smoothing more.
    for (const n of of(0.2)) expect(n).toBeGreaterThan(48);
    for (const n of of(0.2)) expect(n).toBeLessThan(56);
  });
  test("without a final error is left out and told", () => {
    const f = family((leak) => (leak === 0 ? { error: 0.02, rate: 0.02 } : { error: 0.01, rate: 0.1 }));
    const lost = {
      ...f,
      testError: f.testError.map((x, i) => (i === 4 ? Number.NaN : x)),
      diverged: f.diverged.map((_, i) => i === 4),
    };
    const [error] = judgeLeakage([taskLeakage(lost, protocol)], protocol);
    expect(error?.cells[0]?.estimate.n).toBe(3);
    expect(error?.why).toContain("1 of 12 networks diverged");
  });
});

test("figures are drawn from the same numbers", () => {
  const t = taskLeakage(
    family((leak) => ({ error: leak === 0 ? 0.02 : 0.01, rate: 0.05 })),
    protocol,
  );
  const figures = leakageFigures([t], protocol);
  expect(figures.map((f) => f.figure.name)).toEqual(["leakage-curves-tmaze", "leakage-error"]);
  for (const f of figures) expect(f.figure.body).not.toContain("NaN");
  // Two columns of seeds and networks: 3 leaks × 4 seeds.
  expect(figures[1]?.csv.trimEnd().split("\n")).toHaveLength(13);
});
