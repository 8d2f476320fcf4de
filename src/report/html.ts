import { type ConditionSummary, summarise } from "../metrics/csv.ts";
import { AWAKE } from "../metrics/measure.ts";
import { METRICS, type MetricDefinition } from "../metrics/table.ts";
import { figureAwake } from "./figure-awake.ts";
import { explorationAxes, figureExploration } from "./figure-exploration.ts";
import { figureLoss } from "./figure-loss.ts";
import { figureReach } from "./figure-reach.ts";
import { figureReplays, figureReplaysByNetwork, MAX_PANELS } from "./figure-replays.ts";
import { formatSpread } from "./format.ts";
import { headline } from "./headline.ts";
import type { ReportInput } from "./input.ts";
import { STYLE } from "./style.ts";
import { escapeXml, type Figure, inlineSvg } from "./svg.ts";

export interface ReportFigure {
  readonly figure: Figure;
  readonly title: string;
  /** Plain text. */
  readonly caption: string;
}

const seedsOf = (input: ReportInput): number[] => {
  const seeds: number[] = [];
  for (const r of input.records) seeds[r.network] = r.seed;
  return seeds;
};

/** The figures that a run's data allow, in the order of the page. */
export function figuresOf(input: ReportInput): ReportFigure[] {
  const figures: ReportFigure[] = [];
  const hasReplays = input.conditions.length > 0;
  const hasGoals = input.geometry.goals.length > 0;
  const networks = input.conditions[0]?.positions.shape[0] ?? 0;
  if (hasReplays) {
    const left = input.conditions.length - MAX_PANELS;
    figures.push({
      figure: figureReplays(input),
      title: "Replays",
      caption:
        "Decoded positions during replay, without input, drawn over the maze and coloured by time; later steps lie on top. " +
        (hasGoals
          ? "Dashed circles are goals. Mean reach time counts a replay that never arrives at its whole length; track coverage is the share of the maze that a replay sees."
          : "Cells visited are those of a 20 × 20 grid.") +
        (networks > 1 ? " Numbers are mean ± standard deviation over networks." : "") +
        (left > 0 ? ` ${left} more conditions are in metrics.csv.` : ""),
    });
  }
  if (hasReplays && input.records.length > 0) {
    const free = explorationAxes(input).y === "cells";
    figures.push({
      figure: figureExploration(input),
      title: free ? "Exploration against speed" : "Exploration against time",
      caption:
        (networks > 1 ? "Small dots: networks. Large dots: their mean; bars: one standard deviation. " : "") +
        (free
          ? "Further right is faster, further up covers more cells."
          : "Further left is faster, further up sees more of the maze in one replay."),
    });
    if (hasGoals) {
      figures.push({
        figure: figureReach(input),
        title: "Reach times",
        caption:
          "Share of replays that have reached the goal by each step. Thick: all networks together; thin: each network. " +
          "The gap between a curve's end and 1 is the share that never arrived. Dashed: awake paths, which are shorter.",
      });
    }
  }
  if (networks > 1) {
    figures.push({
      figure: figureReplaysByNetwork(input, seedsOf(input)),
      title: "Replays, network by network",
      caption: `The same colours as above, ten replays in each panel${networks > 4 ? `; the first 4 of ${networks} networks` : ""}.`,
    });
  }
  if (input.awake !== undefined) {
    figures.push({
      figure: figureAwake(input, input.awake),
      title: "Awake",
      caption: "Test paths, and what the networks decode of them from the input that they see.",
    });
  }
  if (input.loss !== undefined && input.loss.iterations.length > 0) {
    figures.push({
      figure: figureLoss(input, input.loss),
      title: "Training",
      caption:
        input.loss.perNetwork.length > 1
          ? "Grey: networks; black: their median. Dots at the end: test error of each network on fresh paths."
          : "Training loss; the dot at the end is the test error on fresh paths.",
    });
  }
  return figures;
}

const GROUP_TITLES: readonly (readonly [group: MetricDefinition["group"], title: string])[] = [
  ["time", "Time"],
  ["exploration", "Exploration"],
  ["motion", "Motion"],
  ["fidelity", "Fidelity to awake paths"],
  ["memory", "Memory"],
];

function spreadCell(summary: ConditionSummary, metric: (typeof METRICS)[number]): string {
  const { mean, sd } = formatSpread(summary.metrics[metric.name]);
  return `<td>${mean}${sd === "" ? "" : `<span class="sd"> ± ${sd}</span>`}</td>`;
}

function metricTable(input: ReportInput): string {
  const summaries = summarise(input.records);
  if (summaries.length === 0) return "";
  const label = (name: string): string =>
    name === AWAKE ? "awake" : (input.conditions.find((c) => c.name === name)?.label ?? name);
  const networks = Math.max(...summaries.map((s) => s.networks));
  const head = summaries.map((s) => `<th scope="col">${escapeXml(label(s.condition))}</th>`).join("");
  const groups = GROUP_TITLES.flatMap(([group, title]) => {
    const rows = METRICS.filter((m) => m.group === group && summaries.some((s) => s.metrics[m.name].n > 0));
    if (rows.length === 0) return [];
    const lines = rows.map(
      (m) =>
        `<tr><th scope="row"><code>${m.name}</code>${m.unit === "" || m.unit === m.name ? "" : ` <span class="unit">${escapeXml(m.unit)}</span>`}` +
        `<span class="meaning">${escapeXml(m.meaning)}</span></th>` +
        `${summaries.map((s) => spreadCell(s, m)).join("")}</tr>`,
    );
    return [
      `<tbody><tr class="group"><th scope="rowgroup" colspan="${summaries.length + 1}">${title}</th></tr>${lines.join("")}</tbody>`,
    ];
  });
  const definitions = METRICS.map(
    (m) =>
      `<dt><code>${m.name}</code></dt><dd>${escapeXml(m.equation)}${m.unit === "" ? "" : `, ${escapeXml(m.unit)}`}</dd>`,
  );
  return `<section id="numbers"><h2>Numbers</h2>
<div class="scroll"><table><thead><tr><th scope="col">metric</th>${head}</tr></thead>${groups.join("")}</table></div>
<p class="note">${networks > 1 ? `Mean ± standard deviation over ${networks} networks.` : "One network, so no spread."} ∞: half of the replays or more never arrive. Each network's own numbers are in <code>metrics.csv</code>.</p>
<details><summary>How each number is defined</summary><dl class="definitions">${definitions.join("")}</dl></details></section>`;
}

/** Nothing of a manifest may end the element that shows it, hence the escape; NaN is not JSON but may be there. */
function json(value: unknown): string {
  return escapeXml(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? String(v) : v), 2) ?? "");
}

/** The whole report as one HTML document that refers to nothing outside itself. */
export function reportHtml(input: ReportInput, figures: readonly ReportFigure[] = figuresOf(input)): string {
  const facts = headline(input)
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
    ({ figure, title, caption }) => `<section id="${figure.name}"><h2>${escapeXml(title)}</h2>
<figure><div class="drawing${figure.width > 700 ? " wide" : ""}" style="max-width:${Math.round(figure.width)}px">${inlineSvg(figure)}</div>
<figcaption>${escapeXml(caption)}</figcaption></figure></section>`,
  );
  const take = (...names: readonly string[]): string[] =>
    sections.filter((_, i) => names.includes((figures[i] as ReportFigure).figure.name));
  const pair = (...names: readonly string[]): string => {
    const found = take(...names);
    return found.length === 0 ? "" : `<div class="pair">${found.join("\n")}</div>`;
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(input.title)} · reverie</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><p class="kicker">reverie · replay report</p><h1>${escapeXml(input.title)}</h1>
<dl class="facts">${facts}</dl>${notices}</header>
${take("replays").join("")}
${pair("exploration", "reach")}
${metricTable(input)}
${take("replays-by-network").join("")}
${pair("awake", "loss")}
<section id="provenance"><h2>Provenance</h2>
<details><summary>Configuration</summary><pre>${json(input.config)}</pre></details>
<details><summary>Manifest</summary><pre>${json(input.manifest)}</pre></details></section>
</main>
</body>
</html>
`;
}
