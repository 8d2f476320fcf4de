import type { Geometry } from "../metrics/geometry.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import type { Surroundings } from "./environment.ts";
import type { Fact } from "./headline.ts";
import { environmentIn } from "./input.ts";
import { figureSection, type PageFigure, pageHtml } from "./page.ts";
import { playerSection, SIDE_BY_SIDE } from "./player.ts";
import { axisValueText, spreadOut } from "./sweep-axes.ts";
import { metricsBehind, occupancyBehind, standoutsBehind, trajectoriesBehind } from "./sweep-csv.ts";
import { curvesOf, figureCurves } from "./sweep-curves.ts";
import type { NetworkGroup } from "./sweep-groups.ts";
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

/** Networks that were trained alike, and what they did: never one mean with others. */
export interface SweepPart extends NetworkGroup {
  readonly table: SweepTable;
  readonly awake: readonly SweepRecord[];
  readonly occupancy: Occupancy;
  readonly positions: ReadonlyMap<string, Tensor>;
}

/** Everything that the page of a sweep shows. */
export interface SweepReportInput {
  readonly title: string;
  readonly facts: readonly Fact[];
  /** Sentences that a reader must not miss. */
  readonly notices: readonly string[];
  /** Of all networks. */
  readonly table: SweepTable;
  /** One for each kind of training, where there are several: their means are drawn apart, and what follows of all serves the animation. */
  readonly parts?: readonly SweepPart[];
  /** "0 (seed 3)", one per network. */
  readonly networkNames?: readonly string[];
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

interface Apart {
  readonly part: SweepReportInput & { readonly networks?: readonly number[] };
  /** Of names of figures and files. */
  readonly suffix: string;
  /** Behind a title. */
  readonly title: string;
}

/** The input of each part, or the whole where nothing is to be told apart. */
function partsOf(input: SweepReportInput): Apart[] {
  const { parts = [] } = input;
  if (parts.length < 2) return [{ part: input, suffix: "", title: "" }];
  const metrics = input.metrics ?? mainMetrics(input.table, input.geometry.kind);
  return parts.map((part, i) => ({
    part: { ...input, ...part, metrics },
    suffix: `-${i + 1}`,
    title: `, ${part.label}`,
  }));
}

/** One curve for each part, in the same panels: what training does to the effect of a parameter. */
function curvesBeside(input: SweepReportInput): PageFigure[] {
  const { parts = [], table, metrics = mainMetrics(table, input.geometry.kind) } = input;
  const plans = parts.map((part) => curvesOf(part.table));
  if (parts.length < 2 || plans.some((plan) => plan?.lines.length !== 1)) return [];
  const lines = parts.map(({ label }, i) => ({ label, conditions: plans[i]?.lines[0]?.conditions ?? [] }));
  return [
    {
      figure: figureCurves(table, { along: 0, lines }, metrics),
      title: "Curves",
      caption: `Thick: mean over the networks that were trained alike (${parts.map((p) => p.networks.length).join(", ")}); band: one standard deviation; thin: single networks.`,
      data: { name: "curves.csv", csv: metricsBehind(table, metrics) },
    },
  ];
}

/** The figures that a sweep's results allow, in the order of the page: those of all parts together, kind by kind. */
export function sweepFigures(input: SweepReportInput): PageFigure[] {
  const beside = curvesBeside(input);
  const apart = partsOf(input).map((part) =>
    figuresOf(part.part, part.suffix)
      .filter(({ figure }) => beside.length === 0 || figure.name !== "curves")
      .map((f) => namedApart(f, part)),
  );
  const kinds = Math.max(...apart.map((figures) => figures.length));
  return [...beside, ...Array.from({ length: kinds }, (_, i) => apart.flatMap((own) => own[i] ?? [])).flat()];
}

function namedApart(f: PageFigure, { suffix, title }: Apart): PageFigure {
  if (suffix === "") return f;
  const isPhase = f.figure.name.startsWith("phase");
  return {
    title: f.title + title,
    caption: isPhase ? `${f.caption} The colours are those of this figure alone.` : f.caption,
    // A phase diagram's name is within its markup already.
    figure: isPhase ? f.figure : { ...f.figure, name: f.figure.name + suffix },
    ...(f.data === undefined ? {} : { data: { ...f.data, name: f.data.name.replace(".csv", `${suffix}.csv`) } }),
  };
}

function figuresOf(input: Apart["part"], suffix: string): PageFigure[] {
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
    for (const { figure, slice } of figuresPhase(table, plane, metrics, "mean", `phase${suffix}`)) {
      figures.push({
        figure,
        title: slice.label === "" ? "Phase diagram" : `Phase diagram, ${slice.label}`,
        caption: `Each cell: ${over}. ${HATCHED}${ring}${rest}`,
        data,
      });
    }
    if (several) {
      for (const { figure, slice } of figuresPhase(table, plane, metrics, "sd", `phase-sd${suffix}`)) {
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
      data: {
        name: "trajectories.csv",
        csv: trajectoriesBehind(table, layout, input.positions, input.every, input.networks),
      },
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
  const there = table.conditions.filter((c) => positions.has(c.name));
  // Those with a name first; where none has one, some from everywhere.
  const first = new Set(
    names.size > 0
      ? there.filter((c) => names.has(c.name))
      : spreadOut(there.length, SIDE_BY_SIDE).map((i) => there[i]),
  );
  const shown = [...there].sort((a, b) => Number(first.has(b)) - Number(first.has(a)));
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
    networks: Array.from({ length: networks }, (_, n) => input.networkNames?.[n] ?? `${n}`),
    caption: `Decoded rollouts without input; side by side ${named > 1 ? "the conditions that stand out, and a choice of all others" : "a few conditions, and a choice of all"}.`,
  });
}

/** The page as one HTML document that refers to nothing outside itself but the tables beside it. */
export function sweepHtml(input: SweepReportInput, figures: readonly PageFigure[] = sweepFigures(input)): string {
  const apart = partsOf(input);
  const found = apart.map(({ part }) => standouts(part.table, part.awake, input.geometry));
  const sections = figures.map(figureSection);
  // Of every part its first, unless one figure holds all.
  const lead = figures[0]?.figure.name === "curves" ? 1 : apart.length;
  return pageHtml({
    kind: "sweep report",
    title: input.title,
    facts: input.facts,
    notices: input.notices,
    sections: [
      ...sections.slice(0, lead),
      ...apart.map(({ part, suffix, title }, i) => {
        const { table, metrics = mainMetrics(table, input.geometry.kind) } = part;
        return standoutTable(table, found[i] ?? [], metrics, { suffix, title });
      }),
      // What stands out among some networks need not among others.
      player(input, apart.length > 1 ? [] : (found[0] ?? [])),
      ...sections.slice(lead),
    ],
    provenance: [
      { title: "Sweep", value: input.definition },
      { title: "Manifest", value: input.manifest },
    ],
  });
}
