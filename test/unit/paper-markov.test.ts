/** The Markov experiment's parts and verdicts on constructed data whose answer is known. */
import { describe, expect, it } from "vitest";
import { drawWords, normals4 } from "../../src/model/philox.ts";
import { STREAM } from "../../src/model/streams.ts";
import type { ClaimResult } from "../../src/paper/evidence.ts";
import { familyMembers } from "../../src/paper/family.ts";
import { markovClaims } from "../../src/paper/markov/claims.ts";
import { energyCoefficient } from "../../src/paper/markov/clouds.ts";
import { markovFigures } from "../../src/paper/markov/figures.ts";
import type { NetworkForks } from "../../src/paper/markov/forks.ts";
import { KNOWABLE, REPLAYS } from "../../src/paper/markov/information.ts";
import { type Measured, withFeedback } from "../../src/paper/markov/memoryless.ts";
import type { TaskMarkov } from "../../src/paper/markov/result.ts";
import { neighbours, spreadOf, type Visits, visitsOf } from "../../src/paper/markov/visits.ts";
import { loadProtocol, type Protocol } from "../../src/paper/protocol.ts";
import { studentQuantile } from "../../src/paper/statistics.ts";
import { preActivationReference } from "../../src/reference/dynamics.ts";

const protocol: Protocol = {
  ...loadProtocol(false).protocol,
  seeds: { first: 100, count: 6 },
  leaks: [0.2, 0.5],
  maskEvery: [1, 5],
};

/** Standard normals, (count, width); clouds of different `stream` are independent. */
function cloud(count: number, width: number, stream: number, shift = 0): Float32Array {
  return Float32Array.from({ length: count * width }, (_, i) => {
    const words = drawWords(Math.floor(i / 4), 0, stream, STREAM.replayNoise, 0, [1, 2]);
    return (normals4(words)[i % 4] as number) + (i % width === 0 ? shift : 0);
  });
}

describe("energy coefficient", () => {
  it("of two points is 1, of a cloud and itself 0, and has no unit", () => {
    expect(energyCoefficient(new Float32Array(8), new Float32Array(8).fill(3), 2)).toBe(1);
    expect(energyCoefficient(new Float32Array(8), new Float32Array(8), 2)).toBe(0);
    const x = cloud(32, 2, 1);
    expect(energyCoefficient(x, x, 2)).toBeCloseTo(0, 12);
    const far = cloud(32, 2, 2, 3);
    const scaled = (a: Float32Array) => a.map((v) => 8 * v);
    expect(energyCoefficient(scaled(x), scaled(far), 2)).toBeCloseTo(energyCoefficient(x, far, 2), 12);
  });

  it("in closed form on a line: unit normals a shift apart", () => {
    // E|N(m, 2)| = (2/√π) e^{−m²/4} + m erf(m/2); for m = 2: 2·0.9953… and within 2/√π.
    const between = (2 / Math.sqrt(Math.PI)) * Math.exp(-1) + 2 * 0.8427007929497149;
    const wanted = (between - 2 / Math.sqrt(Math.PI)) / between;
    // 400 draws: the standard deviation over pairs of clouds is below 0.03.
    expect(Math.abs(energyCoefficient(cloud(400, 1, 3), cloud(400, 1, 4, 2), 1) - wanted)).toBeLessThan(0.09);
  });

  it("has no bias where the laws are one: clouds as small as ours scatter around 0, in as many dimensions", () => {
    const values = Array.from({ length: 60 }, (_, k) =>
      energyCoefficient(cloud(24, 64, 10 + 2 * k), cloud(24, 64, 11 + 2 * k), 64),
    );
    const mean = values.reduce((a, b) => a + b, 0) / 60;
    const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 59);
    expect(Math.abs(mean)).toBeLessThan((4 * sd) / Math.sqrt(60));
    // All pairs would come to 1/24.
    expect(Math.abs(mean)).toBeLessThan(0.1 / 24);
    expect(values.some((v) => v < 0)).toBe(true);
  });

  it("common noise tells a small shift from none, where independent clouds scatter more", () => {
    const x = cloud(24, 8, 200);
    const shifted = x.map((v, i) => v + (i % 8 === 0 ? 0.3 : 0));
    const own = energyCoefficient(x, shifted, 8);
    expect(own).toBeGreaterThan(0);
    expect(Math.abs(energyCoefficient(x, cloud(24, 8, 201), 8))).toBeGreaterThan(own);
  });
});

describe("visits", () => {
  const [networks, repeats, units, saved] = [2, 3, 4, 5];
  /** (S, saved, repeats, N) with its indices as digits. */
  const history = (of: number) =>
    Float32Array.from({ length: networks * saved * repeats * units }, (_, i) => {
      const u = i % units;
      const b = Math.floor(i / units) % repeats;
      const t = Math.floor(i / units / repeats) % saved;
      const s = Math.floor(i / units / repeats / saved);
      return of * 1e4 + s * 1000 + t * 100 + b * 10 + u;
    });

  it("are one network's rows, each with its rollout; a rollout that stops being finite is left out in all of r, v, c", () => {
    const h = { r: history(1), v: history(2), c: history(3) };
    const broken = (((1 * saved + 4) * repeats + 1) * units + 2) as number;
    h.v[broken] = Number.NaN;
    const got = visitsOf(h, 1, { networks, repeats, units });
    expect(got.count).toBe(2 * saved);
    expect(Array.from(got.row)).toEqual([0, 0, 0, 0, 0, 2, 2, 2, 2, 2]);
    expect(Array.from(got.r.slice(0, 4))).toEqual([11000, 11001, 11002, 11003]);
    expect(Array.from(got.c.slice(-4))).toEqual([31420, 31421, 31422, 31423]);
    expect(visitsOf(h, 0, { networks, repeats, units }).count).toBe(3 * saved);
  });

  it("the nearest is of another rollout, its distance in spreads of r", () => {
    // On a line: rollout 0 at 0, 10, 20, …; rollout 1 the same places + 1.
    const r = Float32Array.from([0, 10, 20, 30, 1, 11, 21, 31]);
    const visits: Visits = { units: 1, count: 8, r, v: r, c: r, row: Int32Array.from([0, 0, 0, 0, 1, 1, 1, 1]) };
    const spread = Math.sqrt(r.reduce((a, x) => a + (x - 15.5) ** 2, 0) / 8);
    expect(spreadOf(visits)).toBeCloseTo(spread, 5);
    for (const n of neighbours(visits, 8)) {
      expect(n.other).toBe((n.visit + 4) % 8);
      expect(n.apart).toBeCloseTo(1 / spread, 5);
    }
    const alone = neighbours({ ...visits, row: new Int32Array(8) }, 3);
    expect(alone.map((n) => n.other)).toEqual([-1, -1, -1]);
  });
});

it("memoryless feedback is W_rec − b_a I: the pre-activation of c = b_a r", () => {
  const units = 3;
  const weights = { W_rec: Float32Array.from({ length: 9 }, (_, i) => Math.sin(i)) } as unknown as Parameters<
    typeof withFeedback
  >[0];
  const r = [0.7, -0.2, 1.5];
  const product = (W: Float32Array, i: number) => r.reduce((sum, x, j) => sum + (W[i * units + j] as number) * x, 0);
  const changed = withFeedback(weights, 0.125);
  for (let i = 0; i < units; i++) {
    const wanted = preActivationReference(product(weights.W_rec, i), {
      r: r[i] as number,
      v: 0,
      c: 0.125 * (r[i] as number),
    });
    expect(product(changed.W_rec, i)).toBeCloseTo(wanted, 6);
  }
  // The network itself stays as it was.
  expect(weights.W_rec[4]).toBe(Math.fround(Math.sin(4)));
});

interface Make {
  readonly other: readonly [number, number];
  readonly identical?: number;
  readonly reach?: Readonly<Record<"plain" | "adaptation" | "memoryless", number>>;
  readonly nats?: number;
  readonly reachFraction?: (maskEvery: number) => number;
}

/** A task whose networks of a seed share an offset, which pairing takes out. */
function task({ other, identical = 32, reach, nats = 0.02, reachFraction = () => 0.9 }: Make): TaskMarkov {
  const members = familyMembers(protocol, "tmaze");
  const jitter = (seed: number) => 1e-4 * Math.sin(13 * seed);
  const forks = members.map(
    (m): NetworkForks => ({
      ...{ index: m.index, forks: 20, apart: 0.2, memoryApart: 0.3, oneStep: { other: 0.3, none: 1 } },
      states: {
        floor: [jitter(m.seed), jitter(2 * m.seed)],
        other: [other[0] + jitter(3 * m.seed), other[1] + jitter(4 * m.seed)],
        none: [0.1, 0.2],
      },
      positions: { floor: [0, 0, 0, 0], other: [0.1, 0.1, 0.1, 0.1], none: [0.2, 0.2, 0.2, 0.2] },
      ...{ identical, continued: 32 },
    }),
  );
  const control = (name: "plain" | "adaptation" | "memoryless") =>
    members.map((m): Measured => {
      const offset = (m.seed % 7) * 10 + jitter(m.seed + name.length);
      const { plain, adaptation, memoryless } = reach ?? { plain: 70, adaptation: 150, memoryless: 100 };
      const time = { plain, adaptation, memoryless }[name];
      return { reach: time + offset, reachFraction: reachFraction(m.maskEvery), coverage: time / 1000, diverged: 0 };
    });
  const information = members.map((m) => ({
    index: m.index,
    nats: Object.fromEntries(
      REPLAYS.map((replay) => [
        replay,
        Object.fromEntries(
          KNOWABLE[replay].map((given) => {
            const value = replay !== "plain" && given === "r" ? nats : 0.01;
            return [given, [value + jitter(m.seed), value + jitter(m.seed)]];
          }),
        ),
      ]),
    ) as unknown as TaskMarkov["information"][number]["nats"],
  }));
  return {
    ...{ task: "tmaze", steps: 500, members, information, forks: { c: forks, v: forks } },
    controls: { plain: control("plain"), adaptation: control("adaptation"), memoryless: control("memoryless") },
  };
}

const judged = (r: TaskMarkov): Record<string, ClaimResult> =>
  Object.fromEntries(markovClaims([r], protocol).map((c) => [c.id.replace("-tmaze", ""), c]));
const verdict = (r: TaskMarkov, id: string) => judged(r)[id]?.verdict;

describe("verdicts", () => {
  it("a law that differs early or late is enough, neither is not", () => {
    for (const other of [
      [0.05, 0],
      [0, 0.05],
    ] as const)
      expect(verdict(task({ other }), "markov-fork-c")).toBe("holds");
    expect(verdict(task({ other: [0, 0] }), "markov-fork-c")).toBe("fails");
    // Closer together than one state's clouds would be no memory, but an error.
    expect(verdict(task({ other: [-0.05, -0.05] }), "markov-fork-v")).toBe("fails");
  });

  it("the two times share what the confidence leaves: each interval is wider than one alone", () => {
    const r = task({ other: [0.05, 0] });
    const [cell] = judged(r)["markov-fork-c"]?.cells ?? [];
    const places = markovFigures([r], protocol)[1]?.csv.split("\n") ?? [];
    // task, memory, leak, maskEvery, steps, mean, low, high, networks of the same place, early.
    const [mean, low, high, networks] = (places[1] ?? "").split(",").slice(5).map(Number) as [
      number,
      number,
      number,
      number,
    ];
    expect([cell?.estimate.value, cell?.estimate.n]).toEqual([mean, networks]);
    const ratio = studentQuantile(0.975, 5) / studentQuantile(0.95, 5);
    const width = (cell?.estimate.high as number) - (cell?.estimate.low as number);
    expect(width / (high - low)).toBeCloseTo(ratio, 9);
  });

  it("one rollout of all that differs in a bit ends (r, v, c) as the whole state", () => {
    expect(verdict(task({ other: [0, 0] }), "markov-state")).toBe("holds");
    const r = task({ other: [0, 0] });
    const one = r.forks.c.map((f) => (f.index < 12 ? { ...f, identical: 31 } : f));
    const claim = judged({ ...r, forks: { ...r.forks, c: one } })["markov-state"];
    expect(claim?.cells.map((c) => c.holds)).toEqual([false, false, true, true]);
    expect(claim?.measured).toContain(`${24 * 2 * 32 - 12} of ${24 * 2 * 32}`);
  });

  it("memory slows only beyond what memoryless feedback does", () => {
    expect(verdict(task({ other: [0, 0] }), "memory-slows")).toBe("holds");
    const inhibited = task({ other: [0, 0], reach: { plain: 70, adaptation: 150, memoryless: 400 } });
    expect(verdict(inhibited, "memory-slows")).toBe("fails");
    expect(judged(inhibited)["memory-slows"]?.why).toContain("adaptation is below memoryless feedback in 100 %");
  });

  it("information is compared with plain, network by network, at the protocol's k", () => {
    const claim = judged(task({ other: [0, 0] }))["markov-information-momentum"];
    expect(claim?.verdict).toBe("holds");
    expect(claim?.cells.map((c) => c.where)).toEqual(["κ = 0.2, k = 5", "κ = 0.5, k = 5"]);
    expect(verdict(task({ other: [0, 0], nats: 0.01 }), "markov-information-adaptation")).toBe("fails");
  });

  it("places that do not replay are not tested", () => {
    const r = task({ other: [0.05, 0.05], reachFraction: (k) => (k === 1 ? 0.2 : 0.9) });
    const claim = judged(r)["markov-fork-c"];
    expect(claim?.cells.length).toBe(2);
    expect(claim?.why).toContain("2 of 4 κ × k replay at all");
  });
});

it("figures draw what the CSV holds", () => {
  const figures = markovFigures([task({ other: [0.05, 0.05] })], protocol);
  const lines = figures.map((f) => f.csv.trim().split("\n").length - 1);
  // 2 memories × 3 forks × 4 quarters; × 4 places × 2 times; 2 metrics × 3 controls; 9 givens × 2 lags.
  expect(lines).toEqual([24, 16, 6, 18]);
  expect(figures.map((f) => f.figure.name)).toEqual([
    "markov-forks",
    "markov-places",
    "markov-controls",
    "markov-information",
  ]);
});
