import { describe, expect, test } from "vitest";
import { geometryOf, type Point } from "../../src/metrics/geometry.ts";
import { awakeReference, measure } from "../../src/metrics/measure.ts";
import type { Trajectories } from "../../src/metrics/trajectories.ts";
import { boxTask } from "../../src/task/box.ts";
import { headDirectionTask } from "../../src/task/head-direction.ts";
import { ouTask, type PolylineTask, tmazeTask, triangleTask } from "../../src/task/paths.ts";

const at = (points: readonly { readonly x: number; readonly y: number }[]): Point[] => points.map((p) => [p.x, p.y]);

describe("geometry of the tasks", () => {
  test("T-maze: two ends, a junction, four discs, 35 bins", () => {
    const g = geometryOf(tmazeTask());
    expect(at(g.goals)).toEqual([
      [-1, 0.5],
      [1, 0.5],
    ]);
    expect(g.goals.map((d) => d.radius)).toEqual([0.3, 0.3]);
    expect(g.junction).toMatchObject({ x: 0, y: 0.5 });
    expect(at(g.regions)).toEqual([
      [0, -1],
      [0, 0.5],
      [-1, 0.5],
      [1, 0.5],
    ]);
    expect(g.regions.every((d) => d.radius === 0.35)).toBe(true);
    expect(g.ends).toEqual([2, 3]);
    // Stem 1.5 m once, though both routes run along it, and two arms of 1 m.
    expect(g.segments.length).toBe(3);
    expect(g.bins.length).toBe(15 + 10 + 10);
    expect(g.box).toEqual({ x: -1.3, y: -1.3, side: 2.6, cells: 20 });
  });

  test("triangle: both directions share edges; corners are counter-clockwise", () => {
    for (const directions of ["oneWay", "twoWay"] as const) {
      const g = geometryOf(triangleTask(directions));
      expect(g.segments.length).toBe(3);
      expect(g.regions.length).toBe(6);
      expect(g.bins.length).toBe(3 * 17);
      expect(g.goals.every((d) => d.radius === 0.35)).toBe(true);
      const [a, b, c] = at(g.goals) as [Point, Point, Point];
      expect((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).toBeGreaterThan(0);
      expect(g.junction).toBeNull();
    }
  });

  test("box: 4 × 4 cells, walls, and arrival away from the start", () => {
    const g = geometryOf({ ...boxTask(), width: 2, height: 1 });
    expect(g.regions.length).toBe(16);
    expect(at(g.regions)[5]).toEqual([0.75, 0.375]);
    expect(g.walls[0]).toContainEqual([2, 1]);
    expect(g.box).toEqual({ x: 0, y: 0, side: 2, cells: 20 });
    expect(g.centre).toEqual([1, 0.5]);
    // To the cell on the right, more than 0.4 m away, and back, twice; corners belong to a cell.
    const t = { positions: Float64Array.of(0.05, 0.05, 0.55, 0.05, 0.2, 0.05, 0.6, 0.05, 0, 0), rows: 1, steps: 5 };
    const m = measure(t, awakeReference(t, g), g, 5);
    expect(m).toMatchObject({ reach_median: 2, regions: 2, entries: 5, track: Number.NaN, laps: Number.NaN });
  });

  test("ring: laps, regions of an eighth, arrival after a quarter turn", () => {
    const g = geometryOf(headDirectionTask("oneWay"));
    const turn = (step: number) =>
      Float64Array.from({ length: 82 }, (_, i) => {
        const angle = Math.floor(i / 2) * step;
        return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
      });
    // 40 steps of 9°: one lap, a quarter after 10 steps and a bit.
    const t = { positions: turn(Math.PI / 20 + 1e-4), rows: 1, steps: 41 };
    const m = measure(t, awakeReference(t, g), g, 41);
    expect(m.laps).toBeCloseTo(1, 2);
    expect(m).toMatchObject({ reach_median: 11, regions: 8, track: 1 });
    expect(m.offpath).toBeLessThan(0.005);
  });

  test("OU paths have no places, so what needs places is NaN", () => {
    const g = geometryOf(ouTask());
    const t = { positions: Float64Array.from({ length: 80 }, (_, i) => Math.sin(i * i)), rows: 2, steps: 20 };
    const m = measure(t, awakeReference(t, g), g, 20);
    for (const name of ["reach_median", "reach_rmean", "track", "offpath", "regions", "laps"] as const) {
      expect(m[name], name).toBeNaN();
    }
    expect(m.sw).toBe(0);
    expect(m.cells).toBeGreaterThan(1);
  });

  test("a single route has an end and no junction; a lone corner shared at the start is none either", () => {
    const base: PolylineTask = { ...tmazeTask(), routes: [tmazeTask().routes[0] as Point[]] };
    expect(geometryOf(base).junction).toBeNull();
    const fork: PolylineTask = {
      ...base,
      routes: [
        [
          [0, 0],
          [-1, 0],
        ],
        [
          [0, 0],
          [1, 0],
        ],
      ],
    };
    expect(geometryOf(fork).junction).toBeNull();
  });

  test("another maze is measured in proportion to its size, wherever it lies", () => {
    const move = ([x, y]: Point): Point => [40 + 7 * x, -3 + 7 * y];
    const small = tmazeTask();
    const large: PolylineTask = { ...small, routes: small.routes.map((r) => r.map(move)) };
    const positions = Float64Array.from({ length: 400 }, (_, i) =>
      i % 2 === 0 ? Math.sin(i * 0.013) : -1 + i * 0.004 + 0.05 * Math.sin(i),
    );
    const t: Trajectories = { positions, rows: 2, steps: 100 };
    const moved = { ...t, positions: positions.map((v, i) => move(i % 2 === 0 ? [v, 0] : [0, v])[i % 2] as number) };
    const g = geometryOf(small);
    const h = geometryOf(large);
    expect(h.scale).toBe(7);
    const a = measure(t, awakeReference(t, g), g, 100);
    const b = measure(moved, awakeReference(moved, h), h, 100);
    // The box of an odd maze follows its bounding box, whose middle is not the T-maze's origin: cells differ, places do not.
    for (const name of ["reach_median", "reach_rmean", "junction_median", "track", "regions", "entries"] as const) {
      expect(b[name], name).toBeCloseTo(a[name], 9);
    }
    expect(b.offpath).toBeCloseTo(7 * a.offpath, 9);
    expect(a.reach_fraction).toBeGreaterThan(0);
  });
});
