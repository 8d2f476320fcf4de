/** Figures of the adaptation experiment: curves at the named κ and k, the whole grid as signs, four replays compared. */
import { formatCsv } from "../../io/csv.ts";
import { legend } from "../../report/legend.ts";
import { conditionColour } from "../../report/theme.ts";
import type { Estimate, PaperFigure } from "../evidence.ts";
import { estimatePanel, PANEL_HEAD } from "../panel.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { estimateMean } from "../statistics.ts";
import { COVERAGE_TITLES, coverageOf } from "../tasks.ts";
import { TASK_WORDS, whereText } from "../words.ts";
import { type Kept, PLAIN, seriesAt, type TaskReplays } from "./replays.ts";

const [WIDTH, HEIGHT, GAP] = [400, 230, 20];

export const TITLES: Readonly<Partial<Record<Kept, string>>> = {
  ...COVERAGE_TITLES,
  entries: "entries into regions",
  coverage_entropy: "entropy of coverage (1 = uniform)",
  reach_rmean: "restricted mean reach time (steps)",
};

/** One curve for each τ_a along b_a, from b_a = 0 on. */
function curves(r: TaskReplays, name: Kept, place: NamedCell, protocol: Protocol) {
  const { adaptStrength, adaptTau } = protocol.replay;
  return adaptTau.map((tau) => ({
    tau,
    points: [0, ...adaptStrength].map((strength) => {
      const cell = strength === 0 ? PLAIN : { friction: 1, adaptStrength: strength, adaptTau: tau };
      const estimate = estimateMean(seriesAt(r, name, place, cell, protocol.usable), protocol.statistics);
      return { x: strength, estimate };
    }),
  }));
}

const row = (at: Record<string, string | number>, e: Estimate) => ({
  ...at,
  mean: e.value,
  low: e.low,
  high: e.high,
  networks: e.n,
});

export function curvesFigure(r: TaskReplays, protocol: Protocol): PaperFigure[] {
  const place = protocol.named[r.task];
  if (!place) return [];
  const coverage = coverageOf(r.task);
  const metrics: Kept[] = [coverage, "reach_rmean", coverage === "track" ? "regions" : "entries", "coverage_entropy"];
  const { adaptStrength, adaptTau } = protocol.replay;
  const entries = adaptTau.map((tau, i) => ({ label: `τ_a = ${tau} steps`, colour: conditionColour(i + 1) }));
  const key = legend(entries, 54, 10, 2 * WIDTH);
  const pitch = PANEL_HEAD + HEIGHT + 12;
  const lines = metrics.map((name) => curves(r, name, place, protocol));
  const panels = metrics.map((name, i) =>
    estimatePanel(
      {
        title: name === "regions" && coverage === "track" ? "regions visited" : (TITLES[name] as string),
        letter: "abcd".charAt(i),
        xLabel: "adaptation strength b_a",
        xTicks: [0, ...adaptStrength],
        least: 0,
        lines: (lines[i] ?? []).map((l, c) => ({ colour: conditionColour(c + 1), points: l.points })),
        width: WIDTH,
        height: HEIGHT,
      },
      (i % 2) * (WIDTH + GAP),
      key.height + 8 + Math.floor(i / 2) * pitch,
    ),
  );
  const title = `${TASK_WORDS[r.task]}: what adaptation does to replays`;
  return [
    {
      part: 2,
      title,
      caption: `Replays at λ = 1 of networks with ${whereText(place)}; mean over networks with its interval. b_a = 0 is the same network without adaptation.`,
      csv: formatCsv(
        ["metric", "adaptTau", "adaptStrength", "mean", "low", "high", "networks"],
        metrics.flatMap((metric, i) =>
          (lines[i] ?? []).flatMap((l) =>
            l.points.map((p) => row({ metric, adaptTau: l.tau, adaptStrength: p.x }, p.estimate)),
          ),
        ),
      ),
      figure: {
        name: `adaptation-${r.task}`,
        width: 2 * WIDTH + GAP,
        height: key.height + 8 + 2 * pitch,
        body: key.body + panels.join(""),
        description: `${title}: ${metrics.join(", ")} against b_a, one curve for each time constant.`,
      },
    },
  ];
}
