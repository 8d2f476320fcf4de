/** Distances in activity space against their float64 twins: projections, participation ratio, nearest valid code. */
import { expect, test } from "vitest";
import { measureActivity, nearestCode, sampleCloud } from "../../src/code/activity.ts";
import { codeDirections } from "../../src/code/directions.ts";
import { gridPositions } from "../../src/code/grid.ts";
import type { Population } from "../../src/code/population.ts";
import { quantileSorted } from "../../src/metrics/statistics.ts";
import { nearestCodeReference, participationReference } from "../../src/reference/activity-distances.ts";
import { normals } from "../bits.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within, worst } from "./run-kernel.ts";

gpuHygiene();

const draw = normals(7);
const EXTENT = { x: -1, y: -1, width: 2, height: 1 };

function population(cells: number): Population {
  const at = draw(2 * cells);
  const centres = Array.from({ length: cells }, (_, i) => [at[2 * i] as number, at[2 * i + 1] as number] as const);
  return { centres, width: 0.3, tuning: "gaussian" };
}

/** A cloud that lies mostly in a few directions. */
function cloudOf(n: number, cells: number): Float32Array {
  const [along, off] = [draw(n * cells), draw(n)];
  return along.map((v, i) => 0.1 * v + (off[Math.floor(i / cells)] as number) * Math.cos(i % cells) + 0.3);
}

test.each([17, 130])("%i cells", async (cells) => {
  const gpu = await testGpu();
  const p = population(cells);
  const clouds = [cloudOf(97, cells), cloudOf(60, cells)];
  for (const kind of ["own-row", "step"] as const) {
    const [awake, replay] = await measureActivity(gpu, kind, cells, { population: p, extent: EXTENT }, clouds);
    expect(awake?.sliced).toBe(0);
    const exact = clouds.map((c) => participationReference(c, cells));
    // Sums of up to 97 products of float32 numbers, squared.
    for (const [i, m] of [awake, replay].entries()) {
      const error = Math.abs((m?.participation ?? Number.NaN) / (exact[i] as number) - 1);
      within(`${kind}: participation, relative`, error, 1e-5);
    }
    within(`${kind}: sliced distance`, Math.abs((replay?.sliced ?? Number.NaN) - sliced(clouds, cells)), 2e-6);
  }
});

/** Mean over the directions of the distance between quantiles, by the book. */
function sliced(clouds: readonly Float32Array[], cells: number): number {
  const directions = codeDirections(cells);
  const count = directions.length / cells;
  let sum = 0;
  for (let j = 0; j < count; j++) {
    const [a, b] = clouds.map((cloud) =>
      Float64Array.from({ length: cloud.length / cells }, (_, k) => {
        let dot = 0;
        for (let i = 0; i < cells; i++) dot += (cloud[k * cells + i] as number) * (directions[j * cells + i] as number);
        return dot;
      }).sort(),
    ) as [Float64Array, Float64Array];
    for (let q = 0; q < 512; q++) {
      const at = (q + 0.5) / 512;
      sum += Math.abs(quantileSorted(a, at) - quantileSorted(b, at)) / 512 / count;
    }
  }
  return sum;
}

test("directions have length 1 and are fixed", () => {
  const directions = codeDirections(17, 3);
  for (let j = 0; j < 3; j++) {
    expect(Math.hypot(...directions.subarray(17 * j, 17 * (j + 1)))).toBeCloseTo(1, 12);
  }
  expect(codeDirections(17).subarray(0, 51)).toEqual(directions);
});

test.each(["gaussian", "softmax"] as const)("nearest code under %s, in many launches", async (tuning) => {
  const gpu = await testGpu();
  const p = { ...population(17), tuning };
  const positions = gridPositions(EXTENT, 20);
  expect([...positions.subarray(0, 2), ...positions.subarray(-2)]).toEqual([-1, -1, 1, 0]);
  const cloud = cloudOf(70, 17).map((v) => (tuning === "softmax" ? v / 10 : v));
  const got = await nearestCode(gpu, cloud, p, positions);
  const exact = nearestCodeReference(cloud, p, positions);
  // A root of a sum of squares of differences that are known to 1e-6.
  within("distance", worst(70, (i) => Math.abs((got[i] as number) - (exact[i] as number))).error, 2e-6);
});

test("a valid code is at no distance, and the grid is near every position", async () => {
  const gpu = await testGpu();
  const p = population(64);
  const positions = gridPositions(EXTENT);
  const own = nearestCodeReference(new Float32Array(64), p, positions.subarray(0, 2));
  expect(own.length).toBe(1);
  const code = Float32Array.from(p.centres, ([x, y]) =>
    Math.exp(-(((positions[200] as number) - x) ** 2 + ((positions[201] as number) - y) ** 2) / (2 * 0.09)),
  );
  within("distance", (await nearestCode(gpu, code, p, positions))[0] as number, 1e-6);
});

test("what is not finite is left out, and a cloud of nothing else has no numbers", async () => {
  const cloud = new Float32Array(17 * 3).fill(1);
  cloud[20] = Number.NaN;
  expect(sampleCloud(cloud, 17).length).toBe(34);
  const nothing = new Float32Array(17).fill(Number.POSITIVE_INFINITY);
  const code = { population: population(17), extent: EXTENT };
  const [, m] = await measureActivity(await testGpu(), "step", 17, code, [cloudOf(9, 17), nothing]);
  expect(m).toEqual({ sliced: Number.NaN, participation: Number.NaN, nearest: Number.NaN });
});
