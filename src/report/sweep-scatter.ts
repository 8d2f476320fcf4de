import * as Plot from "@observablehq/plot";
import { rangeOf } from "../metrics/statistics.ts";
import { chart, xAxis, yAxis } from "./chart.ts";
import { type Figure, fitText, text } from "./svg.ts";
import { axisLayout, type SweepAxis } from "./sweep-axes.ts";
import { isDiverged, isShown, metricLabel, type SweepTable, spreadAt } from "./sweep-table.ts";
import { conditionColour, MUTED } from "./theme.ts";

/** A list or a random sample of conditions: every metric against every parameter, a dot per condition. */

const MAX_AXES = 4;
const [WIDTH, HEIGHT, HEAD, GAP, ROW_GAP] = [1000, 220, 24, 16, 14];

export function figureScatter(table: SweepTable, metrics: readonly string[]): Figure {
  const axes = table.axes.slice(0, MAX_AXES);
  const panelWidth = Math.min(484, (WIDTH - GAP * (axes.length - 1)) / axes.length);
  const rows = metrics.map((metric, line) => {
    const y = line * (HEAD + HEIGHT + ROW_GAP);
    const spreads = table.conditions
      .filter((c) => isShown(c, metric))
      .map((c) => ({ at: c.at, ...spreadAt(c, metric) }))
      .filter((p) => Number.isFinite(p.mean));
    const bars = spreads.map((p) => ({ ...p, sd: Number.isNaN(p.sd) ? 0 : p.sd }));
    const ends = bars.flatMap((p) => [p.mean - p.sd, p.mean + p.sd]);
    const [low, high] = ends.length === 0 ? [0, 1] : rangeOf(ends);
    const margin = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    const panels = axes.map((axis: SweepAxis, i) => {
      const layout = axisLayout(axis);
      const points = bars.map((p) => ({
        x: layout.at(p.at[i] as number),
        y: p.mean,
        low: p.mean - p.sd,
        high: p.mean + p.sd,
      }));
      const lost = table.conditions
        .filter(isDiverged)
        .map((c) => ({ x: layout.at(c.at[i] as number), y: low - margin * 0.4 }));
      // A random sample has no cells: the axis runs from the smallest to the largest value.
      const [a, b] = rangeOf(points.concat(lost.map((l) => ({ ...l, low: 0, high: 0 }))).map((p) => p.x));
      const room = (b - a) * 0.04 || 1;
      return chart(
        {
          width: panelWidth,
          height: HEIGHT,
          x: layout.type === "log" ? { type: "log", domain: [...layout.domain] } : { domain: [a - room, b + room] },
          y: { domain: [low - margin, high + margin] },
          marks: [
            ...yAxis({ label: "", ticks: 5 }),
            ...xAxis({ label: axis.title, ...ticksFor(axis, panelWidth) }),
            Plot.link(points, {
              x1: "x",
              x2: "x",
              y1: "low",
              y2: "high",
              stroke: conditionColour(1),
              strokeOpacity: 0.35,
            }),
            Plot.dot(points, { x: "x", y: "y", r: 2.6, fill: conditionColour(1), fillOpacity: 0.8 }),
            Plot.dot(lost, { x: "x", y: "y", r: 3.2, symbol: "times", stroke: MUTED, strokeWidth: 1.3 }),
          ],
        },
        i * (panelWidth + GAP),
        y + HEAD,
      );
    });
    return text(0, y + 12, fitText(metricLabel(metric), 13, WIDTH), { size: 13, weight: 600 }) + panels.join("");
  });
  const bottom = metrics.length * (HEAD + HEIGHT + ROW_GAP) - ROW_GAP;
  const hasLost = table.conditions.some(isDiverged);
  const note = hasLost
    ? `<path d="M58 ${bottom + 8}l7 7m0-7l-7 7" stroke="${MUTED}" stroke-width="1.4" fill="none"/>` +
      text(74, bottom + 16, "more than half of the rollouts diverged", { size: 11.5 })
    : "";
  return {
    name: "scatter",
    width: axes.length * panelWidth + (axes.length - 1) * GAP,
    height: bottom + (hasLost ? 26 : 0),
    body: rows.join("") + note,
    description: `${metrics.map(metricLabel).join(", ")} of each condition against ${axes.map((a) => a.title).join(", ")}.`,
  };
}

/** The values of a short ordinal axis by their labels, else round numbers. */
function ticksFor(axis: SweepAxis, width: number): { ticks: number | number[]; format?: (v: number) => string } {
  const layout = axisLayout(axis);
  if (layout.ticks === undefined || layout.format === undefined) return { ticks: Math.round(width / 70) };
  return { ticks: [...layout.ticks], format: layout.format };
}
