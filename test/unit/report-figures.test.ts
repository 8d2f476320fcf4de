import { describe, expect, test } from "vitest";
import { geometryOf } from "../../src/metrics/geometry.ts";
import type { Tensor } from "../../src/metrics/trajectories.ts";
import { environmentOf } from "../../src/report/environment.ts";
import { figureReach } from "../../src/report/figure-reach.ts";
import { figureReplays, niceLength } from "../../src/report/figure-replays.ts";
import { formatNumber, spreadText } from "../../src/report/format.ts";
import { describeCondition } from "../../src/report/input.ts";
import { choosePaths, pathPanel } from "../../src/report/paths.ts";
import { fitText, textWidth } from "../../src/report/svg.ts";
import { summaryTable } from "../../src/report/terminal.ts";
import { conditionColour, darkRules, RAMP_STEPS, rampColour } from "../../src/report/theme.ts";
import { tmazeTask } from "../../src/task/paths.ts";
import { SMALL, syntheticReport } from "./report-synthetic.ts";

const geometry = geometryOf(tmazeTask());
const input = syntheticReport(SMALL);

/** Path elements of a colour. */
const strokes = (svg: string, colour: string): string[] =>
  [...svg.matchAll(/<path d="([^"]*)" stroke="([^"]*)"/g)].filter((m) => m[2] === colour).map((m) => m[1] as string);

describe("paths coloured by time", () => {
  // One replay straight up the stem, 48 slots: two slots for each of the 24 colours of a linear scale.
  const T = 2 * RAMP_STEPS;
  const data = Float32Array.from({ length: T * 2 }, (_, i) => (i % 2 === 0 ? 0 : -1 + (i >> 1) * 0.03));
  const tensor: Tensor = { data, shape: [1, T, 1, 2] };
  const environment = environmentOf(geometry);
  const { view } = environment;
  const panel = pathPanel({
    environment,
    paths: choosePaths(tensor, 5),
    time: { end: T, kind: "linear" },
    firstStep: 0,
    every: 1,
    x: 0,
    y: 0,
    width: 272,
  });

  test("every step is drawn once, early colours at the start, late ones at the end", () => {
    const found = Array.from({ length: RAMP_STEPS }, (_, i) => strokes(panel, rampColour(i)));
    expect(found.every((f) => f.length === 1)).toBe(true);
    const segments = found.map((f) => (f[0]?.match(/l/g) ?? []).length);
    // The first slot only starts the path.
    expect(segments).toEqual([1, ...Array.from({ length: RAMP_STEPS - 1 }, () => 2)]);
    const heights = found.map((f) => Number(/^M\d+ (\d+)/.exec(f[0] as string)?.[1]));
    expect(heights.every(Number.isFinite)).toBe(true);
    expect(heights).toEqual([...heights].sort((a, b) => b - a));
    // Drawing units: 8 a pixel, 272 px for the width of the view; y downwards. To half a unit, which is 1/16 px.
    const unit = (272 * 8) / view.width;
    expect(Math.abs((heights[0] as number) - (view.y + view.height + 1) * unit)).toBeLessThanOrEqual(0.5);
  });

  test("the maze lies under them", () => {
    expect(panel.indexOf("stroke-dasharray")).toBeGreaterThan(0);
    expect(panel.indexOf("stroke-dasharray")).toBeLessThan(panel.indexOf(rampColour(0)));
  });

  test("rows are taken evenly from all networks", () => {
    const many: Tensor = { data: new Float32Array(3 * 2 * 96 * 2), shape: [3, 2, 96, 2] };
    const chosen = choosePaths(many, 30);
    expect(chosen.length).toBe(30);
    expect([0, 1, 2].map((n) => chosen.filter((c) => c.network === n).length)).toEqual([10, 10, 10]);
    expect(new Set(chosen.map((c) => `${c.network}/${c.row}`)).size).toBe(30);
    expect(Math.max(...chosen.map((c) => c.row))).toBeGreaterThan(80);
    expect(choosePaths(many, 4, [1]).every((c) => c.network === 1)).toBe(true);
    // A network with fewer rows than asked for gives those it has.
    expect(choosePaths({ data: new Float32Array(16), shape: [2, 2, 2, 2] }, 30).length).toBe(4);
  });
});

describe("figures", () => {
  test("one panel per condition, with its name, parameters and numbers", () => {
    const figure = figureReplays(input);
    for (const c of input.conditions) expect(figure.body).toContain(`>${c.label}</text>`);
    expect(figure.body).toContain("λ 0.6, bₐ 0.05, τₐ 200");
    expect((figure.body.match(/mean reach time/g) ?? []).length).toBe(4);
    expect((figure.body.match(/<svg /g) ?? []).length).toBe(4);
    expect(figure.width).toBe(1000);
  });

  test("a curve of reach times ends at the share that arrived", () => {
    const records = input.records.map((r) => ({
      ...r,
      reachTimes: Float64Array.from([20, 20, 40, Number.POSITIVE_INFINITY]),
    }));
    const only = input.conditions.slice(0, 1);
    const { body } = figureReach({ ...input, conditions: only, records });
    const [curve] = strokes(body, "none").concat(
      [...body.matchAll(/stroke="([^"]*)"[^>]*><path d="([^"]*)"/g)]
        .filter((m) => m[1] === conditionColour(0))
        .map((m) => m[2] as string),
    );
    const ys = [...(curve as string).matchAll(/,([\d.]+)/g)].map((m) => Number(m[1]));
    // The y axis runs from 286 px (0) to 12 px (1): 330 px high, margins 44 and 12. Two of four arrive at once.
    expect(Math.min(...ys)).toBeCloseTo(286 - 0.75 * 274, 1);
    expect(ys).toContainEqual(286 - 0.5 * 274);
  });

  test("every colour that a figure uses has a dark twin", () => {
    const rules = darkRules(".figure");
    const used = new Set(figureReplays(input).body.match(/#[0-9a-f]{6}/g));
    expect(used.size).toBeGreaterThan(20);
    for (const colour of used) expect(rules).toContain(`[stroke="${colour}"]`);
  });

  test("nice lengths", () => {
    expect([0.9, 1, 1.6, 4, 8, 70].map(niceLength)).toEqual([1, 1, 2, 5, 10, 50]);
  });
});

describe("numbers in words", () => {
  test("an sd has one digit, two where it begins with 1; the mean goes with it", () => {
    const of = (mean: number, sd: number): string => spreadText({ mean, sd, n: 3 });
    expect(of(80.23, 1.94)).toBe("80.2 ± 1.9");
    expect(of(0.7583, 0.0081)).toBe("0.758 ± 0.008");
    expect(of(150.4, 63.2)).toBe("150 ± 63");
    expect(of(12.34, 0.996)).toBe("12.3 ± 1.0");
    expect(of(-0.05, 0.02)).toBe("−0.05 ± 0.02");
    expect(of(3, 0)).toBe("3");
    expect(of(5, Number.NaN)).toBe("5");
    expect(of(Number.POSITIVE_INFINITY, Number.NaN)).toBe("∞");
    expect(of(Number.NaN, Number.NaN)).toBe("–");
    expect(spreadText({ mean: 0.0188765, sd: 0.00012, n: 3 }, 4)).toBe("0.0189 ± 0.0001");
  });

  test("plain numbers have three digits", () => {
    expect([0.0131234, 1234, 99.96, 1e-7, -2.5e9].map((x) => formatNumber(x))).toEqual([
      "0.0131",
      "1234",
      "100.0",
      "1.00·10⁻⁷",
      "−2.50·10⁹",
    ]);
  });

  test("conditions by their symbols", () => {
    expect(describeCondition({})).toBe("no momentum, no adaptation");
    expect(describeCondition({ friction: 0.6, noiseScale: Math.SQRT2, noiseFriction: false })).toBe(
      "noise × 1.414, λ 0.6, noise without √λ",
    );
  });

  test("texts are cut where they do not fit", () => {
    expect(fitText("short", 12, 200)).toBe("short");
    const cut = fitText("a rather long name for a panel", 12, 90);
    expect(cut.endsWith("…")).toBe(true);
    expect(textWidth(cut, 12)).toBeLessThanOrEqual(90);
  });
});

describe("the table in a terminal", () => {
  const lines = summaryTable(input.records, { both: "both of them" }).trimEnd().split("\n");

  test("has a line per condition, aligned, within 100 columns", () => {
    expect(lines.length).toBe(3 + 5 + 1);
    const table = lines.slice(0, -1);
    expect(new Set(table.filter((l) => !l.startsWith("condition")).map((l) => l.length)).size).toBe(1);
    expect(lines[0]?.length).toBe(lines[3]?.length);
    expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(100);
    expect(lines.slice(3, 8).map((l) => l.split("  ")[0])).toEqual([
      "awake",
      "plain",
      "adaptation",
      "momentum",
      "both of them",
    ]);
  });

  test("has the numbers of the records", () => {
    expect(lines[0]).toMatch(/reach +arrived +mean reach +speed +track +entries/);
    expect(lines[8]).toContain("over 2 networks");
    const plain = input.records.filter((r) => r.condition === "plain").map((r) => r.values.reach_rmean);
    const mean = ((plain[0] as number) + (plain[1] as number)) / 2;
    expect(lines[4]).toContain(String(Math.round(mean)));
  });

  test("of nothing is a heading", () => {
    expect(summaryTable([])).toContain("condition");
  });
});
