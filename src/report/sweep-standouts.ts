import { type Spread, spreadOf } from "../metrics/csv.ts";
import type { Geometry } from "../metrics/geometry.ts";
import { AWAKE } from "../sweep/results.ts";
import type { Environment } from "./environment.ts";
import { panelHeight } from "./ground.ts";
import { heatKey, heatPanel, shareHeat } from "./heat.ts";
import { section } from "./page.ts";
import { type Figure, fitText, text } from "./svg.ts";
import { axisValueText } from "./sweep-axes.ts";
import { coverageGrid, type Occupancy } from "./sweep-occupancy.ts";
import {
  divergedShare,
  isRatio,
  isShown,
  metricLabel,
  referenceCondition,
  type SweepCondition,
  type SweepRecord,
  type SweepTable,
  spreadAt,
} from "./sweep-table.ts";
import { spreadCell, table as tableHtml, textCell } from "./table.ts";
import { MUTED } from "./theme.ts";

/** The few conditions of a sweep that a reader looks for: plain replay, the fastest, the one that explores most. */

export interface Standout {
  readonly name: string;
  /** The values of its parameters. */
  readonly where: string;
  readonly records: readonly SweepRecord[];
  /** Its name in the sweep; of the awake paths, `AWAKE`. */
  readonly condition: string;
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

/** @param awake metrics of the awake paths, one record per network; may be empty */
export function standouts(table: SweepTable, awake: readonly SweepRecord[], geometry: Geometry): Standout[] {
  const where = (c: SweepCondition): string =>
    table.axes.map((axis, i) => axisValueText(axis, c.at[i] as number)).join(", ");
  const free = geometry.kind === "free";
  const found: readonly (readonly [name: string, c: SweepCondition | undefined])[] = [
    ["plain replay", referenceCondition(table)],
    ["fastest", free ? extreme(table, "speed5", 1) : extreme(table, "reach_rmean", -1)],
    ["explores most", extreme(table, geometry.bins.length === 0 ? "cells" : "track", 1)],
    ["closest to the maze", extreme(table, "offpath", -1)],
    ["most like awake", extreme(table, "sw_binned", -1)],
  ];
  return [
    ...(awake.length > 0 ? [{ name: "awake", records: awake, where: "with input", condition: AWAKE }] : []),
    ...found.flatMap(([name, c]) => (c ? [{ name, records: c.records, where: where(c), condition: c.name }] : [])),
  ];
}

/** Networks that agree differ by the rounding of their mean, which is no spread. */
const withoutRounding = (s: Spread): Spread => (s.sd < 1e-12 * Math.abs(s.mean) ? { ...s, sd: 0 } : s);

/** A symbol stays with its value. */
const unbroken = (where: string): string => where.replaceAll(/(?<!,) /g, "\u00a0");

/** @param apart its id and title, where a page has several */
export function standoutTable(
  table: SweepTable,
  columns: readonly Standout[],
  chosen: readonly string[],
  apart = { suffix: "", title: "" },
): string {
  const metrics = [
    ...new Set([
      ...chosen,
      ...["reach_fraction", "speed5", "sw_binned", "diverged"].filter((m) => table.metrics.includes(m)),
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
  const heads = columns.map((c) => ({ title: c.name, detail: unbroken(c.where) }));
  const spread = table.networks > 1 ? `Mean ± standard deviation over ${table.networks} networks. ` : "";
  return section(
    `numbers${apart.suffix}`,
    `Conditions that stand out${apart.title}`,
    `${tableHtml("metric", heads, [{ rows }])}
<p class="note">${spread}Extremes are of the mean, among the conditions where at most one rollout in twenty diverged; of many conditions, some stand out by chance. A ratio of times needs every network to arrive. Every network and condition is in <code>metrics.csv</code>.</p>`,
  );
}

const [WIDTH, GAP, HEAD, FOOT] = [1000, 14, 42, 40];

/** Awake occupancy beside that of the conditions that stand out, on one scale; null where nothing was counted. */
export function figureStandouts(
  shown: readonly Standout[],
  environment: Environment,
  geometry: Geometry,
  occupancy: Occupancy,
): Figure | null {
  const found = shown.flatMap(({ name, where, condition }) => {
    const values = occupancy.get(condition);
    return values === undefined ? [] : [{ name, where, values }];
  });
  if (found.length < 2) return null;
  const grid = coverageGrid(geometry);
  const width = Math.min(240, (WIDTH - GAP * (found.length - 1)) / found.length);
  const height = panelHeight(environment.view, width);
  const scale = shareHeat(
    found.flatMap((f) => [...f.values]),
    "share of all steps in a cell",
  );
  const panels = found.map(({ name, where, values }, i) => {
    const x = i * (width + GAP);
    return (
      text(x, 11, fitText(name, 13, width), { size: 13, weight: 600 }) +
      text(x, 28, fitText(where, 11, width), { size: 11, fill: MUTED }) +
      heatPanel({ environment, grid, values, scale, x, y: HEAD, width })
    );
  });
  const total = found.length * width + (found.length - 1) * GAP;
  const key = Math.min(220, total * 0.5);
  return {
    name: "standouts",
    width: total,
    height: HEAD + height + FOOT,
    body: panels.join("") + heatKey(scale, total - key - 16, HEAD + height + 12, key),
    description: `Occupancy on one scale: ${found.map((f) => f.name).join(", ")}.`,
  };
}
