import { spreadOf } from "../metrics/csv.ts";
import type { MetricName } from "../metrics/table.ts";
import { spreadText } from "./format.ts";
import { panelHeight } from "./ground.ts";
import { environmentIn, type ReportCondition, type ReportInput } from "./input.ts";
import { choosePaths, pathPanel, type TimeScale, timeKey } from "./paths.ts";
import { type Figure, fitText, px, text } from "./svg.ts";
import { conditionColour, MUTED } from "./theme.ts";

const WIDTH = 1000;
const GAP = 20;
const COLUMNS = 4;
const HEAD = 44;
const FOOT = 58;
const KEY = 24;

/** Positions of all panels together: four conditions of 500 steps are drawn whole, more or longer ones thinned. */
const MAX_POSITIONS = 80_000;

/** More panels than this belong in metrics.csv. */
export const MAX_PANELS = 12;

const replayTime = (input: ReportInput, condition: ReportCondition): TimeScale => ({
  end: (condition.positions.shape[1] ?? 0) * (input.every ?? 1),
  kind: "squareRoot",
});

/** Mean ± sd over networks of one metric of a condition. */
function result(input: ReportInput, condition: string, metric: MetricName): string {
  return spreadText(spreadOf(input.records.filter((r) => r.condition === condition).map((r) => r.values[metric])));
}

/** The two numbers of a panel: how fast, how much of the maze. */
function results(input: ReportInput, condition: string): readonly (readonly [label: string, value: string])[] {
  if (!input.records.some((r) => r.condition === condition)) return [];
  const value = (metric: MetricName): string => result(input, condition, metric);
  return input.geometry.goals.length === 0
    ? [
        ["speed", `${value("speed5")} m/step`],
        ["cells visited", value("cells")],
      ]
    : [
        ["mean reach time", `${value("reach_rmean")} steps`],
        ["track coverage", value("track")],
      ];
}

/**
 * The figure of the README and of a talk: one panel per condition, replays of all networks drawn in the maze and
 * coloured by time, with mean reach time and track coverage (mean ± sd over networks) below.
 */
export function figureReplays(input: ReportInput, options: { readonly pathsPerPanel?: number } = {}): Figure {
  const shown = input.conditions.slice(0, MAX_PANELS);
  const columns = Math.min(COLUMNS, Math.max(1, shown.length));
  const width = Math.min(300, (WIDTH - GAP * (columns - 1)) / columns);
  const environment = environmentIn(input);
  const { view } = environment;
  const height = panelHeight(view, width);
  const pitch = HEAD + height + FOOT;
  const total = columns * width + (columns - 1) * GAP;
  const paths = options.pathsPerPanel ?? 30;
  const maxSamples = Math.min(600, Math.max(120, Math.floor(MAX_POSITIONS / Math.max(1, shown.length * paths))));
  const panels = shown.map((condition, i) => {
    const x = (i % columns) * (width + GAP);
    const y = Math.floor(i / columns) * pitch;
    return [
      `<rect x="${x}" y="${y + 3}" width="14" height="4" fill="${conditionColour(i)}"/>`,
      text(x + 20, y + 11, fitText(condition.label, 14, width - 30), { size: 14, weight: 600 }),
      text(x, y + 29, fitText(condition.detail ?? "", 11, width), { size: 11, fill: MUTED }),
      pathPanel({
        environment,
        paths: choosePaths(condition.positions, paths),
        maxSamples,
        time: replayTime(input, condition),
        firstStep: input.every ?? 1,
        every: input.every ?? 1,
        x,
        y: y + HEAD,
        width,
      }),
      ...results(input, condition.name).flatMap(([label, value], line) => [
        text(x, y + HEAD + height + 18 + 17 * line, label, { size: 11, fill: MUTED }),
        text(x + 96, y + HEAD + height + 18 + 17 * line, value, { size: 11 }),
      ]),
    ].join("");
  });
  const lines = Math.max(1, Math.ceil(shown.length / columns));
  const bottom = lines * pitch;
  const longest = shown.reduce<TimeScale>(
    (best, c) => (replayTime(input, c).end > best.end ? replayTime(input, c) : best),
    { end: 1, kind: "squareRoot" },
  );
  const keyWidth = Math.min(220, total * 0.5);
  return {
    name: "replays",
    width: total,
    height: bottom + KEY,
    body: `${panels.join("")}${scaleBar(0.5 * niceLength(environment.scale), width / view.width, bottom)}${timeKey(longest, total - keyWidth - 12, bottom, keyWidth)}`,
    description: `Decoded replays in the maze, coloured by time, one panel for each of: ${shown.map((c) => c.label).join(", ")}.`,
  };
}

/** 1, 2 or 5 times a power of ten, near x. */
export function niceLength(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  const f = x / power;
  return power * (f < 1.5 ? 1 : f < 3.5 ? 2 : f < 7.5 ? 5 : 10);
}

/** A bar of a length in metres and its label, at the left. */
function scaleBar(metres: number, pixelsPerMetre: number, y: number): string {
  const length = metres * pixelsPerMetre;
  return (
    `<path d="M0 ${px(y + 4)}h${px(length)}" stroke="${MUTED}" stroke-width="1.5" fill="none"/>` +
    text(length + 8, y + 8, `${Number(metres.toPrecision(2))} m`, { size: 11, fill: MUTED })
  );
}

const SMALL_NETWORKS = 4;
/** Of a network under a condition. */
export const PATHS_BY_NETWORK = 10;

/** Networks down, conditions across: whether what one network does, all do. */
export function figureReplaysByNetwork(input: ReportInput, seeds: readonly number[]): Figure {
  const shown = input.conditions.slice(0, COLUMNS + 2);
  const networks = Math.min(SMALL_NETWORKS, shown[0]?.positions.shape[0] ?? 0);
  const left = 70;
  const gap = 12;
  const width = Math.min(210, (WIDTH - left - gap * (shown.length - 1)) / Math.max(1, shown.length));
  const environment = environmentIn(input);
  const { view } = environment;
  const height = panelHeight(view, width);
  const head = 22;
  const parts = shown.map((c, i) =>
    text(left + i * (width + gap) + width / 2, 12, fitText(c.label, 12, width), {
      size: 12,
      anchor: "middle",
      weight: 600,
    }),
  );
  for (let n = 0; n < networks; n++) {
    const y = head + n * (height + gap);
    parts.push(text(0, y + height / 2, `network ${n}`, { size: 11 }));
    parts.push(text(0, y + height / 2 + 14, `seed ${seeds[n] ?? "?"}`, { size: 10, fill: MUTED }));
    shown.forEach((condition, i) => {
      parts.push(
        pathPanel({
          environment,
          paths: choosePaths(condition.positions, PATHS_BY_NETWORK, [n]),
          time: replayTime(input, condition),
          firstStep: input.every ?? 1,
          every: input.every ?? 1,
          x: left + i * (width + gap),
          y,
          width,
          lineWidth: 0.7,
          maxSamples: 250,
        }),
      );
    });
  }
  return {
    name: "replays-by-network",
    width: left + shown.length * width + Math.max(0, shown.length - 1) * gap,
    height: head + networks * (height + gap),
    body: parts.join(""),
    description: "Decoded replays of each network under each condition.",
  };
}
