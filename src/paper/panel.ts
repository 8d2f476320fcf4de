/** Panels of the reproduction's figures: estimates along a parameter, with their intervals as bands. */
import * as Plot from "@observablehq/plot";
import { rangeOf } from "../metrics/statistics.ts";
import { chart, type Mark, xAxis, yAxis } from "../report/chart.ts";
import type { Panel } from "../report/panels.ts";
import { fitText, text } from "../report/svg.ts";
import { INK, MUTED, PAPER } from "../report/theme.ts";
import type { Estimate } from "./evidence.ts";

export interface PanelLine {
  readonly colour: string;
  readonly dash?: string;
  /** NaN or an infinite end: the line, or its band, has a gap. */
  readonly points: readonly { readonly x: number; readonly estimate: Estimate }[];
}

export interface PanelOptions {
  readonly title: string;
  readonly letter: string;
  readonly xLabel: string;
  readonly xTicks: readonly number[];
  readonly xType?: "linear" | "log";
  readonly yLabel?: string;
  /** Logarithmic axes have ticks at powers of ten; what is not positive is not drawn on them. */
  readonly yType?: "linear" | "log";
  readonly lines: readonly PanelLine[];
  /** What no value can be below: intervals are drawn down to it. */
  readonly least?: number;
  /** A dashed line across: no difference, say. */
  readonly rule?: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export const PANEL_HEAD = 24;

/** More points than this are a curve without dots. */
const MAX_DOTS = 25;

const finite = (y: number): number => (Number.isFinite(y) ? y : Number.NaN);

function marks(line: PanelLine, least: number): Mark[] {
  const points = line.points.map(({ x, estimate: e }) => ({
    x,
    y: finite(e.value),
    low: Math.max(least, finite(e.low)),
    high: finite(e.high),
  }));
  return [
    Plot.areaY(points, { x: "x", y1: "low", y2: "high", fill: line.colour, fillOpacity: 0.16 }),
    Plot.line(points, {
      ...{ x: "x", y: "y", stroke: line.colour, strokeWidth: 2.2 },
      ...(line.dash === undefined ? {} : { strokeDasharray: line.dash }),
    }),
    Plot.dot(
      points.filter((p) => Number.isFinite(p.y) && points.length <= MAX_DOTS),
      { x: "x", y: "y", r: 2.6, fill: line.colour, stroke: PAPER, strokeWidth: 0.8 },
    ),
  ];
}

/** Lowest and highest that is drawn, with some room around what is there. */
function domainOf(shown: readonly number[], o: Pick<PanelOptions, "yType" | "least">): [number, number] {
  const isLog = o.yType === "log";
  const values = shown.filter((y) => Number.isFinite(y) && (y > 0 || !isLog));
  if (values.length === 0) return isLog ? [0.1, 1] : [0, 1];
  const least = o.least ?? Number.NEGATIVE_INFINITY;
  const [low, high] = rangeOf(values.map((x) => Math.max(least, x)));
  if (isLog) return [low / 1.5, high * 1.5];
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [Math.max(least, low - margin), high + margin];
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 0.001 → "10⁻³" */
function powerText(x: number): string {
  const exponent = Math.round(Math.log10(x));
  const digits = [...String(Math.abs(exponent))].map((c) => SUPERSCRIPTS[Number(c)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** Powers of ten within the range, at most eight of them. */
function powers([low, high]: readonly [number, number]): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const step = Math.max(1, Math.ceil((last - first + 1) / 8));
  return Array.from({ length: Math.max(0, Math.floor((last - first) / step) + 1) }, (_, i) => 10 ** (first + i * step));
}

/** What `chart` draws of a panel. */
export function estimateOptions(o: Omit<PanelOptions, "width" | "height" | "letter">): Panel["options"] {
  const all = o.lines.flatMap((l) => l.points.map((p) => p.estimate));
  const shown = [...all.flatMap((e) => [e.value, e.low, e.high]), ...(o.rule === undefined ? [] : [o.rule])];
  const domain = domainOf(shown, o);
  const least = o.yType === "log" ? domain[0] : (o.least ?? Number.NEGATIVE_INFINITY);
  const logTicks = { ticks: powers(domain), format: powerText };
  const [first, last] = rangeOf(o.xTicks);
  return {
    x: { type: o.xType ?? "linear", domain: [first, last] },
    y: { type: o.yType ?? "linear", domain },
    marks: [
      ...yAxis({ label: o.yLabel ?? "", ...(o.yType === "log" ? logTicks : { ticks: 5 }) }),
      ...xAxis({ label: o.xLabel, ticks: [...o.xTicks], format: o.xType === "log" ? powerText : String }),
      ...(o.rule === undefined ? [] : [Plot.ruleY([o.rule], { stroke: MUTED, strokeDasharray: "3 3" })]),
      ...o.lines.flatMap((line) => marks(line, least)),
    ],
  };
}

/** A panel with its letter and title above it, at (x, y). */
export function estimatePanel(o: PanelOptions, x: number, y: number): string {
  return (
    text(x + 20, y + 12, o.letter, { size: 13, weight: 600 }) +
    text(x + 54, y + 12, fitText(o.title, 13, o.width - 54), { size: 13, weight: 600 }) +
    chart({ ...estimateOptions(o), width: o.width, height: o.height }, x, y + PANEL_HEAD)
  );
}

export interface IntervalRow {
  readonly label: string;
  readonly estimate: Estimate;
  readonly colour: string;
}

export interface IntervalOptions {
  readonly xLabel: string;
  /** A dashed line upright: no difference, say. */
  readonly rule?: number;
  /** What no value can be below: intervals are drawn down to it. */
  readonly least?: number;
  /** Room for the rows' labels, pixels. */
  readonly left?: number;
}

const shortNumber = (x: number): string => String(Number(x.toPrecision(2))).replace("-", "−");

/** One line for each row, from above: the mean as a dot, its interval as a bar. */
export function intervalOptions(rows: readonly IntervalRow[], o: IntervalOptions): Panel["options"] {
  const least = o.least ?? Number.NEGATIVE_INFINITY;
  const data = rows
    .filter((r) => Number.isFinite(r.estimate.value))
    .map(({ label, colour, estimate: e }) => ({
      label,
      colour,
      value: e.value,
      low: Math.max(least, e.low),
      high: e.high,
    }));
  const bars = data.filter((r) => Number.isFinite(r.low + r.high));
  const rule = o.rule === undefined ? [] : [o.rule];
  const [low, high] = rangeOf([...data.map((r) => r.value), ...bars.flatMap((r) => [r.low, r.high]), ...rule]);
  const margin = (high - low) * 0.06 || 1;
  return {
    marginLeft: o.left ?? 92,
    x: { domain: low <= high ? [Math.max(least, low - margin), high + margin] : [0, 1] },
    y: { type: "point", domain: rows.map((r) => r.label), padding: 0.6 },
    marks: [
      Plot.axisY({ tickSize: 0, label: null, fontSize: 10.5, color: INK }),
      ...xAxis({ label: o.xLabel, ticks: 4, format: shortNumber }),
      ...rule.map((x) => Plot.ruleX([x], { stroke: MUTED, strokeDasharray: "3 3" })),
      Plot.link(bars, { x1: "low", x2: "high", y1: "label", y2: "label", stroke: "colour", strokeWidth: 1.8 }),
      Plot.dot(data, { x: "value", y: "label", r: 3.4, fill: "colour", stroke: PAPER, strokeWidth: 0.8 }),
    ],
  };
}
