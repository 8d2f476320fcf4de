/** Fronts, the rule that chooses a mix, and directions of claims, on replays whose numbers are made up. */
import { describe, expect, test } from "vitest";
import { activationFigures } from "../../src/paper/activations/figures.ts";
import { judgeActivations } from "../../src/paper/activations/judge.ts";
import { bestSingle, chooseMix, paretoFront, pointsOf } from "../../src/paper/balance/choose.ts";
import { balanceFigures } from "../../src/paper/balance/figures.ts";
import { judgeBalance } from "../../src/paper/balance/judge.ts";
import {
  type Plane,
  planeConditions,
  planeOfSweep,
  type ReplayedMember,
  spread,
} from "../../src/paper/balance/measure.ts";
import type { FamilySweep } from "../../src/paper/experiment.ts";
import { type Cell, gridConditions } from "../../src/paper/grid.ts";
import { loadProtocol, type Protocol } from "../../src/paper/protocol.ts";

const full = loadProtocol(false).protocol;
const protocol: Protocol = {
  ...full,
  seeds: { first: 0, count: 4 },
  leaks: [0.5],
  maskEvery: [5],
  balance: { ...full.balance, friction: [0.4, 1, 4], adaptStrength: [0, 0.075, 4], offPathAtMost: 1.5, fasterBy: 1.2 },
};

/** What a replay of a mix is like. */
interface Law {
  readonly reach: (c: Cell) => number;
  readonly track: (c: Cell) => number;
  readonly offpath?: (c: Cell) => number;
  readonly diverged?: (c: Cell) => number;
}

/** Momentum speeds up by 1/λ; adaptation slows, and covers more. */
const CLAIMED: Law = {
  reach: (c) => 80 * c.friction * (1 + 4 * c.adaptStrength),
  track: (c) => 0.7 + c.adaptStrength,
};

function planeOf(conditions: readonly Cell[], law: Law): Plane {
  const members = Array.from({ length: 4 }, (_, seed): ReplayedMember => {
    // Networks differ, and what they differ by does not depend on the mix.
    const own = (f: (c: Cell) => number) => conditions.map((c) => f(c) * (1 + 0.01 * seed));
    return {
      index: seed,
      seed,
      leak: 0.5,
      maskEvery: 5,
      reach: own(law.reach),
      arrives: conditions.map(() => 1),
      track: own(law.track),
      offpath: own(law.offpath ?? (() => 0.1)),
      diverged: conditions.map(law.diverged ?? (() => 0)),
    };
  });
  return { conditions, members };
}

const points = (law: Law) => {
  const plane = planeOf(planeConditions(protocol), law);
  return pointsOf(plane, plane.members);
};

test("an axis has both its ends and decimals as people write them", () => {
  expect(spread([0.3, 1, 15]).slice(0, 4)).toEqual([0.3, 0.35, 0.4, 0.45]);
  expect(spread([0.3, 1, 15]).at(-1)).toBe(1);
  expect(spread([0, 0.12, 13])[5]).toBe(0.05);
});

describe("the front of speed against coverage", () => {
  test("is what nothing beats in both", () => {
    const front = paretoFront(points(CLAIMED)).map((p) => p.cell);
    // At each b_a the least λ is fastest and covers the same: 1/λ costs nothing here.
    expect(front).toEqual(
      [0.075, 0.05, 0.025, 0].map((adaptStrength) => ({ friction: 0.4, adaptStrength, adaptTau: 200 })),
    );
  });
  test("has no place for what diverges in any network", () => {
    const front = paretoFront(points({ ...CLAIMED, diverged: (c) => (c.friction < 0.5 ? 0.1 : 0) }));
    expect(front.every((p) => p.cell.friction === 0.6)).toBe(true);
  });
});

describe("the rule", () => {
  test("takes the most coverage among what is fast and faithful enough", () => {
    expect(chooseMix(points(CLAIMED), protocol)?.cell).toEqual({ friction: 0.4, adaptStrength: 0.075, adaptTau: 200 });
    const wandering = { ...CLAIMED, offpath: (c: Cell) => (c.adaptStrength > 0.06 ? 0.2 : 0.1) };
    expect(chooseMix(points(wandering), protocol)?.cell.adaptStrength).toBe(0.05);
    const slow = { ...CLAIMED, reach: () => 80 };
    expect(chooseMix(points(slow), protocol)).toBeUndefined();
  });
  test("is compared with a single knob that is as fast", () => {
    const all = points(CLAIMED);
    // Adaptation alone is never faster than plain replay; momentum alone covers what plain replay does.
    expect(bestSingle(all, 1.1)?.cell.adaptStrength).toBe(0);
    expect(bestSingle(all, 3)).toBeUndefined();
  });
});

describe("verdicts on the balance", () => {
  const pair: Cell[] = [
    { friction: 1, adaptStrength: 0, adaptTau: 100 },
    { friction: 0.4, adaptStrength: 0.075, adaptTau: 200 },
  ];
  const verdicts = (law: Law, unseen: Law | null) => {
    const plane = planeOf(planeConditions(protocol), law);
    const claims = judgeBalance({ plane, unseen: unseen === null ? null : planeOf(pair, unseen) }, protocol);
    return Object.fromEntries(claims.map((c) => [c.id, c.verdict]));
  };
  test("hold where mixes are fast and explore, on unseen seeds too", () => {
    // Every mix but (0.8, 0.075), which adaptation makes slower than plain replay by a hair: 0.8 · 1.3 = 1.04.
    expect(verdicts(CLAIMED, CLAIMED)).toEqual({
      "balance-mixes": "holds",
      "balance-front": "holds",
      "balance-unseen": "holds",
    });
  });
  test("fail where unseen seeds do not confirm", () => {
    const other: Law = { reach: () => 80, track: () => 0.7, offpath: (c) => (c.friction < 1 ? 0.3 : 0.1) };
    expect(verdicts(CLAIMED, other)["balance-unseen"]).toBe("fails");
    expect(verdicts({ reach: () => 80, track: () => 0.7 }, null)["balance-unseen"]).toBe("undecided");
  });
  test("figures draw no nonsense", () => {
    const plane = planeOf(planeConditions(protocol), { ...CLAIMED, diverged: (c) => (c.friction < 0.5 ? 1 : 0) });
    const figures = balanceFigures({ plane, unseen: null }, protocol);
    expect(figures.map((f) => f.figure.name)).toEqual(["balance-phase", "balance-front"]);
    for (const f of figures) expect(f.figure.body).not.toMatch(/NaN|Infinity/);
  });
});

describe("other activation functions and small friction", () => {
  const cells = gridConditions(protocol).map(
    (c): Cell => ({
      friction: c.friction as number,
      adaptStrength: c.adaptStrength as number,
      adaptTau: c.adaptTau ?? 0,
    }),
  );
  const judged = (law: Law) =>
    Object.fromEntries(
      judgeActivations(
        { families: [{ family: "tanh", plane: planeOf(cells, law) }], relu: planeOf(cells, law) },
        protocol,
      ).map((c) => [c.id, c]),
    );
  test("directions hold where they are built in", () => {
    const claims = judged(CLAIMED);
    for (const d of ["momentum", "explores", "slows", "both"])
      expect(claims[`activation-tanh-${d}`]?.verdict).toBe("holds");
    // λ = 0.6 at the named place: 1/0.6.
    expect(claims["activation-tanh-momentum"]?.measured).toContain("λ = 0.6: 1.67×");
    expect(claims["small-friction"]?.verdict).toBe("holds");
  });
  test("and fail where they are reversed", () => {
    const claims = judged({
      reach: (c) => 80 / c.friction,
      track: (c) => 0.7 - c.adaptStrength,
      diverged: (c) => (c.friction <= 0.5 ? 0.2 : 0),
    });
    for (const d of ["momentum", "explores", "slows", "both"])
      expect(claims[`activation-tanh-${d}`]?.verdict).toBe("fails");
    expect(claims["small-friction"]?.verdict).toBe("fails");
    expect(claims["small-friction"]?.cells).toHaveLength(3);
  });
  test("figures draw no nonsense", () => {
    const plane = planeOf(cells, CLAIMED);
    for (const f of activationFigures({ families: [{ family: "tanh", plane }], relu: plane }, protocol))
      expect(f.figure.body).not.toMatch(/NaN|Infinity/);
  });
});

test("a rollout that diverged covers nothing and never arrives", () => {
  const values = { reach_rmean: 300, reach_fraction: 0.5, track: 0.8, offpath: 0.1, diverged: 0.5 };
  const lost = { ...values, track: Number.NaN, offpath: Number.NaN, diverged: 1 };
  const sweep = {
    members: [{ index: 0, seed: 0, leak: 0.5, maskEvery: 5 }],
    records: [[{ values }, { values: lost }]],
  } as unknown as FamilySweep;
  const cell = { friction: 1, adaptStrength: 0, adaptTau: 1 };
  const [member] = planeOfSweep(sweep, [cell, { ...cell, friction: 0.5 }]).members;
  expect(member?.track).toEqual([0.4, 0]);
  expect(member?.diverged).toEqual([0.5, 1]);
});
