import * as Plot from "@observablehq/plot";
import { spreadOf } from "../metrics/csv.ts";
import { rangeOf } from "../metrics/statistics.ts";
import { definitionOf, type MetricName } from "../metrics/table.ts";
import { chart, MARGINS, type Mark, xAxis, yAxis } from "./chart.ts";
import type { ReportInput } from "./input.ts";
import { type Frame, LABEL_SIZE, type Label, placeLabels } from "./labels.ts";
import { legend } from "./legend.ts";
import { type Figure, fitText } from "./svg.ts";
import { conditionColour, PAPER } from "./theme.ts";

/** What is drawn against what: mazes have goals and a track, free paths have neither. */
export function explorationAxes(input: ReportInput): { readonly x: MetricName; readonly y: MetricName } {
  return input.geometry.goals.length > 0 ? { x: "reach_rmean", y: "track" } : { x: "speed5", y: "cells" };
}

const TITLES: Partial<Record<MetricName, string>> = {
  reach_rmean: "mean reach time (steps)",
  track: "track coverage (share of the maze)",
  speed5: "speed (m/step)",
  cells: "cells visited (of 400)",
};

/** More names than this would lie on each other; a legend takes them. */
const MAX_LABELS = 6;

/** Exploration against time: every network a small dot, every condition a large one with its spread. */
export function figureExploration(input: ReportInput): Figure {
  const axes = explorationAxes(input);
  const title = (name: MetricName): string => {
    const { meaning, unit } = definitionOf(name);
    return TITLES[name] ?? `${meaning.split(",")[0]}${unit === "" ? "" : ` (${unit})`}`;
  };
  const marks: Mark[] = [];
  const front: Mark[] = [];
  const values: { x: number; y: number }[] = [];
  const labels: Label[] = [];
  input.conditions.forEach((condition, i) => {
    const own = input.records
      .filter((r) => r.condition === condition.name)
      .map((r) => ({ x: r.values[axes.x], y: r.values[axes.y] }))
      .filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y));
    if (own.length === 0) return;
    const colour = conditionColour(i);
    const [x, y] = [spreadOf(own.map((p) => p.x)), spreadOf(own.map((p) => p.y))];
    values.push(...own);
    labels.push({ at: { x: x.mean, y: y.mean }, label: fitText(condition.label, LABEL_SIZE, 180), colour });
    marks.push(Plot.dot(own, { x: "x", y: "y", r: 2.6, fill: colour, fillOpacity: 0.5 }));
    const bars = [
      { x1: x.mean - x.sd, x2: x.mean + x.sd, y1: y.mean, y2: y.mean },
      { x1: x.mean, x2: x.mean, y1: y.mean - y.sd, y2: y.mean + y.sd },
    ].filter((b) => [b.x1, b.x2, b.y1, b.y2].every(Number.isFinite));
    values.push(
      ...bars.flatMap((b) => [
        { x: b.x1, y: b.y1 },
        { x: b.x2, y: b.y2 },
      ]),
    );
    front.push(Plot.link(bars, { x1: "x1", x2: "x2", y1: "y1", y2: "y2", stroke: colour, strokeWidth: 1.4 }));
    front.push(
      Plot.dot([{ x: x.mean, y: y.mean }], { x: "x", y: "y", r: 6, fill: colour, stroke: PAPER, strokeWidth: 1.5 }),
    );
  });
  const domain = (of: (p: { x: number; y: number }) => number): [number, number] => {
    const all = values.map(of);
    if (all.length === 0) return [0, 1];
    const [low, high] = rangeOf(all);
    const margin = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
    return [low - margin, high + margin];
  };
  const [width, height] = [490, 330];
  const frame: Frame = { width, height, x: domain((p) => p.x), y: domain((p) => p.y) };
  const isCrowded = labels.length > MAX_LABELS;
  const key = legend(isCrowded ? labels : [], MARGINS.marginLeft, 10, width - 70);
  for (const { at, place, label, colour } of isCrowded ? [] : placeLabels(labels, values, frame)) {
    front.push(
      Plot.text([{ ...at, label }], {
        x: "x",
        y: "y",
        text: "label",
        dx: place.dx,
        dy: place.dy,
        textAnchor: place.anchor,
        fill: colour,
        stroke: PAPER,
        strokeWidth: 3,
        fontSize: LABEL_SIZE,
        fontWeight: 600,
      }),
    );
  }
  return {
    name: "exploration",
    width,
    height: height + key.height,
    body:
      key.body +
      chart(
        {
          width,
          height,
          x: { domain: frame.x },
          y: { domain: frame.y },
          marks: [
            ...yAxis({ label: title(axes.y), ticks: 6 }),
            ...xAxis({ label: title(axes.x), ticks: 7 }),
            ...marks,
            ...front,
          ],
        },
        0,
        key.height,
      ),
    description: `${title(axes.y)} against ${title(axes.x)}, per network and condition.`,
  };
}
