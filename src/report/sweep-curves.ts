import * as Plot from "@observablehq/plot";
import { rangeOf } from "../metrics/statistics.ts";
import { chart, type Mark, xAxis, yAxis } from "./chart.ts";
import { legend } from "./legend.ts";
import { type Figure, fitText, text } from "./svg.ts";
import { type AxisLayout, axisLayout, axisValueText, type SweepAxis } from "./sweep-axes.ts";
import {
  isDiverged,
  isRatio,
  isShown,
  metricLabel,
  type SweepCondition,
  type SweepTable,
  spreadAt,
} from "./sweep-table.ts";
import { conditionColour, MUTED, PAPER } from "./theme.ts";

/** Metrics along one parameter: the mean over networks, its spread, and every network. */

/** More lines than this are a map's work. */
const MAX_LINES = 6;
/** Single networks are drawn up to this many lines in a panel. */
const MAX_THIN = 24;

export interface CurvePlan {
  /** Index of the axis along which the curves run. */
  readonly along: number;
  /** One curve for each combination of the other axes' values. */
  readonly lines: readonly { readonly label: string; readonly conditions: readonly SweepCondition[] }[];
}

/** The longest axis, if the others have few enough values; null where curves would be a tangle. */
export function curvesOf(table: SweepTable): CurvePlan | null {
  if (!table.isGrid || table.axes.length === 0) return null;
  const lengths = table.axes.map((axis) => axis.values.length);
  const along = lengths.indexOf(Math.max(...lengths));
  const others = table.axes.map((axis, index) => ({ axis, index })).filter(({ index }) => index !== along);
  const labelOf = (c: SweepCondition): string =>
    others.map(({ axis, index }) => axisValueText(axis, c.at[index] as number)).join(", ");
  const lines = new Map<string, SweepCondition[]>();
  for (const c of table.conditions) {
    const label = labelOf(c);
    lines.set(label, [...(lines.get(label) ?? []), c]);
  }
  if (lines.size > MAX_LINES) return null;
  const place = (c: SweepCondition): number => c.at[along] as number;
  return {
    along,
    lines: [...lines].map(([label, conditions]) => ({
      label,
      conditions: [...conditions].sort((a, b) => place(a) - place(b)),
    })),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Band {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

const [WIDTH, HEIGHT, HEAD, COLUMN_GAP, ROW_GAP] = [484, 290, 24, 32, 14];

/** Gaps where a value is missing: Plot breaks a line at NaN. */
function marksOf(
  conditions: readonly SweepCondition[],
  place: (c: SweepCondition) => number,
  metric: string,
  colour: string,
  thin: boolean,
): { readonly back: Mark[]; readonly front: Mark[]; readonly shown: number[] } {
  const own = (c: SweepCondition, y: number): number => (isShown(c, metric) ? y : Number.NaN);
  const means: Point[] = conditions.map((c) => ({ x: place(c), y: own(c, spreadAt(c, metric).mean) }));
  const bands: Band[] = conditions.map((c) => {
    const { mean, sd } = spreadAt(c, metric);
    return { x: place(c), low: own(c, mean - sd), high: own(c, mean + sd) };
  });
  const networks = thin ? (conditions[0]?.records ?? []).map((r) => r.network) : [];
  const singles = networks.map((network) =>
    conditions.map((c) => ({
      x: place(c),
      y: isDiverged(c) ? Number.NaN : (c.records.find((r) => r.network === network)?.values[metric] ?? Number.NaN),
    })),
  );
  // Plot draws an infinite value somewhere far off, through the whole panel.
  const finite = (y: number): number => (Number.isFinite(y) ? y : Number.NaN);
  const line = (points: readonly Point[], width: number, opacity: number): Mark =>
    Plot.line(
      points.map((p) => ({ x: p.x, y: finite(p.y) })),
      { x: "x", y: "y", stroke: colour, strokeWidth: width, strokeOpacity: opacity },
    );
  return {
    back: [
      Plot.areaY(
        bands.map((b) => ({ x: b.x, low: finite(b.low), high: finite(b.high) })),
        { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.16 },
      ),
      ...singles.map((points) => line(points, 0.7, 0.4)),
    ],
    front: [
      line(means, 2.2, 1),
      Plot.dot(
        means.filter((p) => Number.isFinite(p.y)),
        { x: "x", y: "y", r: conditions.length > 25 ? 0 : 2.6, fill: colour, stroke: PAPER, strokeWidth: 0.8 },
      ),
    ],
    shown: [...means.map((p) => p.y), ...bands.flatMap((b) => [b.low, b.high]), ...singles.flat().map((p) => p.y)],
  };
}

function panel(table: SweepTable, plan: CurvePlan, metric: string, letter: string, x: number, y: number): string {
  const axis = table.axes[plan.along] as SweepAxis;
  const layout: AxisLayout = axisLayout(axis);
  const place = (c: SweepCondition): number => layout.at(c.at[plan.along] as number);
  const thin = table.networks > 1 && table.networks * plan.lines.length <= MAX_THIN;
  const lines = plan.lines.map(({ conditions }, i) => marksOf(conditions, place, metric, conditionColour(i + 1), thin));
  const values = lines.flatMap((l) => l.shown).filter(Number.isFinite);
  const [low, high] = values.length === 0 ? [0, 1] : rangeOf(values);
  const margin = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  const lost = plan.lines.flatMap(({ conditions }, i) =>
    conditions.filter(isDiverged).map((c) => ({ x: place(c), y: low - margin * 0.4, colour: conditionColour(i + 1) })),
  );
  const rule = isRatio(metric) && low < 1 && high > 1;
  const body = chart(
    {
      width: WIDTH,
      height: HEIGHT,
      x: { type: layout.type, domain: [...layout.domain] },
      y: { domain: [low - margin, high + margin] },
      marks: [
        ...yAxis({ label: "", ticks: 6 }),
        ...xAxis({
          label: axis.title,
          ...(layout.ticks === undefined ? { ticks: 7 } : { ticks: [...layout.ticks] }),
          ...(layout.format === undefined ? {} : { format: layout.format }),
        }),
        ...(rule ? [Plot.ruleY([1], { stroke: MUTED, strokeDasharray: "3 3" })] : []),
        ...lines.flatMap((l) => l.back),
        ...lines.flatMap((l) => l.front),
        Plot.dot(lost, { x: "x", y: "y", r: 3.4, symbol: "times", stroke: "colour", strokeWidth: 1.4 }),
      ],
    },
    x,
    y + HEAD,
  );
  return (
    text(x + 20, y + 12, letter, { size: 13, weight: 600 }) +
    text(x + 54, y + 12, fitText(metricLabel(metric), 13, WIDTH - 54), { size: 13, weight: 600 }) +
    body
  );
}

/** One panel per metric, two abreast. */
export function figureCurves(table: SweepTable, plan: CurvePlan, metrics: readonly string[]): Figure {
  const columns = Math.min(2, metrics.length);
  const width = columns * WIDTH + (columns - 1) * COLUMN_GAP;
  const entries = plan.lines.map(({ label }, i) => ({ label, colour: conditionColour(i + 1) }));
  const isOne = plan.lines.length === 1;
  const key = legend(isOne ? [] : entries, 54, 10, width - 60);
  const head = key.height === 0 ? 0 : key.height + 8;
  const pitch = HEAD + HEIGHT + ROW_GAP;
  const panels = metrics.map((metric, i) =>
    panel(
      table,
      plan,
      metric,
      String.fromCharCode(97 + i),
      (i % columns) * (WIDTH + COLUMN_GAP),
      head + Math.floor(i / columns) * pitch,
    ),
  );
  const hasLost = plan.lines.some((l) => l.conditions.some(isDiverged));
  const bottom = head + Math.ceil(metrics.length / columns) * pitch - ROW_GAP;
  const note = hasLost
    ? `<path d="M58 ${bottom + 8}l7 7m0-7l-7 7" stroke="${MUTED}" stroke-width="1.4" fill="none"/>` +
      text(74, bottom + 16, "more than half of the rollouts diverged", { size: 11.5 })
    : "";
  const axis = table.axes[plan.along] as SweepAxis;
  return {
    name: "curves",
    width,
    height: bottom + (hasLost ? 26 : 0),
    body: key.body + panels.join("") + note,
    description: `${metrics.map(metricLabel).join(", ")} against ${axis.title}${isOne ? "" : `, for ${entries.map((e) => e.label).join("; ")}`}; mean over networks, with one standard deviation.`,
  };
}
