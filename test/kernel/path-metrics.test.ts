/** shaders/metrics/path_*.wgsl against their float64 twin and against src/metrics: every metric of a row. */
import { describe, expect, test } from "vitest";
import { type Geometry, geometryOf, type Point } from "../../src/metrics/geometry.ts";
import { awakeReference, measure } from "../../src/metrics/measure.ts";
import type { MetricName } from "../../src/metrics/table.ts";
import { rowMetricsReference } from "../../src/reference/path-metrics.ts";
import { packPlaces, trackPieces } from "../../src/sweep/path-places.ts";
import { pooledMetrics, ROW_METRICS, type RowMetricName } from "../../src/sweep/path-records.ts";
import { boxTask } from "../../src/task/box.ts";
import { headDirectionTask } from "../../src/task/head-direction.ts";
import { ouTask, type PolylineTask, tmazeTask, triangleTask } from "../../src/task/paths.ts";
import { gpuHygiene } from "../gpu.ts";
import { extent, measurePaths, numbers, type Path, type Paths, settle, wander } from "./measure-paths.ts";

gpuHygiene();

/** Eight ends, a corner that stands twice, another centre and another scale. */
const comb: PolylineTask = {
  ...tmazeTask(),
  routes: Array.from({ length: 8 }, (_, k) => [
    [10, 5],
    [10 + 3 * k, 5],
    [10 + 3 * k, 5 + 6 * (k % 2 === 0 ? 1 : -1)],
  ]),
};

/** Segments of 37 bins: more than a word holds. */
const cross: PolylineTask = {
  ...tmazeTask(),
  routes: [
    [
      [-1.3, -1.3],
      [1.3, 1.3],
    ],
    [
      [-1.3, 1.3],
      [1.3, -1.3],
    ],
  ],
};

const GEOMETRIES: readonly (readonly [string, Geometry])[] = [
  ["T-maze", geometryOf(tmazeTask())],
  ["triangle", geometryOf(triangleTask("twoWay"))],
  ["free", geometryOf(ouTask())],
  ["comb", geometryOf(comb)],
  ["cross", geometryOf(cross)],
  ["box", geometryOf({ ...boxTask(), width: 1.6, height: 1 })],
  ["ring", geometryOf(headDirectionTask("twoWay"))],
];

const repeated = (steps: number, at: (t: number) => Point): Path => Array.from({ length: steps }, (_, i) => at(i + 1));

/** Paths on which definitions go wrong, and plain ones between them as neighbours. */
function paths(g: Geometry, T: number, repeats: number, seed: number): Path[] {
  const place = (x: number, y: number): Point => settle([g.centre[0] + x * g.scale, g.centre[1] + y * g.scale], g);
  const still = place(0.1, -0.3);
  const late = Math.ceil(T / 2);
  const from = (t0: number, value: Point): Path => {
    const before = wander(seed + t0, T, g);
    return repeated(T, (t) => (t >= t0 ? value : (before[t - 1] as Point)));
  };
  const goal = g.goals[0] ?? { x: 0, y: 0 };
  const odd: Path[] = [
    repeated(T, () => still),
    repeated(T, (t) => (t % 2 === 0 ? still : place(-0.7, 0.4))),
    repeated(T, (t) => place(1.2 + 0.001 * (t % 7), -1.2)),
    repeated(T, (t) => place(Math.cos(0.4 * t), Math.sin(0.4 * t))),
    from(late, [Number.NaN, 0]),
    from(1, [Number.NaN, Number.NaN]),
    from(late, [0, Number.POSITIVE_INFINITY]),
    from(late, [Number.NEGATIVE_INFINITY, Number.NaN]),
    from(late, [3e38, -3e38]),
    from(late, place(8, 8)),
    // Leaves, comes back and arrives: the arrival counts, nothing else does.
    repeated(T, (t) => (t === 1 ? place(20, 0) : settle([goal.x, goal.y], g))),
  ];
  const plain = Array.from({ length: Math.max(0, repeats - odd.length) }, (_, i) => wander(seed + 31 * i, T, g));
  return [...odd, ...plain].slice(0, repeats);
}

const batch = (g: Geometry, T: number, sizes: [number, number, number], seed: number): Paths =>
  Array.from({ length: sizes[0] }, (_, s) =>
    Array.from({ length: sizes[1] }, (_, c) => paths(g, T, sizes[2], seed + 1000 * s + 100 * c)),
  );

/**
 * Sums of T ≤ 1000 terms in blocks of 32 have at most 32 + 32 roundings of 2⁻²⁴ each on the way, a term itself four:
 * 4e−6 of the sum of the terms' sizes. Variances are differences of such sums about the start of the path.
 */
const ROUNDING = 4e-6;
/** An angle has 3 ULP of half a turn; laps have two of them. */
const TURNS = 4e-7;

function tolerance(name: RowMetricName, path: Path, exact: number, g: Geometry): number {
  const origin = path[0] as Point;
  const spread =
    path.reduce((sum, p) => sum + (p[0] - origin[0]) ** 2 + (p[1] - origin[1]) ** 2, 0) / (path.length - 1);
  switch (name) {
    case "speed5":
    case "path_length":
    case "msd1":
    case "msd2":
    case "msd4":
    case "msd8":
    case "msd16":
      return ROUNDING * exact;
    case "output_variance":
    case "autocovariance10":
      return 4 * ROUNDING * spread;
    case "offpath":
      return ROUNDING * exact + 4 * 2 ** -24 * extent(g);
    case "laps":
    case "abs_laps":
      return TURNS;
    case "occupancy_entropy":
      // Shares and logarithms of 3 ULP, of at most ten regions.
      return 1e-6;
    default:
      return 0;
  }
}

/** Share of its tolerance that a value uses; infinite where one is not a number, or infinite, and the other is not. */
function used(got: number, exact: number, allowed: number): number {
  if (Object.is(got, exact) || got === exact) return 0;
  const share = Math.abs(got - exact) / allowed;
  return Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
}

const CASES: readonly (readonly [number, readonly [number, number, number], readonly number[]])[] = [
  [1, [1, 1, 15], [1]],
  [2, [1, 2, 16], [1]],
  [7, [2, 1, 13], [3, 2]],
  [11, [1, 1, 14], [11]],
  [17, [1, 3, 13], [5, 1]],
  [100, [2, 3, 25], [33, 7, 20]],
  [1000, [1, 1, 16], [128]],
];

describe.each(GEOMETRIES)("%s", (_name, g) => {
  test.each(CASES)("every metric of %i steps equals the float64 twin", async (T, sizes, windows) => {
    const given = batch(g, T, [...sizes] as [number, number, number], T);
    const got = await measurePaths(given, g, { windows });
    let [worst, where] = [0, ""];
    given.forEach((network, s) => {
      network.forEach((condition, c) => {
        condition.forEach((path, r) => {
          const exact = rowMetricsReference(path, g);
          const row = got.row(s, c, r);
          for (const { name } of ROW_METRICS) {
            const share = used(row[name], exact[name], tolerance(name, path, exact[name], g));
            if (share > worst)
              [worst, where] = [share, `${name} of (${s}, ${c}, ${r}): ${row[name]}, not ${exact[name]}`];
          }
        });
      });
    });
    process.stderr.write(`T = ${T}: ${worst.toPrecision(2)} of the tolerance ${where}\n`);
    expect(worst, where).toBeLessThanOrEqual(1);
  });

  test("windows and launches change no bit", async () => {
    const T = 83;
    const given = batch(g, T, [2, 2, 18], 5);
    const whole = await measurePaths(given, g);
    for (const windows of [[1], [16], [31, 2], [40]]) {
      const cut = await measurePaths(given, g, { windows });
      given.forEach((network, s) => {
        network.forEach((condition, c) => {
          condition.forEach((_, r) => {
            expect(cut.rowBytes(s, c, r), `windows of ${windows}, row (${s}, ${c}, ${r})`).toBe(
              whole.rowBytes(s, c, r),
            );
          });
          expect(cut.cloudBytes(s, c)).toBe(whole.cloudBytes(s, c));
        });
      });
    }
    for (const s of [0, 1]) {
      for (const c of [0, 1]) {
        const alone = await measurePaths([[given[s]?.[c] as Path[]]], g, { windows: [9] });
        for (let r = 0; r < 18; r++) expect(alone.rowBytes(0, 0, r)).toBe(whole.rowBytes(s, c, r));
        expect(alone.cloudBytes(0, 0)).toBe(whole.cloudBytes(s, c));
      }
    }
  });
});

/** `measure` averages over the rows that are finite; here all are, and none leaves ten maze sizes. */
describe.each(GEOMETRIES.slice(0, 2))("%s: the same as src/metrics", (_name, g) => {
  test("means over rows and pooled ratios", async () => {
    const [T, B] = [60, 24];
    const given = Array.from({ length: B }, (_, i) => wander(77 + i, T, g));
    const trajectories = { positions: Float64Array.from(given.flat(2)), rows: B, steps: T };
    const host = measure(trajectories, awakeReference(trajectories, g), g, T);
    const got = await measurePaths([[given]], g, { windows: [25] });
    const rows = given.map((_, r) => got.row(0, 0, r));
    const over = (of: (row: (typeof rows)[number]) => number): number => rows.reduce((sum, r) => sum + of(r), 0) / B;
    const same: Partial<Record<MetricName, number>> = {
      reach_fraction: over((r) => (Number.isFinite(r.reach) ? 1 : 0)),
      reach_rmean: over((r) => Math.min(r.reach, T)),
      ...pooledMetrics(rows),
      coverage_entropy: got.summary(0, 0).coverage_entropy,
    };
    const shared = [
      "speed5",
      "path_length",
      "output_variance",
      "laps",
      "abs_laps",
      "track",
      "cells",
      "regions",
    ] as const;
    for (const name of [...shared, "entries", "both_arms", "occupancy_entropy", "offpath", "diverged"] as const) {
      same[name] = over((r) => r[name]);
    }
    for (const [name, value] of Object.entries(same)) {
      // Variances lose what the distance from the start exceeds the spread by, here at most tenfold.
      const share = used(value, host[name as MetricName], 1e-5 * Math.max(0.1, Math.abs(host[name as MetricName])));
      expect(share, `${name}: ${value}, not ${host[name as MetricName]}`).toBeLessThanOrEqual(1);
    }
  });
});

test("positions are the first two of several readouts", async () => {
  const g = geometryOf(tmazeTask());
  const given = [[[wander(1, 20, g), wander(2, 20, g)]]];
  const [two, seven] = [await measurePaths(given, g), await measurePaths(given, g, { outputs: 7 })];
  for (const r of [0, 1]) expect(seven.rowBytes(0, 0, r)).toBe(two.rowBytes(0, 0, r));
});

test("the angle of (x, y), by way of laps: all octants, the axes, the centre", async () => {
  const g = geometryOf(triangleTask("twoWay"));
  const next = numbers(3);
  const ends: Point[] = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
    [0, 0],
    [1, 1],
    [-1, 1],
    [1e-20, 1],
    [1, 1e-20],
    [-1, 1e-4],
    [-1, -1e-4],
    ...Array.from({ length: 300 }, (): Point => [Math.fround(next() - 0.5), Math.fround(next() - 0.5)]),
  ];
  // A first point at a sixteenth of a turn: no end lies exactly opposite.
  const start: Point = [Math.fround(Math.cos(Math.PI / 8)), Math.fround(Math.sin(Math.PI / 8))];
  const got = await measurePaths([[ends.map((p) => [start, p])]], g);
  ends.forEach((p, r) => {
    expect(Math.abs(got.row(0, 0, r).laps - rowMetricsReference([start, p], g).laps), `${p}`).toBeLessThanOrEqual(
      TURNS,
    );
  });
});

test("pieces of track hold every bin once, at its place, and at most 32 of them", () => {
  for (const [name, g] of GEOMETRIES) {
    const middles = trackPieces(g).flatMap(({ start, edge, bins }) => {
      expect(bins, name).toBeLessThanOrEqual(32);
      return Array.from({ length: bins }, (_, i): Point => {
        const f = (i + 0.5) / bins;
        return [start[0] + f * edge[0], start[1] + f * edge[1]];
      });
    });
    expect(middles.length, name).toBe(g.bins.length);
    middles.forEach(([x, y], i) => {
      const [bx, by] = g.bins[i] as Point;
      expect(Math.hypot(x - bx, y - by), `${name}, bin ${i}`).toBeLessThan(1e-12 * extent(g));
    });
  }
});

test("a maze with more places than the table holds is refused in a sentence", () => {
  const routes = Array.from({ length: 400 }, (_, k): Point[] => [
    [0, 0],
    [1, k / 400],
    [0.5, 1 + k / 2000],
  ]);
  expect(() => packPlaces(geometryOf({ ...tmazeTask(), routes }))).toThrow(/task\.routes: .* hold 1024: /);
});
