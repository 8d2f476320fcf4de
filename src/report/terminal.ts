import { summarise } from "../metrics/csv.ts";
import type { MetricRecord } from "../metrics/measure.ts";
import type { MetricName } from "../metrics/table.ts";
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

/**
 * The results in a terminal's width: conditions down, metrics across, mean ± sd over networks. Columns that no
 * condition defines are left out, and `cells` stands in for `track` where there is no maze.
 */
export function summaryTable(records: readonly MetricRecord[], labels: Readonly<Record<string, string>> = {}): string {
  const summaries = summarise(records);
  const hasTrack = summaries.some((s) => s.metrics.track.n > 0);
  const shown = COLUMNS.filter(
    ([metric]) => summaries.some((s) => s.metrics[metric].n > 0) && !(metric === "cells" && hasTrack),
  );
  const networks = Math.max(0, ...summaries.map((s) => s.networks));
  const rows = [
    ["condition", ...shown.map(([, title]) => title)],
    ["", ...shown.map(([, , unit]) => unit)],
    ...summaries.map((s) => [
      labels[s.condition] ?? s.condition,
      ...shown.map(([metric, , , decimals]) => spreadText(s.metrics[metric], decimals)),
    ]),
  ];
  const widths = ["", ...shown].map((_, column) => Math.max(...rows.map((r) => [...(r[column] as string)].length)));
  const pad = (cell: string, column: number): string => {
    const blank = " ".repeat((widths[column] as number) - [...cell].length);
    return column === 0 ? cell + blank : blank + cell;
  };
  const lines = rows.map((r) => r.map(pad).join("  ").trimEnd());
  const rule = "─".repeat(widths.reduce((a, b) => a + b + 2, -2));
  lines.splice(2, 0, rule);
  const note = networks > 1 ? `mean ± sd over ${networks} networks` : "one network";
  return `${lines.join("\n")}\n${note}; ∞: half of the replays or more never arrive\n`;
}
