/** What the maps, the speeds and the animation of a report are made of, on paths whose answers are known. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { MIN_VISITS, mostSpatial, type RateMaps, RateSums, unitMap } from "../../src/metrics/rate-maps.ts";
import { speedsOf } from "../../src/metrics/speeds.ts";
import type { Tensor } from "../../src/metrics/trajectories.ts";
import { environmentOf } from "../../src/report/environment.ts";
import { occupancyShares } from "../../src/report/figure-occupancy.ts";
import { figureRates } from "../../src/report/figure-rates.ts";
import { ground } from "../../src/report/ground.ts";
import { heatPanel, linearHeat, shareHeat } from "../../src/report/heat.ts";
import { packFilms } from "../../src/report/player-data.ts";
import { HEAT_STEPS, heatColour } from "../../src/report/theme.ts";
import { ouTask, tmazeTask } from "../../src/task/paths.ts";
import { SMALL, syntheticReport } from "./report-synthetic.ts";

const GRID = { x: 0, y: 0, width: 4, height: 2, columns: 4, lines: 2 };

describe("rate maps", () => {
  test("a cell's rate is the mean of max(r, 0) over the steps spent there", () => {
    const sums = new RateSums(GRID, 2);
    sums.add(0.5, 0.5, [1, -3]);
    sums.add(0.9, 0.1, [2, 5]);
    sums.add(3.5, 1.5, [7, 0]);
    for (const [x, y] of [
      [-0.1, 0],
      [4, 0],
      [0, 2],
      [Number.NaN, 0],
    ] as const)
      sums.add(x, y, [99, 99]);
    const { rates, visits } = sums.maps();
    expect([...visits]).toEqual([2, 0, 0, 0, 0, 0, 0, 1]);
    expect([rates[0], rates[1], rates[14], rates[15]]).toEqual([1.5, 2.5, 7, 0]);
    expect(rates[2]).toBeNaN();
  });

  /** One unit, a rate per cell, all cells visited alike. */
  const even = (rates: readonly number[], visits = 10): RateMaps => ({
    units: 1,
    rates: Float64Array.from(rates),
    visits: new Float64Array(rates.length).fill(visits),
  });

  test("information: log₂ n for one cell in n, 0 for a unit that is everywhere the same", () => {
    expect(unitMap(even([0, 0, 0, 0, 0, 3, 0, 0]), 0).information).toBeCloseTo(3, 12);
    expect(unitMap(even([2, 2, 2, 2]), 0).information).toBe(0);
    expect(unitMap(even([1, 1, 0, 0]), 0).information).toBeCloseTo(1, 12);
    expect(unitMap(even([0, 0]), 0)).toMatchObject({ information: 0, mean: 0, peak: 0 });
  });

  test("rarely visited cells are left out", () => {
    const maps = even([5, 1, 1]);
    maps.visits[0] = MIN_VISITS - 1;
    const map = unitMap(maps, 0);
    expect(map.rates[0]).toBeNaN();
    expect(map).toMatchObject({ peak: 1, mean: 1, information: 0 });
  });

  test("the most spatial units come first; almost silent ones not at all", () => {
    const units = 3;
    const cells = [
      [1, 9, 0],
      [1, 0, 0.01],
      [1, 0, 0],
      [1, 0, 0],
    ];
    const maps: RateMaps = { units, rates: Float64Array.from(cells.flat()), visits: new Float64Array(4).fill(9) };
    expect(mostSpatial(maps, 8).map((m) => m.unit)).toEqual([1, 0]);
    expect(mostSpatial(maps, 1).map((m) => m.unit)).toEqual([1]);
  });
});

describe("the figure of rate maps", () => {
  test("has a replay's maps below, of the same units, where its states were kept", () => {
    const input = syntheticReport(SMALL);
    const rates = input.rates as NonNullable<typeof input.rates>;
    const awake = figureRates(input, rates, [0, 1]);
    const both = figureRates(input, { ...rates, replay: { label: "plain", networks: rates.networks } }, [0, 1]);
    const maps = (body: string): string[] => [...body.matchAll(/<g shape-rendering.*?<\/g>/g)].map((m) => m[0]);
    expect(maps(both.body).length).toBe(2 * maps(awake.body).length);
    // The same rates on the same scale are the same picture.
    for (let i = 0; i < 16; i++) expect(maps(both.body)[2 * i]).toBe(maps(both.body)[2 * i + 1]);
    expect(both.body).toContain("replay, plain");
    expect(both.height).toBeGreaterThan(awake.height);
  });
});

describe("speeds", () => {
  // (network 1, time 20, row 2): one row at 0.1 m/step, one not finite from step 10 on.
  const T = 20;
  const data = new Float32Array(T * 2 * 2);
  for (let t = 0; t < T; t++) {
    data[4 * t] = 0.1 * t;
    data[4 * t + 2] = t < 10 ? 0.3 * t : Number.NaN;
  }
  const tensor: Tensor = { data, shape: [1, T, 2, 2] };

  test("are distances over five steps, of the finite ones", () => {
    const { sorted, lag, rows } = speedsOf(tensor, 1);
    expect([lag, rows, sorted.length]).toEqual([5, 2, 15 + 5]);
    // float32 positions of up to 2 m, differences over 5 steps.
    expect(sorted[0]).toBeCloseTo(0.1, 6);
    expect(sorted[19]).toBeCloseTo(0.3, 6);
  });

  test("coarse samples use the lag they have", () => {
    expect(speedsOf(tensor, 3)).toMatchObject({ lag: 3 });
    expect(speedsOf(tensor, 3).sorted[0]).toBeCloseTo(0.1 / 3, 6);
    expect(speedsOf(tensor, 5)).toMatchObject({ lag: 5 });
    expect(speedsOf({ data: new Float32Array(4), shape: [1, 1, 2, 2] }, 1).sorted.length).toBe(0);
  });
});

describe("occupancy", () => {
  test("is the share of all positions, those outside included", () => {
    const data = Float32Array.from([
      0.5,
      0.5,
      0.5,
      0.6,
      3.5,
      1.5,
      9,
      9,
      Number.NaN,
      0,
      1,
      Number.POSITIVE_INFINITY,
      0,
      0,
      4,
      2,
    ]);
    const shares = occupancyShares({ data, shape: [1, 4, 2, 2] }, GRID);
    expect([...shares]).toEqual([3 / 8, 0, 0, 0, 0, 0, 0, 1 / 8]);
  });

  test("one colour scale: the largest share is its end, three decades below its beginning", () => {
    const scale = shareHeat([0.2, 0.001, 0], "");
    expect(scale.share(0.2)).toBe(1);
    expect(scale.share(0.0002)).toBeCloseTo(0, 12);
    expect(scale.share(0)).toBe(-1);
    expect(scale.ticks.map((t) => t.label)).toEqual(["10 %", "1 %", "0.1 %"]);
  });

  test("a map draws each cell once, where it is, in its colour", () => {
    const environment = environmentOf(geometryOf(ouTask()));
    const { x, y, width, height } = environment.view;
    const grid = { x, y, width, height, columns: 2, lines: 2 };
    const panel = heatPanel({
      environment,
      grid,
      values: [0, 1, Number.NaN, 1],
      scale: linearHeat(1, ""),
      x: 0,
      y: 0,
      width: 100,
    });
    const paths = [...panel.matchAll(/<path d="([^"]*)" fill="([^"]*)"/g)].map((m) => [m[1], m[2]]);
    // 8 drawing units a pixel; the lower line of cells is the lower half of the picture.
    expect(paths).toEqual([
      ["M0 400h400v400h-400z", heatColour(0)],
      ["M400 400h400v400h-400zM400 0h400v400h-400z", heatColour(HEAT_STEPS - 1)],
    ]);
  });
});

describe("environments", () => {
  const walls = [
    [
      [0, 0],
      [1, 0],
      [1, 2],
      [0, 2],
    ] as const,
  ];
  const box = environmentOf({ ...geometryOf(ouTask()), kind: "box", walls }, { centres: [[0.25, 0.5]] });

  test("a box is seen whole, with its walls and its place cells", () => {
    expect(box.word).toBe("box");
    expect(box.view.x).toBeLessThan(0);
    expect(box.view.y + box.view.height).toBeGreaterThan(2);
    expect(box.view.width / box.view.height).toBeCloseTo(0.55, 1);
    const drawn = ground(box, 100);
    expect(drawn).toMatch(/<path d="M[^"]*Z"/);
    expect(drawn).toMatch(/a13 13 0 1 0/);
  });

  test("a maze has corridors and goals, a plane nothing", () => {
    expect(environmentOf(geometryOf(tmazeTask())).word).toBe("maze");
    expect(ground(environmentOf(geometryOf(tmazeTask())), 100).match(/<circle/g)?.length).toBe(2);
    expect(ground(environmentOf(geometryOf(ouTask())), 100)).toBe("");
  });
});

describe("films", () => {
  const view = { x: -1, y: 2, width: 2, height: 1 };
  const unpack = (base64: string): number[] => {
    const bytes = Buffer.from(base64, "base64");
    return Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
  };
  const film = (tensor: Tensor) => ({ label: "", colour: ["", ""] as const, tensor, firstStep: 1, every: 1 });

  test("positions come back within half a unit, a fraction of a millimetre", () => {
    const position = fc.tuple(
      fc.float({ min: -3, max: 3, noNaN: true }),
      fc.float({ min: 0, max: 4.96875, noNaN: true }),
    );
    fc.assert(
      fc.property(fc.array(position, { minLength: 1, maxLength: 8 }), (path) => {
        const tensor: Tensor = { data: Float32Array.from(path.flat()), shape: [1, path.length, 1, 2] };
        const packed = packFilms([film(tensor)], view);
        expect(packed.unit).toBeLessThan(1e-4);
        unpack(packed.base64).forEach((q, i) => {
          const back = (packed.origin[i % 2] as number) + q * packed.unit;
          // Half a step of the quantisation, and float64 rounding.
          expect(Math.abs(back - (tensor.data[i] as number))).toBeLessThanOrEqual(0.5000001 * packed.unit);
        });
      }),
    );
  });

  test("a path that is lost stays lost", () => {
    const data = Float32Array.from([0, 2, Number.NaN, 2, 0, 2, 0, 2e9]);
    const numbers = unpack(packFilms([film({ data, shape: [1, 4, 1, 2] })], view).base64);
    expect(numbers.slice(2)).toEqual([65535, 65535, 65535, 65535, 65535, 65535]);
    expect(numbers[0]).toBeLessThan(65535);
  });

  test("however long and many: below a megabyte, every film with the same rows", () => {
    const long = { data: new Float32Array(40 * 5000 * 3 * 2), shape: [40, 5000, 3, 2] };
    const short = { data: new Float32Array(40 * 60 * 9 * 2), shape: [40, 60, 9, 2] };
    const packed = packFilms([film(long), film(short)], view);
    expect(packed.base64.length).toBeLessThan(1_050_000);
    expect(packed.rows).toBe(3);
    expect(packed.networks.length).toBe(12);
    const [a, b] = packed.films;
    // The samples span the whole time.
    expect((a?.first ?? 0) + ((a?.samples ?? 0) - 1) * (a?.pitch ?? 0)).toBeGreaterThan(4900);
    expect(b?.offset).toBe((a?.samples ?? 0) * 12 * 3 * 2);
  });

  test("a network, a row and a time are where the page looks for them", () => {
    const [S, T, R] = [2, 3, 2];
    const data = new Float32Array(S * T * R * 2);
    for (let s = 0; s < S; s++) {
      for (let t = 0; t < T; t++)
        for (let r = 0; r < R; r++) data[((s * T + t) * R + r) * 2] = 0.1 * (4 * s + 2 * r) + 0.01 * t;
    }
    const packed = packFilms([film({ data, shape: [S, T, R, 2] })], view);
    const numbers = unpack(packed.base64);
    const x = (s: number, r: number, t: number): number =>
      packed.origin[0] + (numbers[((s * R + r) * T + t) * 2] as number) * packed.unit;
    expect(x(1, 0, 2)).toBeCloseTo(0.42, 3);
    expect(x(0, 1, 1)).toBeCloseTo(0.21, 3);
  });
});
