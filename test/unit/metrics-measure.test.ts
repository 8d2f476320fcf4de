import { describe, expect, test } from "vitest";
import { DataError, UsageError } from "../../src/errors.ts";
import { metricsCsv, spreadOf, summarise, summaryCsv } from "../../src/metrics/csv.ts";
import { drawPoints, kernelDensity } from "../../src/metrics/density.ts";
import { offPathDistance } from "../../src/metrics/exploration.ts";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { cholesky, symmetricEigen } from "../../src/metrics/linear-algebra.ts";
import { awakeReference, type MetricRecord, measure, measureRun } from "../../src/metrics/measure.ts";
import { lapsPerRow, speedAtLag } from "../../src/metrics/motion.ts";
import { arrivalTimes, reachTimes } from "../../src/metrics/reach.ts";
import { mean, median, sortInPlace, spreadIndices } from "../../src/metrics/statistics.ts";
import { METRIC_NAMES, METRICS } from "../../src/metrics/table.ts";
import { type Tensor, type Trajectories, trajectoriesOf } from "../../src/metrics/trajectories.ts";
import { slicedQuantiles, slicedWasserstein } from "../../src/metrics/wasserstein.ts";
import { boxTask } from "../../src/task/box.ts";
import { tmazeTask, triangleTask } from "../../src/task/paths.ts";

const tmaze = geometryOf(tmazeTask());

/** Up the stem and into an arm at constant speed, without noise. */
function run(speed: number, arm: -1 | 1, steps: number): number[] {
  return Array.from({ length: steps }, (_, i) => {
    const q = Math.min(speed * (i + 1), 2.5);
    return q <= 1.5 ? [0, -1 + q] : [arm * (q - 1.5), 0.5];
  }).flat();
}

const rows = (list: number[][]): Trajectories => ({
  positions: Float64Array.from(list.flat()),
  rows: list.length,
  steps: (list[0]?.length ?? 0) / 2,
});

/** (network, time, row, 2) from [network][row] lists. */
function tensor(networks: number[][][]): Tensor {
  const [R, T] = [networks[0]?.length ?? 0, (networks[0]?.[0]?.length ?? 0) / 2];
  const data = new Float32Array(networks.length * T * R * 2);
  networks.forEach((list, n) => {
    list.forEach((row, r) => {
      row.forEach((v, i) => {
        data[((n * T + (i >> 1)) * R + r) * 2 + (i & 1)] = v;
      });
    });
  });
  return { data, shape: [networks.length, T, R, 2] };
}

describe("reach times", () => {
  test("a run of known speed arrives where arithmetic says", () => {
    // |x − end| < .3 from an arc length of 2.2 m on: step 19 at .12 m a step.
    expect([...reachTimes(rows([run(0.12, 1, 40), run(0.12, -1, 40)]), tmaze)]).toEqual([19, 19]);
  });

  test("samples further apart still count steps", () => {
    const fine = run(0.1, 1, 40);
    const coarse = rows([fine.filter((_, i) => (i >> 1) % 4 === 3)]);
    expect([...reachTimes({ ...coarse, every: 4 }, tmaze)]).toEqual([24]);
    expect(speedAtLag({ ...coarse, every: 4 }, 4)).toBeCloseTo(speedAtLag(rows([fine]), 4), 2);
    expect(speedAtLag({ ...coarse, every: 4 }, 5)).toBeNaN();
  });

  test("never is infinite for a row and for a median, and T for the restricted mean", () => {
    const stuck = run(0, 1, 40);
    const t = rows([run(0.12, 1, 40), stuck, stuck]);
    const m = measure(t, awakeReference(t, tmaze), tmaze, 40);
    expect(m.reach_median).toBe(Number.POSITIVE_INFINITY);
    expect(m.reach_fraction).toBeCloseTo(1 / 3, 15);
    expect(m.reach_rmean).toBeCloseTo((19 + 40 + 40) / 3, 12);
    expect(m.compression_reach).toBeNaN();
  });

  test("triangle: the next corner counter-clockwise, wherever a row starts", () => {
    const g = geometryOf(triangleTask("twoWay"));
    const circle = (from: number, sign: 1 | -1): number[] =>
      Array.from({ length: 60 }, (_, i) => {
        const a = ((from + sign * 6 * i) * Math.PI) / 180;
        return [Math.cos(a), Math.sin(a)];
      }).flat();
    // 6° a step; a disc of .35 on the unit circle is entered 2·asin(.175) = 20.2° before its centre.
    const ccw = [90, 210, 330].map((from) => circle(from, 1));
    expect([...reachTimes(rows(ccw), g)]).toEqual([18, 18, 18]);
    expect([...reachTimes(rows([circle(90, -1)]), g)]).toEqual([38]);
    const laps = lapsPerRow(rows([circle(90, 1), circle(90, -1)]), g);
    expect(laps[0]).toBeCloseTo((59 * 6) / 360, 12);
    expect(laps[1]).toBeCloseTo((-59 * 6) / 360, 12);
  });
});

test("an edge of no length, where a route repeats a corner, changes no distance", () => {
  const [a] = tmaze.segments[0] as readonly [readonly [number, number], readonly [number, number]];
  const repeated = { ...tmaze, segments: [[a, a] as const, ...tmaze.segments] };
  const path = rows([run(0.1, 1, 40).map((v) => v + 0.05)]);
  expect(offPathDistance(path, repeated)).toBe(offPathDistance(path, tmaze));
});

describe("rows that are not numbers", () => {
  const good = run(0.1, 1, 40);
  const bad = [...good.slice(0, 60), ...Array.from({ length: 20 }, () => Number.NaN)];

  test("are left out of distances, and counted as diverged and as never arriving, whatever they passed", () => {
    const [clean, mixed] = [rows([good]), rows([good, bad])];
    const awake = awakeReference(clean, tmaze);
    const m = measure(mixed, awake, tmaze, 40);
    expect(m.diverged).toBe(0.5);
    expect(m.sw).toBe(0);
    expect(m.track).toBe(measure(clean, awake, tmaze, 40).track);
    expect(m.reach_fraction).toBe(0.5);
    expect(m.junction_median).toBe(Number.POSITIVE_INFINITY);
    // In a box to arrive is to leave the start, which nothing does sooner than what diverges.
    const away = rows([[0.5, 0.5, 0.95, 0.5, Number.NaN, Number.NaN]]);
    expect(arrivalTimes(away, geometryOf(boxTask()))).toEqual(Float64Array.of(Number.POSITIVE_INFINITY));
    const huge = measure(rows([good, good.map((v) => v * 20)]), awake, tmaze, 40);
    expect(huge.diverged).toBe(0.5);
    // As in a sweep: what went beyond ten maze sizes is finite, and says nothing about the others.
    expect(huge.sw).toBe(0);
    expect(huge.speed5).toBe(measure(clean, awake, tmaze, 40).speed5);
  });

  test("alone leave NaN, not an exception", () => {
    const nothing = rows([good.map(() => Number.POSITIVE_INFINITY)]);
    const m = measure(nothing, awakeReference(rows([good]), tmaze), tmaze, 40);
    expect(m.reach_fraction).toBe(0);
    expect(m.diverged).toBe(1);
    const undefinedHere = METRIC_NAMES.filter((name) => Number.isNaN(m[name]));
    for (const name of ["sw", "kde_kl", "cells", "track", "entries", "coverage_entropy"] as const) {
      expect(undefinedHere, name).toContain(name);
    }
  });
});

describe("small parts", () => {
  test("Wasserstein: a shift costs its length times the mean |cos|, in every order", () => {
    const a = Float64Array.from({ length: 200 }, (_, i) => Math.sin(i));
    const b = a.map((v, i) => (i % 2 === 0 ? v + 0.7 : v));
    // Mean of |cos| over the 64 directions, and over all: 2/π to the midpoint rule's error 1e−4.
    const d = slicedWasserstein(slicedQuantiles(a), slicedQuantiles(b));
    expect(d).toBeCloseTo((0.7 * 2) / Math.PI, 3);
    expect(slicedWasserstein(slicedQuantiles(a), slicedQuantiles(b), 2)).toBeCloseTo(d, 12);
  });

  test("points drawn from a density have its covariance", () => {
    const cloud = Float64Array.from({ length: 600 }, (_, i) => Math.sin(i * 1.7) * (i % 2 === 0 ? 1 : 0.3));
    const drawn = drawPoints(kernelDensity(cloud) as NonNullable<ReturnType<typeof kernelDensity>>);
    const variance = (x: Float64Array, k: number): number => {
      const own = x.filter((_, i) => i % 2 === k);
      const m = mean(own);
      return mean(own.map((v) => (v - m) ** 2));
    };
    // The kernels widen a cloud by 1 + n^(−1/3) = 1.149; 2000 points of low discrepancy hit it within 2 %.
    for (const k of [0, 1]) expect(variance(drawn, k) / variance(cloud, k)).toBeCloseTo(1 + 300 ** (-1 / 3), 1);
  });

  test("spread indices are distinct and reach everywhere", () => {
    const chosen = spreadIndices(60000, 2000);
    expect(new Set(chosen).size).toBe(2000);
    // Rows of 60 samples: each time of a row is met, as every 30th item would not.
    expect(new Set([...chosen].map((i) => i % 60)).size).toBe(60);
  });

  test("median of an even number, and of infinities", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([1, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
    expect(median([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
    expect(median([])).toBeNaN();
  });

  test("the fast sort is a sort, whatever it is given", () => {
    const kinds: [string, (i: number) => number][] = [
      ["spread", (i) => Math.sin(i * i)],
      ["clustered", (i) => (i % 3 === 0 ? Math.sin(i) * 1e-6 : 1 + Math.cos(i) * 1e-9)],
      ["with an outlier", (i) => (i === 17 ? 1e12 : Math.sin(i))],
      ["equal", () => 0.25],
      ["wider than a float64", (i) => (i % 2 === 0 ? 1e308 : -1e308)],
    ];
    for (const [kind, of] of kinds) {
      for (const n of [0, 1, 63, 64, 1000]) {
        const values = Float64Array.from({ length: n }, (_, i) => of(i));
        const expected = values.slice().sort();
        sortInPlace(values);
        expect(values, `${kind}, ${n}`).toEqual(expected);
      }
    }
  });

  test("eigenvectors rebuild their matrix", () => {
    const n = 9;
    const m = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) m[i * n + j] = Math.cos(i * j) + (i === j ? i : 0);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) m[i * n + j] = m[j * n + i] as number;
    const { values, vectors } = symmetricEigen(m, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let k = 0; k < n; k++) {
          sum += (values[k] as number) * (vectors[k * n + i] as number) * (vectors[k * n + j] as number);
        }
        expect(sum).toBeCloseTo(m[i * n + j] as number, 12);
      }
    }
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
    expect(cholesky(Float64Array.from([1, 1, 1, 1]), 2)).toBeNull();
  });

  test("a tensor of another shape is refused in one line", () => {
    const t = tensor([[run(0.1, 1, 10)]]);
    expect(() => trajectoriesOf({ ...t, shape: [1, 10, 2] }, 0)).toThrow(DataError);
    expect(() => trajectoriesOf({ ...t, shape: [1, 10, 2, 1] }, 0)).toThrow(/coordinates/);
    expect(() => trajectoriesOf(t, 1, { name: "positions_plain" })).toThrow(/positions_plain holds 1 networks/);
    expect(trajectoriesOf(t, 0, { skip: 1 }).steps).toBe(9);
  });
});

describe("a whole run", () => {
  const steps = 60;
  const network = (speed: number): number[][] => [run(speed, -1, steps), run(speed, 1, steps)];
  const records: MetricRecord[] = measureRun({
    seeds: [7, 9],
    geometry: tmaze,
    awake: tensor([network(0.08), network(0.08)]),
    conditions: [
      { name: "fast, both", positions: tensor([network(0.1), network(0.1)]) },
      { name: "plain", positions: tensor([network(0.05), network(0.04)]) },
    ],
  });

  test("keeps the order of networks and conditions and compares with plain", () => {
    expect(records.map((r) => [r.network, r.seed, r.condition])).toEqual([
      [0, 7, "awake"],
      [0, 7, "fast, both"],
      [0, 7, "plain"],
      [1, 9, "awake"],
      [1, 9, "fast, both"],
      [1, 9, "plain"],
    ]);
    const of = (network: number, condition: string) =>
      (records.find((r) => r.network === network && r.condition === condition) as MetricRecord).values;
    // Steps: 2.2 m at .1 → 23, at .08 → 28, at .05 → 45, at .04 → 56; in float32, 2.2 m may be just inside.
    expect(of(0, "plain").compression_reference).toBe(1);
    expect(of(0, "fast, both").compression_reference).toBeCloseTo(45 / 23, 1);
    expect(of(1, "fast, both").compression_reference).toBeCloseTo(56 / 23, 1);
    expect(of(0, "fast, both").compression_reach).toBeCloseTo(28 / 23, 1);
    expect(of(0, "awake").sw).toBe(0);
    expect(of(0, "plain").cmi5).toBeNaN();
  });

  test("does not let a condition take the awake paths' name", () => {
    const t = tensor([network(0.1)]);
    const conditions = [{ name: "awake", positions: t }];
    expect(() => measureRun({ seeds: [1], geometry: tmaze, awake: t, conditions })).toThrow(UsageError);
  });

  test("is written as a tidy table that reads back", () => {
    const lines = metricsCsv(records).trimEnd().split("\n");
    expect(lines[0]).toBe(["network", "seed", "condition", ...METRIC_NAMES].join(","));
    expect(lines.length).toBe(7);
    expect(lines[2]).toContain('"fast, both"');
    const plain = lines[3]?.split(",") ?? [];
    expect(plain.length).toBe(METRIC_NAMES.length + 3);
    expect(Number(plain[3 + METRIC_NAMES.indexOf("reach_rmean")])).toBe(records[2]?.values.reach_rmean);
    expect(plain[3 + METRIC_NAMES.indexOf("cmi5")]).toBe("");
  });

  test("is summarised over networks", () => {
    const summary = summarise(records);
    expect(summary.map((s) => s.condition)).toEqual(["awake", "fast, both", "plain"]);
    const plain = summary[2]?.metrics.reach_rmean;
    const both = records.filter((r) => r.condition === "plain").map((r) => r.values.reach_rmean) as [number, number];
    expect(plain?.mean).toBeCloseTo((both[0] + both[1]) / 2, 12);
    expect(plain?.sd).toBeCloseTo(Math.abs(both[0] - both[1]) / Math.SQRT2, 12);
    expect(plain?.n).toBe(2);
    expect(summaryCsv(summary).split("\n").length).toBe(1 + 3 * METRIC_NAMES.length + 1);
  });

  test("spread: undefined values are not counted, one never makes the mean never", () => {
    expect(spreadOf([1, Number.NaN, 3])).toEqual({ mean: 2, sd: Math.SQRT2, n: 2 });
    expect(spreadOf([1, Number.POSITIVE_INFINITY])).toEqual({ mean: Number.POSITIVE_INFINITY, sd: Number.NaN, n: 2 });
    expect(spreadOf([Number.NaN])).toEqual({ mean: Number.NaN, sd: Number.NaN, n: 0 });
  });
});

test("the table of metrics has no two of a name and says everything", () => {
  expect(new Set(METRIC_NAMES).size).toBe(METRICS.length);
  for (const m of METRICS) expect(m.meaning.length > 8 && m.equation.length > 3, m.name).toBe(true);
});
