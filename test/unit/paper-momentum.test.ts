import { describe, expect, it } from "vitest";
import { type MomentumResult, momentumClaims } from "../../src/paper/momentum/judge.ts";
import { lawDistances, spreadOf } from "../../src/paper/momentum/law.ts";
import { type MomentumTask, momentumOf, type Replayed } from "../../src/paper/momentum/measure.ts";
import { loadProtocol } from "../../src/paper/protocol.ts";

const { protocol } = loadProtocol(false);
const frictions = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];

/** Eight networks at κ = 0.2 and 0.5, k = 5, whose replays take `time(λ)` steps, a few per cent apart. */
function task(time: (friction: number) => number, diverged: (friction: number, leak: number) => number): MomentumTask {
  const replayed = (friction: number, leak: number, seed: number): Replayed => {
    const t = time(friction) * (1 + 0.02 * Math.sin(seed + 10 * friction));
    const lost = diverged(friction, leak);
    return { reachMedian: t, reachMean: t, reachFraction: 1, absLaps: 1 / t, offPath: 0.1, diverged: lost };
  };
  return {
    ...{ task: "tmaze", steps: 500, frictions },
    members: Array.from({ length: 16 }, (_, index) => {
      const [leak, seed] = [index < 8 ? 0.2 : 0.5, index % 8];
      return {
        index,
        seed,
        leak,
        maskEvery: 5,
        awakeReach: 39,
        replays: frictions.map((f) => replayed(f, leak, seed)),
      };
    }),
  };
}

const none = (): number => 0;
const claimsOf = (t: MomentumTask, laws: MomentumResult["laws"] = []) => momentumClaims({ tasks: [t], laws }, protocol);
const claim = (t: MomentumTask, id: string) => claimsOf(t).find((c) => c.id === id);

describe("verdict on momentum", () => {
  it("times of λ are sped up 1/λ times, and half the friction is about twice as fast", () => {
    const t = task((f) => 80 * f, none);
    for (const id of ["faster", "inverse-friction", "half"]) {
      expect(claim(t, `momentum-${id}-tmaze`)?.verdict).toBe("holds");
    }
    const half = claim(t, "momentum-half-tmaze")?.cells[0]?.estimate;
    expect(half?.value).toBeCloseTo(2, 1);
    expect(half?.low).toBeLessThan(half?.value as number);
  });

  it("times that stay are neither, times of √λ are faster but not 1/λ times", () => {
    const still = task(() => 80, none);
    for (const id of ["faster", "inverse-friction", "half"]) {
      expect(claim(still, `momentum-${id}-tmaze`)?.verdict).toBe("fails");
    }
    // At λ = 0.9 no change is within 20 % of 1/λ, too.
    expect(claim(still, "momentum-inverse-friction-tmaze")?.cells.filter((c) => c.holds)).toEqual([]);
    const root = task((f) => 80 * Math.sqrt(f), none);
    expect(claim(root, "momentum-faster-tmaze")?.verdict).toBe("holds");
    expect(claim(root, "momentum-inverse-friction-tmaze")?.verdict).not.toBe("holds");
  });

  it("a place where most networks diverged is one where the claim does not hold", () => {
    // What a rollout passes on its way out is no arrival.
    const t = task(
      (f) => (f < 0.5 ? 3 : 80 * f),
      (f) => (f < 0.5 ? 1 : 0),
    );
    const found = claim(t, "momentum-inverse-friction-tmaze");
    expect(found?.cells).toHaveLength(2 * 7);
    expect(found?.cells.filter((c) => c.holds)).toHaveLength(2 * 5);
    expect(found?.verdict).toBe("partly");
    expect(found?.why).toContain("32 of 112 networks × λ diverged; in 4 of 14 places half of the networks or more");
  });

  it("what two survivors of eight do bears nothing out", () => {
    const t = task((f) => 80 * f, none);
    const survivors = {
      ...t,
      members: t.members.map((m) => ({
        ...m,
        replays: m.replays.map((r, i) => ({ ...r, diverged: i > 0 && m.seed < 6 ? 1 : 0 })),
      })),
    };
    for (const id of ["faster", "half"]) {
      const found = claim(survivors, `momentum-${id}-tmaze`);
      expect(found?.cells.length).toBeGreaterThan(0);
      expect(found?.verdict).toBe("fails");
    }
  });

  it("replays without a median are left out of its ratio, not of the restricted mean's", () => {
    const t = task((f) => 80 * f, none);
    const slow = {
      ...t,
      members: t.members.map((m) => ({
        ...m,
        replays: m.replays.map((r) => ({ ...r, reachMedian: Number.POSITIVE_INFINITY })),
      })),
    };
    expect(claim(slow, "momentum-inverse-friction-tmaze")?.verdict).toBe("undecided");
    expect(claim(slow, "momentum-faster-tmaze")?.verdict).toBe("holds");
  });

  it("conditions with adaptation are none of its own, whatever their order", () => {
    const conditions = [
      { friction: 0.5, adaptStrength: 0 },
      { friction: 1, adaptStrength: 0.05, adaptTau: 60 },
      { friction: 1, adaptStrength: 0 },
    ];
    const record = (reach: number) => ({
      network: 0,
      condition: 0,
      n: 1,
      values: { reach_median: reach },
      occupancy: [],
    });
    const sweep = {
      family: { members: [{ index: 0, seed: 1, leak: 0.5, maskEvery: 5 }] },
      ...{ conditions, records: [[record(40), record(999), record(80)]], awake: [record(39)], steps: 500 },
    } as unknown as Parameters<typeof momentumOf>[1];
    const own = momentumOf("tmaze", sweep);
    expect(own.frictions).toEqual([1, 0.5]);
    expect(own.members[0]?.replays.map((r) => r.reachMedian)).toEqual([80, 40]);
    expect(own.members[0]?.awakeReach).toBe(39);
  });
});

/** A disc of points, evenly; radius and centre in metres. */
function disc(radius: number, x: number, turn: number): Float64Array {
  const n = 800;
  return Float64Array.from({ length: 2 * n }, (_, i) => {
    const at = Math.floor(i / 2);
    const [r, angle] = [radius * Math.sqrt((at + 0.5) / n), 2.399963 * at + turn];
    return i % 2 === 0 ? x + r * Math.cos(angle) : r * Math.sin(angle);
  });
}

describe("the law that replays settle into", () => {
  it("the same law is at the floor; a moved and a wider one are as far beyond it as they should be", () => {
    const plain = [disc(1, 0, 0), disc(1, 0, 1)] as const;
    const { floor, spread, distances } = lawDistances(plain, [
      [disc(1, 0, 2), disc(1, 0, 3)],
      [disc(1, 0.5, 2), disc(1, 0.5, 3)],
      [disc(1.2, 0, 2), disc(1.2, 0, 3)],
      null,
    ]);
    // Of a uniform disc E r² = 1/2.
    expect(spread).toBeCloseTo(Math.SQRT1_2, 2);
    expect(floor).toBeLessThan(0.01);
    expect(distances[0]).toBeLessThan(0.01);
    // Mean over directions of |0.5 cos θ| = 1/π.
    expect(distances[1]).toBeCloseTo(1 / Math.PI, 2);
    // 0.2 times the mean |x| of a unit disc, 4/(3π).
    expect(distances[2]).toBeCloseTo((0.2 * 4) / (3 * Math.PI), 2);
    expect(distances[3]).toBeNaN();
  });

  it("an excess below the protocol's share of the spread is the same law, a larger one is not", () => {
    const law = (excess: number, apart = 0.01) => ({
      ...{ task: "tmaze" as const, frictions: [0.5], points: 800 },
      members: Array.from({ length: 8 }, (_, i) => ({
        ...{ index: i, seed: i, leak: 0.5, maskEvery: 5, floor: 0.05, spread: 0.8 },
        distances: [0.05 + 0.8 * (excess + apart * Math.sin(i))],
      })),
    });
    const verdict = (excess: number, apart = 0.01) =>
      claimsOf(
        task((f) => 80 * f, none),
        [law(excess, apart)],
      ).find((c) => c.id === "momentum-law-tmaze")?.verdict;
    expect(verdict(0.05)).toBe("holds");
    expect(verdict(0.15)).toBe("fails");
    // Networks so far apart that the interval holds both.
    expect(verdict(0.05, 0.5)).toBe("undecided");
    // Where it diverges there is no law left.
    const gone = law(0.05);
    const members = gone.members.map((m, i) => (i < 5 ? { ...m, distances: [Number.NaN] } : m));
    const lost = claimsOf(
      task((f) => 80 * f, none),
      [{ ...gone, members }],
    ).find((c) => c.id === "momentum-law-tmaze");
    expect(lost?.verdict).toBe("fails");
    expect(lost?.why).toContain("in 1 of 1 places half of the networks or more diverged");
    expect(spreadOf([0, 0, 2, 0] as unknown as Float64Array)).toBe(1);
  });
});
