/** shaders/metrics/{pool_occupancy,sliced_wasserstein,binned_kl}.wgsl against their float64 twins and src/metrics. */
import { expect, test } from "vitest";
import { kernelDensity, klPlugin } from "../../src/metrics/density.ts";
import { geometryOf, type Point } from "../../src/metrics/geometry.ts";
import { slicedQuantiles, slicedWasserstein } from "../../src/metrics/wasserstein.ts";
import { occupancyReference, summaryReference } from "../../src/reference/path-metrics.ts";
import { type MetricsChunk, metricsFinish, type PathMetricsSpec } from "../../src/sweep/path-metrics.ts";
import { SUMMARY_METRICS } from "../../src/sweep/path-records.ts";
import { tmazeTask, triangleTask } from "../../src/task/paths.ts";
import { gpuHygiene } from "../gpu.ts";
import { type Measured, measurePaths, type Path, type Paths, settle, wander } from "./measure-paths.ts";

gpuHygiene();

const maze = geometryOf(tmazeTask());
const STEPS = 40;

const cloud = (seed: number, rows: number, geometry = maze, steps = STEPS): Path[] =>
  Array.from({ length: rows }, (_, i) => wander(seed + i, steps, geometry));

const along = (at: (i: number, r: number) => Point): Path[] =>
  Array.from({ length: 8 }, (_, r) => Array.from({ length: STEPS }, (_, i) => settle(at(i, r), maze)));

/** All metrics of all clouds against the twin. */
function compare(got: Measured, paths: Paths, awake: readonly (readonly number[])[] | null, geometry = maze): void {
  paths.forEach((network, s) => {
    network.forEach((rows, c) => {
      expect(got.occupancy(s, c), `occupancy (${s}, ${c})`).toEqual(occupancyReference(rows, geometry));
      const [value, exact] = [got.summary(s, c), summaryReference(rows, awake?.[s] ?? null, geometry)];
      for (const { name } of SUMMARY_METRICS) {
        const label = `${name} of (${s}, ${c}): ${value[name]}, not ${exact[name]}`;
        if (Number.isNaN(exact[name])) expect(value[name], label).toBeNaN();
        else if (name === "inside") expect(value[name], label).toBe(exact[name]);
        // Sums of at most 400 shares and logarithms of about 10 that are good to 3 ULP; exponents of the kernels are up
        // to 28 where the density is above its floor, so that densities have relative errors of some 28 · 2⁻²³.
        else expect(Math.abs(value[name] - exact[name]), label).toBeLessThanOrEqual(1e-5 * Math.max(1, exact[name]));
      }
    });
  });
}

test("clouds of several networks and conditions, each against its own network's awake cloud", async () => {
  const paths: Paths = [0, 1, 2].map((s) => [0, 1].map((c) => cloud(100 * s + 1000 * c, 20)));
  const awake = [0, 1, 2, 3].map((s) => occupancyReference(cloud(7 + 500 * s, 12), maze));
  const got = await measurePaths(paths.slice(0, 3), maze, { awake, network0: 1, windows: [11] });
  compare(got, paths, awake.slice(1));
});

test("degenerate clouds: one cell, a line, off the grid, diverged in part and in whole", async () => {
  const lost = along(() => [1e4, Number.NaN]);
  const paths: Paths = [
    [
      along(() => [0.31, -0.42]),
      along((i, r) => [0.03, -1.2 + 0.06 * i + 0.01 * r]),
      along(() => [5, 5]),
      along((i, r) => (r < 4 ? [0.05 * i - 1, 0.3] : [3 * i, 0])),
      lost,
      along((i, r) => (r === 0 ? [0.9, 0.9] : [-2, i])),
    ],
  ];
  for (const reference of [cloud(5, 30), along(() => [-0.9, 0.8]), along(() => [0.31, -0.42])]) {
    const awake = [occupancyReference(reference, maze)];
    compare(await measurePaths(paths, maze, { awake }), paths, awake);
  }
});

test("without an awake cloud, or with an empty one, the distances are not numbers", async () => {
  const paths: Paths = [[cloud(3, 5)]];
  compare(await measurePaths(paths, maze), paths, null);
  const empty = [Array.from({ length: 400 }, () => 0)];
  compare(await measurePaths(paths, maze, { awake: empty }), paths, empty);
});

test("a cloud has no distance to itself", async () => {
  const paths: Paths = [[cloud(9, 12)]];
  const { sw_binned, kl_binned } = (
    await measurePaths(paths, maze, { awake: [occupancyReference(paths[0]?.[0] as Path[], maze)] })
  ).summary(0, 0);
  expect(sw_binned).toBe(0);
  expect(kl_binned).toBe(0);
});

test("the binned distances follow those of the points themselves", async () => {
  for (const geometry of [maze, geometryOf(triangleTask("oneWay"))]) {
    const width = geometry.box.side / geometry.box.cells;
    const awake = cloud(1, 40, geometry);
    for (const replay of [cloud(400, 40, geometry), cloud(800, 4, geometry), awake.map((p) => p.slice(0, 5))]) {
      const paths: Paths = [[replay]];
      const { sw_binned, kl_binned, inside } = (
        await measurePaths(paths, geometry, { awake: [occupancyReference(awake, geometry)] })
      ).summary(0, 0);
      expect(inside).toBeGreaterThan(0.98);
      const points = (rows: readonly Path[]) => Float64Array.from(rows.flat(2));
      const sw = slicedWasserstein(slicedQuantiles(points(replay)), slicedQuantiles(points(awake)));
      // Moving a point to the centre of its cell moves projections by a quarter of a cell on average, both ways.
      expect(Math.abs(sw_binned - sw)).toBeLessThan(0.5 * width);
      const kl = klPlugin(kernelDensity(points(replay)), kernelDensity(points(awake)));
      process.stderr.write(
        `sw ${sw.toFixed(4)} binned ${sw_binned.toFixed(4)}, kl ${kl.toFixed(3)} binned ${kl_binned.toFixed(3)}\n`,
      );
      // The bandwidth here is about a cell, so binning blurs a density by a few per cent, not more.
      expect(Math.abs(kl_binned - kl)).toBeLessThan(0.05 + 0.15 * Math.abs(kl));
    }
  }
});

test("no dimension of a launch exceeds WebGPU's limit, however many clouds", () => {
  const spec: PathMetricsSpec = { geometry: maze, steps: 1, outputs: 2, awakeOccupancy: true };
  const chunk: MetricsChunk = { network0: 0, networks: 3, rowsPerNetwork: 70_016, conditions: 70_000, repeats: 1 };
  for (const p of metricsFinish(spec, chunk)) {
    if (p.kind !== "dispatch") continue;
    for (const g of p.groups) expect(g).toBeLessThanOrEqual(65_535);
    if (p.label !== "finish rows") expect(p.groups[0] * p.groups[1]).toBeGreaterThanOrEqual(210_000);
  }
});
