import { type Spread, spreadOf } from "../metrics/csv.ts";
import type { Geometry } from "../metrics/geometry.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { formatSpread } from "./format.ts";
import type { Fact } from "./headline.ts";
import { STYLE } from "./style.ts";
import { escapeXml, type Figure, inlineSvg } from "./svg.ts";
import { axisValueText } from "./sweep-axes.ts";
import { metricsBehind, occupancyBehind, trajectoriesBehind } from "./sweep-csv.ts";
import { curvesOf, figureCurves } from "./sweep-curves.ts";
import { figureOccupancy, type Occupancy } from "./sweep-occupancy.ts";
import { panelLayout } from "./sweep-panels.ts";
import { figuresPhase, planeOf, slicesOf } from "./sweep-phase.ts";
import { figureScatter } from "./sweep-scatter.ts";
import {
  divergedShare,
  isRatio,
  isShown,
  mainMetrics,
  metricLabel,
  referenceCondition,
  type SweepCondition,
  type SweepRecord,
  type SweepTable,
  spreadAt,
} from "./sweep-table.ts";
import { figureTrajectories } from "./sweep-trajectories.ts";

/** Everything that the page of a sweep shows. */
export interface SweepReportInput {
  readonly title: string;
  readonly facts: readonly Fact[];
  /** Sentences that a reader must not miss. */
  readonly notices: readonly string[];
  readonly table: SweepTable;
  /** The awake trajectories of each network, for comparison; may be empty. */
  readonly awake: readonly SweepRecord[];
  readonly geometry: Geometry;
  /** Metrics to draw; those that answer "how fast, how far, how faithful" where none are named. */
  readonly metrics?: readonly string[];
  readonly occupancy: Occupancy;
  /** Decoded rollouts by condition, (network, time, repeat, 2), metres, of as many conditions as are to be drawn. */
  readonly positions: ReadonlyMap<string, Tensor>;
  /** Steps between two positions. */
  readonly every: number;
  /** sweep.json and manifest.json, shown as they are. */
  readonly definition: unknown;
  readonly manifest: unknown;
}

export interface SweepFigure {
  readonly figure: Figure;
  readonly title: string;
  /** Plain text. */
  readonly caption: string;
  /** What is drawn, as a table, and its file. */
  readonly data: { readonly name: string; readonly csv: string };
}

const HATCHED =
  "Hatched: more than half of the rollouts diverged. Grey: not defined; a ratio of times is shown only where the median rollout of every network arrives.";

/** The figures that a sweep's results allow, in the order of the page. */
export function sweepFigures(input: SweepReportInput): SweepFigure[] {
  const { table, geometry } = input;
  const metrics = input.metrics ?? mainMetrics(table, geometry.kind);
  const figures: SweepFigure[] = [];
  if (table.conditions.length === 0 || metrics.length === 0) return figures;
  const several = table.networks > 1;
  const ring = referenceCondition(table) ? " Ring: plain replay, without momentum and adaptation." : "";
  const over = several ? `mean over ${table.networks} networks` : "one network";
  const plane = planeOf(table);
  if (plane) {
    const { left } = slicesOf(table, plane);
    const rest = left > 0 ? ` ${left} more planes are in metrics.csv.` : "";
    const data = { name: "phase.csv", csv: metricsBehind(table, metrics) };
    for (const { figure, slice } of figuresPhase(table, plane, metrics, "mean", "phase")) {
      figures.push({
        figure,
        title: slice.label === "" ? "Phase diagram" : `Phase diagram, ${slice.label}`,
        caption: `Each cell: ${over}. ${HATCHED}${ring}${rest}`,
        data,
      });
    }
    if (several) {
      for (const { figure, slice } of figuresPhase(table, plane, metrics, "sd", "phase-sd")) {
        figures.push({
          figure,
          title: slice.label === "" ? "Spread over networks" : `Spread over networks, ${slice.label}`,
          caption: `Standard deviation over ${table.networks} independently trained networks of the numbers above.`,
          data,
        });
      }
    }
  }
  const curves = curvesOf(table);
  if (curves) {
    figures.push({
      figure: figureCurves(table, curves, metrics),
      title: "Curves",
      caption: several
        ? `Thick: mean over ${table.networks} networks; band: one standard deviation; thin: single networks.`
        : "One network.",
      data: { name: "curves.csv", csv: metricsBehind(table, metrics) },
    });
  }
  if (!plane && !curves && table.axes.length > 0) {
    figures.push({
      figure: figureScatter(table, metrics),
      title: "Every condition",
      caption: `A dot per condition: ${over}${several ? "; bars: one standard deviation" : ""}.`,
      data: { name: "scatter.csv", csv: metricsBehind(table, metrics) },
    });
  }
  const layout = panelLayout(table);
  if (layout.cells.some(({ condition }) => input.positions.has(condition.name))) {
    figures.push({
      figure: figureTrajectories(layout, geometry, input.positions, input.every),
      title: "Rollouts",
      caption: `Decoded positions in the maze, coloured by time; later steps lie on top. A few rollouts of every network${layout.cells.length < table.conditions.length ? `, ${layout.cells.length} of ${table.conditions.length} conditions` : ""}.`,
      data: { name: "trajectories.csv", csv: trajectoriesBehind(table, layout, input.positions, input.every) },
    });
  }
  if (layout.cells.some(({ condition }) => input.occupancy.has(condition.name))) {
    figures.push({
      figure: figureOccupancy(layout, geometry, input.occupancy),
      title: "Occupancy",
      caption:
        "Where the rollouts were: share of all steps, all networks and repeats together. Dashed: the maze. Rollouts that diverged are left out.",
      data: { name: "occupancy.csv", csv: occupancyBehind(table, layout, geometry, input.occupancy) },
    });
  }
  return figures;
}

interface Standout {
  readonly name: string;
  readonly records: readonly SweepRecord[];
  readonly where: string;
}

/** Where more diverge, the rest are a selection, and extremes are of their luck. */
const SOUND = 0.05;

/** The sound condition at which the mean of a metric is largest (sign 1) or smallest (−1). */
function extreme(table: SweepTable, metric: string, sign: 1 | -1): SweepCondition | undefined {
  let best: SweepCondition | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (const c of table.conditions) {
    const isCandidate = isShown(c, metric) && divergedShare(c) <= SOUND;
    const score = isCandidate ? sign * spreadAt(c, metric).mean : Number.NaN;
    if (score > most && Number.isFinite(score)) [best, most] = [c, score];
  }
  return best;
}

function standouts({ table, awake, geometry }: SweepReportInput): Standout[] {
  const where = (c: SweepCondition): string =>
    table.axes.map((axis, i) => axisValueText(axis, c.at[i] as number)).join(", ");
  const free = geometry.kind === "free";
  const found: readonly (readonly [name: string, c: SweepCondition | undefined])[] = [
    ["plain replay", referenceCondition(table)],
    ["fastest", free ? extreme(table, "speed5", 1) : extreme(table, "reach_rmean", -1)],
    ["explores most", extreme(table, geometry.bins.length === 0 ? "cells" : "track", 1)],
    ["closest to the maze", extreme(table, "offpath", -1)],
    ["closest to awake occupancy", extreme(table, "sw_binned", -1)],
  ];
  return [
    ...(awake.length > 0 ? [{ name: "awake", records: awake, where: "with input" }] : []),
    ...found.flatMap(([name, c]) => (c ? [{ name, records: c.records, where: where(c) }] : [])),
  ];
}

/** Networks that agree differ by the rounding of their mean, which is no spread. */
const withoutRounding = (s: Spread): Spread => (s.sd < 1e-12 * Math.abs(s.mean) ? { ...s, sd: 0 } : s);

function standoutTable(input: SweepReportInput): string {
  const columns = standouts(input);
  const metrics = [
    ...new Set([
      ...(input.metrics ?? mainMetrics(input.table, input.geometry.kind)),
      ...["reach_fraction", "speed5", "sw_binned", "diverged"].filter((m) => input.table.metrics.includes(m)),
    ]),
  ];
  if (columns.length === 0) return "";
  const head = columns.map(
    (c) => `<th scope="col">${escapeXml(c.name)}<span class="meaning">${escapeXml(c.where)}</span></th>`,
  );
  const rows = metrics.map((metric) => {
    const cells = columns.map(({ records }) => {
      const spread = withoutRounding(spreadOf(records.map((r) => r.values[metric] ?? Number.NaN)));
      if (isRatio(metric) && spread.n < records.length) return "<td>–</td>";
      const { mean, sd } = formatSpread(spread);
      return `<td>${mean}${sd === "" ? "" : `<span class="sd"> ± ${sd}</span>`}</td>`;
    });
    return `<tr><th scope="row">${escapeXml(metricLabel(metric))}<span class="meaning"><code>${escapeXml(metric)}</code></span></th>${cells.join("")}</tr>`;
  });
  return `<section id="numbers"><h2>Conditions that stand out</h2>
<div class="scroll"><table><thead><tr><th scope="col">metric</th>${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>
<p class="note">${input.table.networks > 1 ? `Mean ± standard deviation over ${input.table.networks} networks. ` : ""}Extremes are of the mean, among the conditions where at most one rollout in twenty diverged; of many conditions, some stand out by chance. A ratio of times needs every network to arrive. Every network and condition is in <code>metrics.csv</code>.</p></section>`;
}

const json = (value: unknown): string => escapeXml(JSON.stringify(value, null, 1) ?? "");

/** The page as one HTML document that refers to nothing outside itself but the tables beside it. */
export function sweepHtml(input: SweepReportInput, figures: readonly SweepFigure[] = sweepFigures(input)): string {
  const facts = input.facts
    .map(
      (f) =>
        `<div><dt>${escapeXml(f.name)}</dt><dd${f.isWarning === true ? ' class="warning"' : ""}>${escapeXml(f.value)}</dd></div>`,
    )
    .join("");
  const notices =
    input.notices.length === 0
      ? ""
      : `<ul class="notices">${input.notices.map((n) => `<li>${escapeXml(n)}</li>`).join("")}</ul>`;
  const sections = figures.map(
    ({ figure, title, caption, data }) => `<section id="${figure.name}"><h2>${escapeXml(title)}</h2>
<figure><div class="drawing${figure.width > 700 ? " wide" : ""}" style="max-width:${Math.round(figure.width)}px">${inlineSvg(figure)}</div>
<figcaption>${escapeXml(caption)} Data: <a href="${data.name}">${data.name}</a>.</figcaption></figure></section>`,
  );
  const [first = "", ...others] = sections;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(input.title)} · reverie</title>
<style>${STYLE}a{color:inherit}</style>
</head>
<body>
<main>
<header><p class="kicker">reverie · sweep report</p><h1>${escapeXml(input.title)}</h1>
<dl class="facts">${facts}</dl>${notices}</header>
${first}
${standoutTable(input)}
${others.join("\n")}
<section id="provenance"><h2>Provenance</h2>
<details><summary>Sweep</summary><pre>${json(input.definition)}</pre></details>
<details><summary>Manifest</summary><pre>${json(input.manifest)}</pre></details></section>
</main>
</body>
</html>
`;
}
