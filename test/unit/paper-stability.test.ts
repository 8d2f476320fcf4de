import { describe, expect, it } from "vitest";
import { loadProtocol } from "../../src/paper/protocol.ts";
import { stabilityClaims, trialsOf } from "../../src/paper/stability/judge.ts";
import { criticalOf, predict, type StabilityMember, type StabilityTask } from "../../src/paper/stability/measure.ts";
import { criticalFriction, type LinearisedNetwork } from "../../src/theory/stability.ts";

const { protocol } = loadProtocol(false);

/** Two units that rotate into each other, and a silent third: k = κ − ρ e^{±iθ}, and κ. */
function rotating(leak: number, radius: number, angle: number): LinearisedNetwork {
  const [c, s] = [radius * Math.cos(angle), radius * Math.sin(angle)];
  const recurrent = [c, -s, 0, s, c, 0, 0, 0, 0];
  return { units: 3, recurrent, bias: [50, 50, -50], leak, gain: 1, activation: "relu", leakySlope: 0.01 };
}

/** Largest |r − r*| after many steps from a little beside the fixed point, both rotating units active throughout. */
function strays(n: LinearisedNetwork, friction: number): boolean {
  const at = (i: number, j: number): number => n.recurrent[i * 3 + j] as number;
  // (κ − W) r* = b of the two active units.
  const [a, b, c, d] = [n.leak - at(0, 0), -at(0, 1), -at(1, 0), n.leak - at(1, 1)];
  const det = a * d - b * c;
  const fixed = [(50 * d - 50 * b) / det, (50 * a - 50 * c) / det];
  const r = [(fixed[0] as number) + 1e-6, fixed[1] as number];
  const v = [0, 0];
  for (let t = 0; t < 4000; t++) {
    const f = [0, 1].map(
      (i) => 50 + at(i, 0) * (r[0] as number) + at(i, 1) * (r[1] as number) - n.leak * (r[i] as number),
    );
    for (const i of [0, 1]) {
      v[i] = (1 - friction) * (v[i] as number) + (f[i] as number);
      r[i] = (r[i] as number) + (v[i] as number);
    }
  }
  return Math.hypot((r[0] as number) - (fixed[0] as number), (r[1] as number) - (fixed[1] as number)) > 1e-6;
}

describe("the predicted boundary", () => {
  it("is that of the rotating mode, and the step itself grows below it and dies out above", () => {
    for (const [leak, radius, angle] of [
      [0.5, 0.4, 1.2],
      [1, 0.7, 1.5],
      [0.2, 0.15, 0.9],
    ] as const) {
      const network = rotating(leak, radius, angle);
      const { critical, modes, criticalOfStates } = predict(network, Float32Array.from([1, 1, 0, 1.2, 0.9, 0]));
      expect(modes).toHaveLength(3);
      const k = { re: leak - radius * Math.cos(angle), im: radius * Math.sin(angle) };
      expect(critical).toBeCloseTo(criticalFriction(k), 6);
      expect(criticalOfStates).toHaveLength(2);
      expect(critical).toBeGreaterThan(0.1);
      expect(strays(network, critical - 0.01)).toBe(true);
      expect(strays(network, critical + 0.01)).toBe(false);
    }
  });

  it("a mode that no friction keeps has no say, and a network without finite states has no prediction", () => {
    const path = { re: -0.01, im: 0 };
    const rotation = { re: 1, im: 0.47 };
    expect(criticalOf([path, rotation])).toBe(criticalFriction(rotation));
    expect(criticalOf([path])).toBeNaN();
    expect(predict(rotating(0.5, 0.4, 1.2), Float32Array.from([Number.NaN, 0, 0])).critical).toBeNaN();
  });
});

describe("verdict on stability", () => {
  const frictions = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3];
  /** Networks that diverge below `boundary` while `critical` was predicted. */
  const member = (index: number, leak: number, critical: number, boundary: number): StabilityMember => ({
    ...{ index, seed: index % 8, leak, maskEvery: 5, modes: [], critical, criticalOfStates: [critical] },
    diverged: frictions.map((f) => (f < boundary ? 1 : 0)),
  });
  const task = (shift: number): StabilityTask => ({
    task: "tmaze",
    frictions,
    members: Array.from({ length: 24 }, (_, i) => {
      const leak = [0.2, 0.5, 1][Math.floor(i / 8)] as number;
      const boundary = { 0.2: 0.25, 0.5: 0.45, 1: 0.65 }[String(leak) as "0.2" | "0.5" | "1"] + 0.01 * (i % 3);
      return member(i, leak, boundary + shift, boundary);
    }),
  });
  const claim = (t: StabilityTask, id: string) => stabilityClaims([t], protocol).find((c) => c.id === id);

  it("holds where prediction and fact agree away from the boundary, whatever happens near it", () => {
    expect(claim(task(0), "stability-agreement-tmaze")?.verdict).toBe("holds");
    expect(claim(task(0.09), "stability-agreement-tmaze")?.verdict).toBe("holds");
    expect(claim(task(0.45), "stability-agreement-tmaze")?.verdict).toBe("fails");
  });

  it("a network that diverges without momentum is no trial, and is counted", () => {
    const t = task(0);
    const members = [
      ...t.members,
      { ...member(24, 0.5, 0.4, 0.4), diverged: frictions.map(() => 1) },
      member(25, 0.5, Number.NaN, 0.4),
    ];
    expect(trialsOf({ ...t, members }, protocol.stability)).toHaveLength(24 * 7);
    expect(claim({ ...t, members }, "stability-agreement-tmaze")?.why).toContain("2 of 26 networks");
  });

  it("the vanilla network must diverge in every seed and the leaky one in none", () => {
    expect(claim(task(0), "stability-vanilla-tmaze")?.verdict).toBe("holds");
    const t = task(0);
    const one = t.members.map((m) => (m.index === 0 ? member(0, 0.2, 0.6, 0.6) : m));
    expect(claim({ ...t, members: one }, "stability-vanilla-tmaze")?.verdict).toBe("partly");
    expect(claim(t, "stability-leak-tmaze")?.verdict).toBe("holds");
  });
});
