import { type Spread, spreadOf } from "../metrics/csv.ts";
import type { Geometry } from "../metrics/geometry.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import type { Surroundings } from "./environment.ts";
import type { Fact } from "./headline.ts";
import { environmentIn } from "./input.ts";
import { figureSection, type PageFigure, pageHtml, section } from "./page.ts";
import { playerSection, SIDE_BY_SIDE } from "./player.ts";
import { axisValueText, spreadOut } from "./sweep-axes.ts";
import { metricsBehind, occupancyBehind, trajectoriesBehind } from "./sweep-csv.ts";
import { curvesOf, figureCurves } from "./sweep-curves.ts";
import { coverageGrid, figureOccupancy, type Occupancy } from "./sweep-occupancy.ts";
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
import { spreadCell, table as tableHtml, textCell } from "./table.ts";
import { INK_PAIR } from "./theme.ts";

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
  /** What the geometry does not know: walls, place-cell centres. */
  readonly surroundings?: Surroundings;
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

const HATCHED =
  "Hatched: more than half of the rollouts diverged. Grey: not defined; a ratio of times is shown only where the median rollout of every network arrives.";

/** The figures that a sweep's results allow, in the order of the page. */
export function sweepFigures(input: SweepReportInput): PageFigure[] {
  const { table, geometry } = input;
  const environment = environmentIn(input);
  const metrics = input.metrics ?? mainMetrics(table, geometry.kind);
  const figures: PageFigure[] = [];
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
      figure: figureTrajectories(layout, environment, input.positions, input.every),
      title: "Rollouts",
      caption: `Decoded positions in the maze, coloured by time; later steps lie on top. A few rollouts of every network${layout.cells.length < table.conditions.length ? `, ${layout.cells.length} of ${table.conditions.length} conditions` : ""}.`,
      data: { name: "trajectories.csv", csv: trajectoriesBehind(table, layout, input.positions, input.every) },
    });
  }
  if (layout.cells.some(({ condition }) => input.occupancy.has(condition.name))) {
    figures.push({
      figure: figureOccupancy(layout, environment, coverageGrid(geometry), input.occupancy),
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
  const rows = metrics.map((metric) => ({
    title: metricLabel(metric),
    meaning: metric,
    cells: columns.map(({ records }) => {
      const spread = withoutRounding(spreadOf(records.map((r) => r.values[metric] ?? Number.NaN)));
      return isRatio(metric) && spread.n < records.length ? textCell("–") : spreadCell(spread);
    }),
  }));
  const heads = columns.map((c) => ({ title: c.name, detail: c.where }));
  const spread = input.table.networks > 1 ? `Mean ± standard deviation over ${input.table.networks} networks. ` : "";
  return section(
    "numbers",
    "Conditions that stand out",
    `${tableHtml("metric", heads, [{ rows }])}
<p class="note">${spread}Extremes are of the mean, among the conditions where at most one rollout in twenty diverged; of many conditions, some stand out by chance. A ratio of times needs every network to arrive. Every network and condition is in <code>metrics.csv</code>.</p>`,
  );
}

/** The rollouts of the conditions that are drawn, to be animated. */
function player(input: SweepReportInput): string {
  const { table: sweep, positions, every } = input;
  const shown = panelLayout(sweep).cells.filter(({ condition }) => positions.has(condition.name));
  const networks = Math.min(...shown.map(({ condition }) => positions.get(condition.name)?.shape[0] ?? 0));
  if (shown.length === 0 || networks === 0) return "";
  const label = (c: SweepCondition): string =>
    sweep.axes.map((axis, i) => axisValueText(axis, c.at[i] as number)).join(", ") || c.name;
  // Side by side: evenly spread over all that are drawn, the others after them.
  const first = spreadOut(shown.length, SIDE_BY_SIDE);
  const order = [...first, ...shown.map((_, i) => i).filter((i) => !first.includes(i))];
  return playerSection({
    environment: environmentIn(input),
    films: order.map((i) => {
      const { condition } = shown[i] as (typeof shown)[number];
      const tensor = positions.get(condition.name) as Tensor;
      return { label: label(condition), colour: INK_PAIR, tensor, firstStep: every, every };
    }),
    networks: Array.from({ length: networks }, (_, n) => `${n}`),
    caption: "Decoded rollouts without input.",
  });
}

/** The page as one HTML document that refers to nothing outside itself but the tables beside it. */
export function sweepHtml(input: SweepReportInput, figures: readonly PageFigure[] = sweepFigures(input)): string {
  const [first = "", ...others] = figures.map(figureSection);
  return pageHtml({
    kind: "sweep report",
    title: input.title,
    facts: input.facts,
    notices: input.notices,
    sections: [first, standoutTable(input), player(input), ...others],
    provenance: [
      { title: "Sweep", value: input.definition },
      { title: "Manifest", value: input.manifest },
    ],
  });
}
