import { summarise } from "../metrics/csv.ts";
import { AWAKE } from "../metrics/measure.ts";
import { METRICS, type MetricDefinition, type MetricName } from "../metrics/table.ts";
import type { ReportBase } from "./input.ts";
import { folded, section } from "./page.ts";
import { escapeXml } from "./svg.ts";
import { type Row, spreadCell, table } from "./table.ts";

type Metric = (typeof METRICS)[number];

const GROUP_TITLES: readonly (readonly [group: MetricDefinition["group"], title: string])[] = [
  ["time", "Time"],
  ["exploration", "Exploration"],
  ["motion", "Motion"],
  ["fidelity", "Fidelity to awake paths"],
  ["memory", "Memory"],
];

/** What a talk has room for; the others are one click away. */
const MAIN: readonly MetricName[] = [
  "reach_median",
  "reach_fraction",
  "compression_reach",
  "compression_reference",
  "track",
  "cells",
  "both_arms",
  "abs_laps",
  "speed5",
  "offpath",
  "sw",
  "diverged",
];

/** Every metric of every condition with its spread over networks. */
export function metricSection(input: ReportBase): string {
  const summaries = summarise(input.records);
  if (summaries.length === 0) return "";
  const label = (name: string): string =>
    name === AWAKE ? "Awake" : (input.conditions.find((c) => c.name === name)?.label ?? name);
  const columns = summaries.map((s) => ({ title: label(s.condition) }));
  const networks = Math.max(...summaries.map((s) => s.networks));
  const isDefined = (m: Metric): boolean => summaries.some((s) => s.metrics[m.name].n > 0);
  const row = (m: Metric): Row => ({
    title: m.name,
    isName: true,
    unit: m.unit === m.name ? "" : m.unit,
    meaning: m.meaning,
    cells: summaries.map((s) => spreadCell(s.metrics[m.name])),
  });
  const main = METRICS.filter((m) => MAIN.includes(m.name) && isDefined(m));
  const groups = GROUP_TITLES.flatMap(([group, title]) => {
    const rows = METRICS.filter((m) => m.group === group && isDefined(m) && !MAIN.includes(m.name)).map(row);
    return rows.length === 0 ? [] : [{ title, rows }];
  });
  const definitions = METRICS.map(
    (m) =>
      `<dt><code>${m.name}</code></dt><dd>${escapeXml(m.equation)}${m.unit === "" ? "" : `, ${escapeXml(m.unit)}`}</dd>`,
  );
  const spread = networks > 1 ? `Mean ± standard deviation over ${networks} networks.` : "One network, so no spread.";
  return section(
    "numbers",
    "Numbers",
    `${table("metric", columns, [{ rows: main.map(row) }])}
<p class="note">${spread} ∞: half of the replays or more never arrive. Each network's own numbers are in <code>metrics.csv</code>.</p>
${groups.length === 0 ? "" : folded(`${groups.reduce((n, g) => n + g.rows.length, 0)} more metrics`, table("metric", columns, groups))}
${folded("How each number is defined", `<dl class="definitions">${definitions.join("")}</dl>`)}`,
  );
}
