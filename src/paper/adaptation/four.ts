/** Plain, adaptation, momentum and both, each task's named cell: reach time against coverage, with both intervals. */
import * as Plot from "@observablehq/plot";
import { formatCsv } from "../../io/csv.ts";
import { rangeOf } from "../../metrics/statistics.ts";
import { chart, xAxis, yAxis } from "../../report/chart.ts";
import { legend } from "../../report/legend.ts";
import { fitText, text } from "../../report/svg.ts";
import { conditionColour, PAPER } from "../../report/theme.ts";
import type { PaperFigure } from "../evidence.ts";
import type { Cell } from "../grid.ts";
import { PANEL_HEAD } from "../panel.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { estimateMean } from "../statistics.ts";
import { COVERAGE_TITLES, coverageOf } from "../tasks.ts";
import { TASK_WORDS } from "../words.ts";
import { PLAIN, seriesAt, type TaskReplays } from "./replays.ts";

const [WIDTH, HEIGHT, GAP] = [400, 260, 20];

const FOUR = (n: NamedCell): readonly (readonly [name: string, cell: Cell])[] => [
  ["plain", PLAIN],
  ["adaptation", { ...n, friction: 1 }],
  ["momentum", { ...PLAIN, friction: n.friction }],
  ["both", n],
];

function pointsOf(r: TaskReplays, protocol: Protocol) {
  const named = protocol.named[r.task];
  if (!named) return [];
  return FOUR(named).map(([name, cell], i) => {
    const of = (metric: "reach_rmean" | "track" | "regions") =>
      estimateMean(seriesAt(r, metric, named, cell, protocol.usable), protocol.statistics);
    return { name, colour: conditionColour(i), time: of("reach_rmean"), coverage: of(coverageOf(r.task)) };
  });
}

type Points = ReturnType<typeof pointsOf>;

/** Room for every interval that is finite. */
function domain(points: Points, of: "time" | "coverage"): [number, number] {
  const [low, high] = rangeOf(points.flatMap((p) => [p[of].value, p[of].low, p[of].high]).filter(Number.isFinite));
  const margin = (high - low) * 0.08 || 1;
  return low <= high ? [Math.max(0, low - margin), high + margin] : [0, 1];
}

function panel(r: TaskReplays, points: Points, letter: string, x: number, y: number): string {
  const shown = points.filter((p) => Number.isFinite(p.time.value + p.coverage.value));
  const bars = shown.filter((p) => Number.isFinite(p.time.low + p.coverage.low));
  const body = chart(
    {
      width: WIDTH,
      height: HEIGHT,
      x: { domain: domain(points, "time") },
      y: { domain: domain(points, "coverage") },
      marks: [
        ...yAxis({ label: COVERAGE_TITLES[coverageOf(r.task)], ticks: 5 }),
        ...xAxis({ label: "restricted mean reach time (steps)", ticks: 6 }),
        Plot.link(
          bars.flatMap(({ colour, time: t, coverage: c }) => [
            { colour, x1: Math.max(0, t.low), x2: t.high, y1: c.value, y2: c.value },
            { colour, x1: t.value, x2: t.value, y1: Math.max(0, c.low), y2: c.high },
          ]),
          { x1: "x1", x2: "x2", y1: "y1", y2: "y2", stroke: "colour", strokeWidth: 1.6 },
        ),
        Plot.dot(
          shown.map((p) => ({ x: p.time.value, y: p.coverage.value, colour: p.colour })),
          { x: "x", y: "y", r: 4, fill: "colour", stroke: PAPER, strokeWidth: 0.8 },
        ),
      ],
    },
    x,
    y + PANEL_HEAD,
  );
  return (
    text(x + 20, y + 12, letter, { size: 13, weight: 600 }) +
    text(x + 54, y + 12, fitText(TASK_WORDS[r.task], 13, WIDTH - 54), { size: 13, weight: 600 }) +
    body
  );
}

export function fourFigure(tasks: readonly TaskReplays[], protocol: Protocol): PaperFigure {
  const all = tasks.map((r) => ({ r, points: pointsOf(r, protocol) })).filter((t) => t.points.length > 0);
  const names = ["plain", "adaptation", "momentum", "both"];
  const key = legend(
    names.map((label, i) => ({ label, colour: conditionColour(i) })),
    54,
    10,
    2 * WIDTH,
  );
  const pitch = PANEL_HEAD + HEIGHT + 12;
  const panels = all.map(({ r, points }, i) =>
    panel(r, points, "abcdefgh".charAt(i), (i % 2) * (WIDTH + GAP), key.height + 8 + Math.floor(i / 2) * pitch),
  );
  const rows = all.flatMap(({ r, points }) =>
    points.flatMap((p) =>
      (["time", "coverage"] as const).map((of) => ({
        task: r.task,
        replay: p.name,
        metric: of === "time" ? "reach_rmean" : coverageOf(r.task),
        ...{ mean: p[of].value, low: p[of].low, high: p[of].high, networks: p[of].n },
      })),
    ),
  );
  return {
    part: 2,
    title: "Fast and exploratory?",
    caption:
      "Reach time against coverage of the four replays at each task's named λ, b_a and τ_a; means over networks with their intervals. Up is more exploratory, left is faster.",
    csv: formatCsv(["task", "replay", "metric", "mean", "low", "high", "networks"], rows),
    figure: {
      name: "adaptation-momentum",
      width: 2 * WIDTH + GAP,
      height: key.height + 8 + Math.ceil(all.length / 2) * pitch,
      body: key.body + panels.join(""),
      description: "For each task, reach time and coverage of plain replay, adaptation, momentum and both.",
    },
  };
}
