import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DataError, UsageError } from "../../src/errors.ts";
import { parseCsv, readCsv } from "../../src/io/csv.ts";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { standaloneSvg } from "../../src/report/svg.ts";
import { axisLayout, spreadOut, sweepAxis } from "../../src/report/sweep-axes.ts";
import { ratioScale, sequentialScale } from "../../src/report/sweep-colours.ts";
import { metricsBehind } from "../../src/report/sweep-csv.ts";
import { curvesOf, figureCurves } from "../../src/report/sweep-curves.ts";
import { panelLayout } from "../../src/report/sweep-panels.ts";
import { figuresPhase, planeOf, slicesOf } from "../../src/report/sweep-phase.ts";
import { figureScatter } from "../../src/report/sweep-scatter.ts";
import {
  divergedShare,
  isDiverged,
  isShown,
  mainMetrics,
  referenceCondition,
  type SweepCondition,
  type SweepRecord,
  type SweepTable,
  spreadAt,
  sweepTable,
} from "../../src/report/sweep-table.ts";
import { type ReportedSweep, reportOfSweep } from "../../src/run/sweep-report.ts";
import { triangleTask } from "../../src/task/paths.ts";
import { linear, syntheticSweep, writeSyntheticSweep } from "./sweep-synthetic.ts";

const GRID = { axes: { friction: linear(0.1, 1, 10), adaptStrength: linear(0, 0.3, 7) }, networks: 3 };
const table = sweepTable(syntheticSweep(GRID));
const at = (t: SweepTable, ...values: number[]): SweepCondition =>
  t.conditions.find((c) => c.at.every((v, i) => v === values[i])) as SweepCondition;

describe("axes", () => {
  test.each([
    ["linear", [0, 0.1, 0.2, 0.3]],
    ["linear", [0.05, 0.0828, 0.1155, 0.1483]],
    ["log", [0.1, 0.2, 0.4, 0.8]],
    ["log", [1, 3.16, 10, 31.6]],
    ["ordinal", [0.3, 0.6, 1]],
    ["ordinal", [0, 1, 10, 100]],
    ["ordinal", [0.5, 1]],
  ])("values on a %s scale: %j", (scale, values) => {
    expect(sweepAxis("gain", [...values].reverse().concat(values)).scale).toBe(scale);
    expect(sweepAxis("gain", values).values).toEqual(values);
  });

  test("cells meet halfway between values, and every value lies in the middle of its own", () => {
    for (const values of [
      [0, 0.1, 0.2, 0.3],
      [0.1, 0.2, 0.4, 0.8],
      [0.3, 0.6, 1],
    ]) {
      const layout = axisLayout(sweepAxis("friction", values));
      const f = layout.type === "log" ? Math.log : (x: number): number => x;
      const [low, high] = layout.domain.map(f) as [number, number];
      values.forEach((v, i) => {
        const share = (f(layout.at(v)) - low) / (high - low);
        // Float64 rounding of a handful of operations.
        expect(share).toBeCloseTo(((layout.edges[i] as number) + (layout.edges[i + 1] as number)) / 2, 12);
      });
    }
  });

  test("a long ordinal axis is labelled with its own values, some left out", () => {
    const values = Array.from({ length: 30 }, (_, i) => i * i + 1);
    const { ticks = [], format = String } = axisLayout(sweepAxis("gain", values));
    expect(ticks.length).toBeLessThanOrEqual(12);
    expect(ticks.map((t) => Number(format(t))).every((v) => values.includes(v))).toBe(true);
  });

  test("spread-out indices keep both ends and never repeat", () => {
    for (const n of [1, 2, 5, 6, 7, 30]) {
      const chosen = spreadOut(n, 6);
      expect(chosen[0]).toBe(0);
      expect(chosen[chosen.length - 1]).toBe(n - 1);
      expect(new Set(chosen).size).toBe(Math.min(n, 6));
    }
  });
});

describe("table", () => {
  test("axes are what differs between conditions, not between networks", () => {
    const records = syntheticSweep({ axes: { friction: [0.2, 0.5, 1] }, networks: 2 });
    const own = new Map(
      [...records].map(([name, list]) => [
        name,
        list.map((r) => ({ ...r, parameters: { ...r.parameters, leak: 0.1 * (r.network + 1) } })),
      ]),
    );
    expect(sweepTable(own).axes.map((a) => a.name)).toEqual(["friction"]);
    expect(table.axes.map((a) => a.name)).toEqual(["friction", "adaptStrength"]);
    expect(table.isGrid).toBe(true);
  });

  test("a random sample is not a grid, half a grid is", () => {
    const all = [...syntheticSweep(GRID)];
    const random = all.filter((_, i) => i % 11 === 0);
    expect(sweepTable(new Map(random)).isGrid).toBe(false);
    expect(sweepTable(new Map(all.slice(0, 60))).isGrid).toBe(true);
  });

  test("mean, spread and divergence are those over networks", () => {
    const c = at(table, 1, 0);
    const values = c.records.map((r) => r.values.track as number);
    const mean = values.reduce((a, b) => a + b) / 3;
    expect(spreadAt(c, "track").mean).toBeCloseTo(mean, 14);
    expect(spreadAt(c, "track").sd).toBeCloseTo(Math.sqrt(values.reduce((a, v) => a + (v - mean) ** 2, 0) / 2), 14);
    expect(isDiverged(at(table, 0.1, 0))).toBe(true);
    expect(isDiverged(c)).toBe(false);
    const half = (shares: number[]): SweepCondition => ({
      name: "x",
      at: [],
      records: shares.map((diverged, network): SweepRecord => ({ network, parameters: {}, values: { diverged } })),
    });
    expect(divergedShare(half([1, 0]))).toBe(0.5);
    // Half is not more than half.
    expect(isDiverged(half([1, 0]))).toBe(false);
    expect(isDiverged(half([1, 0.1]))).toBe(true);
    expect(isDiverged(half([Number.NaN]))).toBe(false);
  });

  test("a ratio is shown where every network has one, other means where half of them do", () => {
    const of = (...values: number[]): SweepCondition => ({
      name: "x",
      at: [],
      records: values.map((v, network) => ({
        network,
        parameters: {},
        values: { track: v, compression_reach: v, diverged: 0 },
      })),
    });
    const none = Number.NaN;
    expect(["track", "compression_reach"].map((m) => isShown(of(1, 2, none, none), m))).toEqual([true, false]);
    expect(["track", "compression_reach"].map((m) => isShown(of(1, none, none), m))).toEqual([false, false]);
    expect(["track", "compression_reach"].map((m) => isShown(of(1, 2), m))).toEqual([true, true]);
    expect(isShown(of(none, none), "track")).toBe(false);
    expect(isShown(at(table, 0.1, 0), "reach_rmean")).toBe(false);
  });

  test("the reference is the one condition without momentum and adaptation", () => {
    expect(referenceCondition(table)).toBe(at(table, 1, 0));
    const none = sweepTable(syntheticSweep({ axes: { friction: [0.2, 0.3, 0.4] }, networks: 1 }));
    expect(referenceCondition(none)).toBeUndefined();
    const two = sweepTable(syntheticSweep({ axes: { friction: [0.5, 1], adaptTau: [50, 100] }, networks: 1 }));
    expect(referenceCondition(two)).toBeUndefined();
  });

  test("metrics fit the maze, and are there", () => {
    expect(mainMetrics(table, "open")).toEqual(["reach_rmean", "compression_reference", "track", "offpath"]);
    expect(mainMetrics(table, "free")).toEqual(["speed5"]);
  });
});

describe("colours", () => {
  const luminance = (rgb: string): number => {
    const [r, g, b] = (rgb.match(/\d+/g) as string[]).map(Number) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  test("larger is lighter on a sequential scale", () => {
    const { colour } = sequentialScale([2, 4]);
    const lights = linear(2, 4, 20).map((v) => luminance(colour(v)));
    expect(lights).toEqual([...lights].sort((a, b) => a - b));
    expect(new Set(lights).size).toBe(20);
  });

  test("twice and half are equally far from 1, which is lightest", () => {
    const { domain, colour } = ratioScale([0.9, 1, 2]);
    expect(domain).toEqual([0.5, 2]);
    expect(luminance(colour(1))).toBeGreaterThan(luminance(colour(1.3)));
    expect(luminance(colour(1))).toBeGreaterThan(luminance(colour(1 / 1.3)));
    expect(colour(2)).not.toBe(colour(0.5));
  });

  test("one outlier does not take all colours, and the bar says that it is there", () => {
    const values = [...linear(1, 2, 300), 1e6];
    const scale = sequentialScale(values);
    expect(scale.domain[1]).toBeLessThan(2.01);
    expect([scale.below, scale.above]).toEqual([false, true]);
    const plain = sequentialScale(linear(1, 2, 300));
    expect([plain.domain, plain.below, plain.above]).toEqual([[1, 2], false, false]);
  });

  test("equal, missing and infinite values have colours, too", () => {
    for (const values of [[], [3], [3, 3], [Number.NaN], [Number.POSITIVE_INFINITY, 1]]) {
      for (const scale of [sequentialScale(values), ratioScale(values)]) {
        expect(scale.domain.every(Number.isFinite)).toBe(true);
        expect(scale.domain[1]).toBeGreaterThan(scale.domain[0]);
        expect(scale.colour(3)).toMatch(/^rgb\(\d+,\d+,\d+\)$/);
      }
    }
  });
});

/** Rectangles `M l t H r V b …` of every path with a fill that matches. */
function cellsOf(svg: string, fill: RegExp): { readonly x: number; readonly y: number; readonly fill: string }[] {
  return [...svg.matchAll(/<path d="([^"]*)" fill="([^"]*)"\/>/g)].flatMap(([, d, colour]) =>
    fill.test(colour as string)
      ? [...(d as string).matchAll(/M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)H/g)].map(([, l, t, r, b]) => ({
          x: (Number(l) + Number(r)) / 2,
          y: (Number(t) + Number(b)) / 2,
          fill: colour as string,
        }))
      : [],
  );
}

describe("phase diagrams", () => {
  const plane = { x: 0, y: 1 };
  const [phase] = figuresPhase(table, plane, ["track"], "mean", "phase");
  const body = phase?.figure.body ?? "";
  const diverged = table.conditions.filter(isDiverged);

  test("every condition is one cell, coloured or hatched", () => {
    expect(planeOf(table)).toEqual(plane);
    expect(diverged.length).toBeGreaterThan(0);
    expect(cellsOf(body, /^rgb/).length).toBe(70 - diverged.length);
    expect(cellsOf(body, /^url\(#hatch-phase\)/).length).toBe(diverged.length);
    expect(body).toContain('<pattern id="hatch-phase"');
  });

  test("a cell lies where its parameters are and has the colour of its number", () => {
    const scale = sequentialScale(table.conditions.filter((c) => !isDiverged(c)).map((c) => spreadAt(c, "track").mean));
    const cells = cellsOf(body, /^rgb/);
    for (const [friction, strength] of [
      [1, 0],
      [1, 0.3],
      [0.5, 0.1],
    ] as const) {
      const x = 54 + 360 * ((friction - 0.05) / 1);
      const y = 26 + 290 * (1 - (strength + 0.025) / 0.35);
      const cell = cells.find((c) => Math.abs(c.x - x) < 1 && Math.abs(c.y - y) < 1);
      expect(cell?.fill).toBe(scale.colour(spreadAt(at(table, friction, strength), "track").mean));
    }
  });

  test("neither divergence nor spread draws what is not there", () => {
    const calm = sweepTable(syntheticSweep({ ...GRID, axes: { ...GRID.axes, friction: linear(0.6, 1, 5) } }));
    const [mean] = figuresPhase(calm, plane, ["track"], "mean", "p");
    expect(mean?.figure.body).not.toContain("url(#");
    const single = sweepTable(syntheticSweep({ ...GRID, networks: 1 }));
    const [sd] = figuresPhase(single, plane, ["track"], "sd", "p");
    expect(cellsOf(sd?.figure.body ?? "", /^rgb/)).toEqual([]);
  });

  test("a third parameter makes a figure for each of its values, with the same colours", () => {
    const deep = sweepTable(
      syntheticSweep({
        axes: { friction: linear(0.5, 1, 5), adaptStrength: linear(0, 0.3, 4), adaptTau: [50, 200] },
        networks: 1,
      }),
    );
    const { slices, left } = slicesOf(deep, plane);
    expect(slices.map((s) => [s.label, s.conditions.length])).toEqual([
      ["τₐ 50", 20],
      ["τₐ 200", 20],
    ]);
    expect(left).toBe(0);
    const [a, b] = figuresPhase(deep, plane, ["track"], "mean", "phase").map((f) => f.figure);
    expect([a?.name, b?.name]).toEqual(["phase-1", "phase-2"]);
    // The synthetic numbers do not know τ, so equal colours mean equal scales.
    expect(cellsOf(a?.body ?? "", /^rgb/)).toEqual(cellsOf(b?.body ?? "", /^rgb/));
  });

  test("a few values are curves, many conditions are not", () => {
    const narrow = sweepTable(
      syntheticSweep({ axes: { friction: [1, 0.6, 0.3], adaptStrength: linear(0, 0.2, 11) }, networks: 2 }),
    );
    expect(planeOf(narrow)).toBeNull();
    const plan = curvesOf(narrow);
    expect(plan?.lines.map((l) => [l.label, l.conditions.length])).toEqual([
      ["λ 1", 11],
      ["λ 0.6", 11],
      ["λ 0.3", 11],
    ]);
    const along = (plan?.lines[0]?.conditions ?? []).map((c) => c.at[1]);
    expect(along).toEqual(linear(0, 0.2, 11));
    expect(
      curvesOf(
        sweepTable(syntheticSweep({ ...GRID, axes: { friction: linear(0, 1, 9), adaptStrength: linear(0, 1, 9) } })),
      ),
    ).toBeNull();
  });

  test("curves stop where rollouts diverge, and say so", () => {
    const line = sweepTable(syntheticSweep({ axes: { friction: linear(0.05, 1, 20) }, networks: 3 }));
    const plan = curvesOf(line);
    if (!plan) throw new Error("one axis makes curves");
    const figure = figureCurves(line, plan, ["reach_rmean", "compression_reference"]);
    expect(figure.body).toContain("more than half of the rollouts diverged");
    expect(figure.body).not.toContain("NaN");
    expect(figure.body).not.toContain("Infinity");
  });

  test("every figure is well-formed, whatever is missing", () => {
    const holes = sweepTable(
      new Map(
        [...syntheticSweep(GRID)].map(([name, records]) => [
          name,
          records.map((r) => ({
            ...r,
            values: { ...r.values, track: Number.NaN, reach_median: Number.POSITIVE_INFINITY },
          })),
        ]),
      ),
    );
    const metrics = ["track", "reach_median", "reach_rmean"];
    const figures = [
      ...figuresPhase(holes, plane, metrics, "mean", "a").map((f) => f.figure),
      ...figuresPhase(holes, plane, metrics, "sd", "b").map((f) => f.figure),
      figureScatter(holes, metrics),
    ];
    for (const figure of figures) {
      expect(figure.body).not.toMatch(/NaN|Infinity|undefined/);
      expect(parseHTML(standaloneSvg(figure)).document.querySelector("svg")).not.toBeNull();
    }
    const bare = (metric: string) => figuresPhase(holes, plane, [metric], "mean", "c")[0]?.figure.body;
    expect(bare("track")).toContain(">not defined<");
    expect(bare("compression_laps")).toContain("median rollout never arrives");
    expect(bare("reach_rmean")).not.toMatch(/not defined|never arrives/);
  });
});

describe("data behind the figures", () => {
  test("one line per condition and metric, with every network", () => {
    const rows = parseCsv(metricsBehind(table, ["track", "reach_rmean"]), "behind");
    expect(rows.length).toBe(140);
    const c = at(table, 0.6, 0.1);
    const row = rows.find((r) => r.condition === c.name && r.metric === "reach_rmean");
    expect(row).toMatchObject({ friction: "0.6", adaptStrength: "0.1", unit: "steps", n: "3" });
    // Written with seven digits.
    const digits = (x: number | undefined): number => Number(x?.toPrecision(7));
    expect(Number(row?.mean)).toBe(digits(spreadAt(c, "reach_rmean").mean));
    expect(Number(row?.sd)).toBe(digits(spreadAt(c, "reach_rmean").sd));
    expect(Number(row?.network_2)).toBe(digits(c.records[2]?.values.reach_rmean));
    expect([row?.diverged, row?.shown]).toEqual(["0", "1"]);
  });
});

describe("panels", () => {
  test("lie as the parameters do: the first axis to the right, the second upwards", () => {
    const layout = panelLayout(table);
    expect(layout.columns).toEqual(["λ 0.1", "λ 0.3", "λ 0.5", "λ 0.6", "λ 0.8", "λ 1"]);
    expect(layout.lines.length).toBe(5);
    expect([layout.lines[0], layout.lines[4]]).toEqual(["bₐ 0.3", "bₐ 0"]);
    expect(layout.cells.length).toBe(30);
    const corner = layout.cells.find((c) => c.column === 5 && c.line === 4);
    expect(corner?.condition).toBe(at(table, 1, 0));
  });

  test("one axis, or none that makes a grid, gives each panel its own title", () => {
    const line = panelLayout(sweepTable(syntheticSweep({ axes: { friction: linear(0.1, 1, 30) }, networks: 1 })));
    expect(line.cells.length).toBe(12);
    expect(line.cells[0]?.title).toBe("λ 0.1");
    expect(new Set(line.cells.map((c) => `${c.column} ${c.line}`)).size).toBe(12);
  });
});

describe("reverie report on a sweep", () => {
  const folder = mkdtempSync(join(tmpdir(), "reverie-sweep-report-"));
  const sweep = join(folder, "sweep");
  const silent = (): void => {};
  let reported: ReportedSweep;
  beforeAll(async () => {
    mkdirSync(sweep);
    writeSyntheticSweep(
      sweep,
      { axes: { friction: linear(0.1, 1, 10), adaptStrength: linear(0, 0.3, 7) }, networks: 2 },
      { shards: true },
    );
    reported = await reportOfSweep(sweep, join(folder, "out"), undefined, silent);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("writes a page that stands alone, its figures and their data", () => {
    const { written, conditions } = reported;
    expect(conditions).toBe(70);
    const names = written.figures.map((f) => f.slice(join(folder, "out").length + 1));
    for (const stem of ["phase", "phase-sd", "trajectories", "occupancy"]) expect(names).toContain(`${stem}.svg`);
    for (const stem of ["phase", "trajectories", "occupancy"]) expect(names).toContain(`${stem}.csv`);
    const html = readFileSync(written.html, "utf8");
    expect(html).not.toMatch(/NaN|undefined|Infinity/);
    expect(html).not.toMatch(/(src|href)="(https?:|\/)/);
    const { document } = parseHTML(html);
    const links = [...document.querySelectorAll("a")].map((a) => a.getAttribute("href") as string);
    expect(links.every((l) => names.includes(l))).toBe(true);
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.getAttribute("id"));
    expect(new Set(ids).size).toBe(ids.length);
    expect(html).toContain("plain replay");
    expect(html).toContain("2 of 64 units from tmaze");
  });

  test("a panel draws the rollouts of its own condition, out of the right shard", () => {
    const rows = readCsv(join(folder, "out", "trajectories.csv"));
    // Each network's first rollout at step 1: 0.3 sin(network + row of the shard) + condition / 1000.
    for (const row of rows.filter((r) => r.step === "1" && r.repeat === "0")) {
      const condition = Number(row.condition);
      const shardRow = (condition % 7) * 4;
      const x = 0.3 * Math.sin(Number(row.network) + shardRow) + condition * 1e-3;
      // float32 on the disk.
      expect(Number(row.x)).toBeCloseTo(x, 6);
    }
    expect(new Set(rows.map((r) => r.condition)).size).toBe(30);
  });

  test("occupancy is a share of all steps", () => {
    const rows = readCsv(join(folder, "out", "occupancy.csv")).filter((r) => r.condition === "0");
    expect(rows.map((r) => Number(r.share))).toEqual([0.1, 0.2, 0.3, 0.4]);
    // Cell 190 is column 10 of line 9 of a box from −1.3 m to 1.3 m with cells of 0.13 m.
    expect([Number(rows[0]?.x), Number(rows[0]?.y)]).toEqual([0.065, -0.065]);
  });

  test("metrics can be chosen, by names that are there", async () => {
    await reportOfSweep(sweep, join(folder, "chosen"), ["speed5"], silent);
    expect(new Set(readCsv(join(folder, "chosen", "phase.csv")).map((r) => r.metric))).toEqual(new Set(["speed5"]));
    await expect(reportOfSweep(sweep, join(folder, "chosen"), ["speed"], silent)).rejects.toThrow(UsageError);
  });

  test("an unfinished sweep is drawn as far as it is, and says so; one without results is refused", async () => {
    const part = join(folder, "part");
    mkdirSync(part);
    writeSyntheticSweep(
      part,
      { axes: { friction: linear(0.1, 1, 6), adaptStrength: linear(0, 0.3, 4) }, networks: 2 },
      { keep: 31, task: triangleTask("oneWay") },
    );
    const { written, conditions } = await reportOfSweep(part, join(folder, "part-out"), undefined, silent);
    expect(conditions).toBe(16);
    expect(readFileSync(written.html, "utf8")).toContain("Not finished: 31 of 48 results");
    const empty = join(folder, "empty");
    mkdirSync(empty);
    writeSyntheticSweep(empty, { axes: { friction: [0.5, 1] }, networks: 1 }, { keep: 0 });
    await expect(reportOfSweep(empty, join(folder, "empty-out"), undefined, silent)).rejects.toThrow(DataError);
  });

  test("the maze's own geometry decides what is drawn", () => {
    expect(geometryOf(triangleTask("oneWay")).kind).toBe("closed");
    expect(mainMetrics(table, "closed")).toContain("compression_reference");
  });
});
