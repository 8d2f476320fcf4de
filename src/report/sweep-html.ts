import type { Geometry } from "../metrics/geometry.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import type { Surroundings } from "./environment.ts";
import type { Fact } from "./headline.ts";
import { environmentIn } from "./input.ts";
import { figureSection, type PageFigure, pageHtml } from "./page.ts";
import { playerSection } from "./player.ts";
import { axisValueText } from "./sweep-axes.ts";
import { metricsBehind, occupancyBehind, standoutsBehind, trajectoriesBehind } from "./sweep-csv.ts";
import { curvesOf, figureCurves } from "./sweep-curves.ts";
import { coverageGrid, figureOccupancy, type Occupancy } from "./sweep-occupancy.ts";
import { panelLayout } from "./sweep-panels.ts";
import { figuresPhase, planeOf, slicesOf } from "./sweep-phase.ts";
import { figureScatter } from "./sweep-scatter.ts";
import { figureStandouts, type Standout, standouts, standoutTable } from "./sweep-standouts.ts";
import {
  mainMetrics,
  referenceCondition,
  type SweepCondition,
  type SweepRecord,
  type SweepTable,
} from "./sweep-table.ts";
import { figureTrajectories } from "./sweep-trajectories.ts";
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
  /** What the geometry does not know: place-cell centres. */
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
  const found = standouts(table, input.awake, geometry);
  const beside = figureStandouts(found, environment, geometry, input.occupancy);
  if (beside !== null) {
    figures.push({
      figure: beside,
      title: "Occupancy, awake and in replay",
      caption:
        "Share of all steps in each cell, networks and repeats together, on one logarithmic scale: awake paths, and the conditions that stand out.",
      data: {
        name: "standouts.csv",
        csv: standoutsBehind(found, geometry, input.occupancy),
      },
    });
  }
  const layout = panelLayout(table);
  if (layout.cells.some(({ condition }) => input.positions.has(condition.name))) {
    figures.push({
      figure: figureTrajectories(layout, environment, input.positions, input.every),
      title: "Rollouts",
      caption: `Decoded positions in the ${environment.word}, coloured by time; later steps lie on top. A few rollouts of every network${layout.cells.length < table.conditions.length ? `, ${layout.cells.length} of ${table.conditions.length} conditions` : ""}.`,
      data: { name: "trajectories.csv", csv: trajectoriesBehind(table, layout, input.positions, input.every) },
    });
  }
  if (layout.cells.some(({ condition }) => input.occupancy.has(condition.name))) {
    figures.push({
      figure: figureOccupancy(layout, environment, coverageGrid(geometry), input.occupancy),
      title: "Occupancy",
      caption:
        "Where the rollouts were: share of all steps, all networks and repeats together. Rollouts that diverged are left out.",
      data: { name: "occupancy.csv", csv: occupancyBehind(table, layout, geometry, input.occupancy) },
    });
  }
  return figures;
}

/** The rollouts of the conditions that are drawn, those that stand out first. */
function player(input: SweepReportInput, found: readonly Standout[]): string {
  const { table, positions, every } = input;
  const where = (c: SweepCondition): string =>
    table.axes.map((axis, i) => axisValueText(axis, c.at[i] as number)).join(", ") || c.name;
  const names = new Map<string, string[]>();
  for (const { condition, name } of found) names.set(condition, [...(names.get(condition) ?? []), name]);
  // Those with a name first.
  const order = [...table.conditions].sort((a, b) => Number(names.has(b.name)) - Number(names.has(a.name)));
  const shown = order.filter((c) => positions.has(c.name));
  const named = shown.filter((c) => names.has(c.name)).length;
  const networks = Math.min(...shown.map((c) => positions.get(c.name)?.shape[0] ?? 0));
  if (shown.length === 0 || networks === 0) return "";
  return playerSection({
    environment: environmentIn(input),
    films: shown.map((c) => {
      const name = names.get(c.name)?.join(", ");
      return {
        label: name ?? where(c),
        detail: name === undefined ? "" : where(c),
        colour: INK_PAIR,
        tensor: positions.get(c.name) as Tensor,
        firstStep: every,
        every,
      };
    }),
    ...(named > 1 ? { sideBySide: named } : {}),
    networks: Array.from({ length: networks }, (_, n) => `${n}`),
    caption: "Decoded rollouts without input; side by side the conditions that stand out, and a choice of all others.",
  });
}

/** The page as one HTML document that refers to nothing outside itself but the tables beside it. */
export function sweepHtml(input: SweepReportInput, figures: readonly PageFigure[] = sweepFigures(input)): string {
  const { table, awake, geometry } = input;
  const found = standouts(table, awake, geometry);
  const [first = "", ...others] = figures.map(figureSection);
  return pageHtml({
    kind: "sweep report",
    title: input.title,
    facts: input.facts,
    notices: input.notices,
    sections: [
      first,
      standoutTable(table, found, input.metrics ?? mainMetrics(table, geometry.kind)),
      player(input, found),
      ...others,
    ],
    provenance: [
      { title: "Sweep", value: input.definition },
      { title: "Manifest", value: input.manifest },
    ],
  });
}
