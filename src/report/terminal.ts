import { summarise } from "../metrics/csv.ts";
import type { MetricRecord } from "../metrics/measure.ts";
import type { MetricName } from "../metrics/table.ts";
import { alignColumns } from "./columns.ts";
import { spreadText } from "./format.ts";

const COLUMNS: readonly (readonly [metric: MetricName, title: string, unit: string, decimals: number])[] = [
  ["reach_median", "reach", "median steps", 1],
  ["reach_fraction", "arrived", "share", 2],
  ["reach_rmean", "mean reach", "never = T", 1],
  ["speed5", "speed", "m/step", 4],
  ["track", "track", "share", 3],
  ["cells", "cells", "of 400", 1],
  ["entries", "entries", "per replay", 2],
];

/** Where readouts are no positions. */
const WITHOUT_PATHS: typeof COLUMNS = [
  ["sw_code", "distance", "to awake", 4],
  ["participation", "participation", "dimensions", 2],
  ["cmi1", "memory", "nats", 3],
  ["diverged", "diverged", "share", 2],
];

/**
 * The results in a terminal's width: conditions down, metrics across, mean ± sd over networks. Columns that no
 * condition defines are left out, and `cells` stands in for `track` where there is no maze.
 */
export function summaryTable(records: readonly MetricRecord[], labels: Readonly<Record<string, string>> = {}): string {
  const summaries = summarise(records);
  const hasTrack = summaries.some((s) => s.metrics.track.n > 0);
  const isDefined = ([metric]: (typeof COLUMNS)[number]): boolean => summaries.some((s) => s.metrics[metric].n > 0);
  const paths = COLUMNS.filter((column) => isDefined(column) && !(column[0] === "cells" && hasTrack));
  const shown = paths.length > 0 ? paths : WITHOUT_PATHS.filter(isDefined);
  const networks = Math.max(0, ...summaries.map((s) => s.networks));
  const rows = [
    ["condition", ...shown.map(([, title]) => title)],
    ["", ...shown.map(([, , unit]) => unit)],
    ...summaries.map((s) => [
      labels[s.condition] ?? s.condition,
      ...shown.map(([metric, , , decimals]) => spreadText(s.metrics[metric], decimals)),
    ]),
  ];
  const lines = alignColumns(rows);
  // The titles reach the right end: some line has the width of all columns.
  const rule = "─".repeat(Math.max(...lines.map((line) => [...line].length)));
  lines.splice(2, 0, rule);
  const note = networks > 1 ? `mean ± sd over ${networks} networks` : "one network";
  return `${lines.join("\n")}\n${note}${paths.length > 0 ? "; ∞: half of the replays or more never arrive" : ""}\n`;
}
