/** Verdicts on adaptation from replays whose answer is known. */
import { describe, expect, it } from "vitest";
import { adaptationClaims } from "../../src/paper/adaptation/claims.ts";
import { curvesFigure } from "../../src/paper/adaptation/curves.ts";
import { fourFigure } from "../../src/paper/adaptation/four.ts";
import { KEPT, type Kept, PLAIN, seriesAt, type TaskReplays, usableOf } from "../../src/paper/adaptation/replays.ts";
import { signsFigure } from "../../src/paper/adaptation/signs.ts";
import { familyMembers } from "../../src/paper/family.ts";
import { type Cell, gridConditions } from "../../src/paper/grid.ts";
import { type FamilyName, loadProtocol, type Protocol } from "../../src/paper/protocol.ts";

const protocol: Protocol = {
  ...loadProtocol(false).protocol,
  seeds: { first: 100, count: 6 },
  leaks: [0.2, 0.5],
  maskEvery: [1, 5],
};

type Values = Readonly<Record<Kept, number>>;
type Make = (cell: Cell, leak: number, maskEvery: number) => Partial<Values>;

/** Networks of a seed are alike but for an offset that pairing takes out, and a little that it does not. */
function replays(task: FamilyName, make: Make): TaskReplays {
  const members = familyMembers(protocol, task);
  const conditions = gridConditions(protocol);
  const rows = members.map((m) =>
    conditions.map((c): Values => {
      const cell = { friction: 1, adaptStrength: 0, adaptTau: 1, ...c };
      const base = { track: 0.5, regions: 3, entries: 3, coverage_entropy: 0.5, reach_rmean: 100 };
      const values = { ...base, reach_fraction: 0.9, diverged: 0, ...make(cell, m.leak, m.maskEvery) };
      const offset = (m.seed % 7) / 10;
      const jitter = 1e-3 * Math.sin(13 * m.seed + 7 * cell.adaptStrength + cell.friction);
      const seeded = Object.entries(values).map(([k, v]) => [k, /fraction|diverged/.test(k) ? v : v + offset + jitter]);
      return Object.fromEntries(seeded) as Values;
    }),
  );
  const values = Object.fromEntries(KEPT.map((name) => [name, rows.map((own) => own.map((v) => v[name]))]));
  return { task, steps: 500, members, conditions, values: values as Record<Kept, number[][]> };
}

/** Adaptation adds 2 b_a of coverage and 1000 b_a steps; momentum divides the time by its speed-up. */
const asClaimed: Make = ({ friction, adaptStrength }) => ({
  track: 0.5 + 2 * adaptStrength,
  reach_rmean: (100 + 1000 * adaptStrength) * friction,
});

const verdicts = (r: TaskReplays): Record<string, string> =>
  Object.fromEntries(adaptationClaims([r], protocol).map((c) => [c.id, c.verdict]));

describe("verdicts on adaptation", () => {
  it("all three hold where replays do what is claimed", () => {
    const r = replays("tmaze", asClaimed);
    const claims = adaptationClaims([r], protocol);
    expect(claims.map((c) => c.verdict)).toEqual(["holds", "holds", "holds"]);
    // κ × k × b_a × τ_a; with momentum λ too.
    expect(claims.map((c) => c.cells.length)).toEqual([4 * 9, 4 * 9, 4 * 5 * 9]);
    // Of 2 b_a, whatever λ is; of 1000 b_a λ.
    expect(claims[0]?.why).toContain("with momentum on both sides 100 %");
    // Pairing takes the seeds' offsets out: 2 · 0.02 with an interval far narrower than they are.
    const [first] = claims[0]?.cells ?? [];
    expect(first?.where).toBe("κ = 0.2, k = 1, b_a = 0.02, τ_a = 60");
    expect(first?.estimate.value).toBeCloseTo(0.04, 3);
    expect((first?.estimate.high ?? 1) - (first?.estimate.low ?? 0)).toBeLessThan(0.005);
  });

  it("none holds where adaptation does nothing, and the other sign is told", () => {
    expect(new Set(Object.values(verdicts(replays("tmaze", () => ({})))))).toEqual(new Set(["fails"]));
    const r = replays("place", ({ adaptStrength }) => ({ reach_rmean: 100 - 500 * adaptStrength }));
    const slows = adaptationClaims([r], protocol)[1];
    expect(slows?.verdict).toBe("fails");
    expect(slows?.why).toContain("in 100 % of the grid the interval lies on the other side");
    expect(slows?.predicted).toContain("not predicted here");
  });

  it("fast and exploratory needs both at once in the same cell", () => {
    const fastOnly = replays("tmaze", (c, k, m) => ({ ...asClaimed(c, k, m), track: 0.5 }));
    const slowOnly = replays("tmaze", (c, k, m) => ({ ...asClaimed(c, k, m), reach_rmean: 100 }));
    for (const r of [fastOnly, slowOnly]) expect(verdicts(r)["adaptation-momentum-tmaze"]).toBe("fails");
  });

  it("adaptation beside momentum is compared with momentum alone", () => {
    // It explores at λ = 1 only: momentum covers everything by itself.
    const r = replays("tmaze", ({ friction, adaptStrength }) => ({
      track: friction < 1 ? 0.9 : 0.5 + 2 * adaptStrength,
    }));
    expect(adaptationClaims([r], protocol)[0]?.verdict).toBe("holds");
    expect(adaptationClaims([r], protocol)[0]?.why).toContain("with momentum on both sides 0 %");
  });

  it("boxes are covered by regions, not by a track", () => {
    const r = replays("place", (c, k, m) => ({
      ...asClaimed(c, k, m),
      track: Number.NaN,
      regions: 3 + c.adaptStrength,
    }));
    expect(verdicts(r)["adaptation-explores-place"]).toBe("holds");
  });
});

describe("what counts", () => {
  it("a κ and k whose plain replay does not arrive, or diverges, is not tested, and the share is told", () => {
    const r = replays("tmaze", (c, leak, k) => ({
      ...asClaimed(c, leak, k),
      reach_fraction: k === 1 ? 0.4 : 0.9,
      diverged: leak === 0.5 ? 0.6 : 0,
    }));
    expect(usableOf(r, protocol)).toEqual({ usable: [{ leak: 0.2, maskEvery: 5 }], of: 4 });
    const [explores] = adaptationClaims([r], protocol);
    expect(explores?.cells.length).toBe(9);
    expect(explores?.why).toContain("1 of 4 κ × k replay at all");
    // A box has no end to arrive at.
    expect(usableOf({ ...r, task: "place" }, protocol).usable.length).toBe(2);
  });

  it("a network whose rollouts mostly diverge has no value; where most networks have none the claim cannot hold", () => {
    const u = protocol.usable;
    const place = { leak: 0.2, maskEvery: 5 };
    const lost = replays("tmaze", (c, k, m) => ({ ...asClaimed(c, k, m), diverged: c.adaptStrength > 0.03 ? 0.7 : 0 }));
    expect(seriesAt(lost, "track", place, PLAIN, u).every(Number.isFinite)).toBe(true);
    const cell = { friction: 1, adaptStrength: 0.05, adaptTau: 60 };
    expect(seriesAt(lost, "track", place, cell, u).every(Number.isNaN)).toBe(true);
    expect(seriesAt(lost, "diverged", place, cell, u)).toEqual(Array(6).fill(Number.NaN));
    // b_a = 0.02 is a third of the grid.
    const [explores] = adaptationClaims([lost], protocol);
    expect(explores?.cells.filter((c) => c.holds).length).toBe(12);
    expect(explores?.verdict).toBe("partly");
  });

  it("a condition that was not run has no values", () => {
    const r = replays("tmaze", asClaimed);
    const absent = { friction: 0.123, adaptStrength: 0, adaptTau: 1 };
    expect(seriesAt(r, "track", { leak: 0.2, maskEvery: 5 }, absent, protocol.usable).every(Number.isNaN)).toBe(true);
  });
});

describe("figures", () => {
  const r = replays("tmaze", asClaimed);

  it("every number drawn is in the CSV", () => {
    const [curves] = curvesFigure(r, protocol);
    // 4 metrics × 3 τ_a × (b_a = 0 and three more), and the header.
    expect(curves?.csv.trim().split("\n").length).toBe(1 + 4 * 3 * 4);
    // Two panels × 4 κ × k × 9.
    expect(signsFigure([r], protocol).csv.trim().split("\n").length).toBe(1 + 2 * 4 * 9);
    expect(fourFigure([r], protocol).csv.trim().split("\n").length).toBe(1 + 4 * 2);
  });

  it("signs follow the intervals", () => {
    const body = signsFigure([r], protocol).figure.body;
    const triangles = (d: RegExp) => (body.match(d) ?? []).length;
    // Raised everywhere, in both panels; one more of each in the key.
    expect(triangles(/h10l-5 -9z/g)).toBe(2 * 4 * 9 + 1);
    expect(triangles(/h10l-5 9z/g)).toBe(1);
  });
});
