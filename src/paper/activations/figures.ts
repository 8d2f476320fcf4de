/** Speed and coverage under other activation functions, and where small friction diverges. Pure. */
import * as Plot from "@observablehq/plot";
import { formatCsv } from "../../io/csv.ts";
import { rangeOf } from "../../metrics/statistics.ts";
import { type Mark, xAxis, yAxis } from "../../report/chart.ts";
import { type Panel, panels } from "../../report/panels.ts";
import { conditionColour, PAPER } from "../../report/theme.ts";
import type { Plane, ReplayedMember } from "../balance/measure.ts";
import type { Estimate, PaperFigure } from "../evidence.ts";
import { type Cell, membersAt } from "../grid.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { estimateMean } from "../statistics.ts";
import type { Activations } from "./judge.ts";

interface Point extends Estimate {
  readonly x: number;
}

interface Line {
  readonly label: string;
  readonly colour: string;
  readonly points: readonly Point[];
}

/** Means with their intervals, joined. */
function lineMarks({ colour, points }: Line): Mark[] {
  const known = points.filter((p) => Number.isFinite(p.low) && Number.isFinite(p.high));
  return [
    Plot.ruleX(known, { x: "x", y1: "low", y2: "high", stroke: colour, strokeWidth: 1.3 }),
    Plot.line(points, { x: "x", y: "value", stroke: colour, strokeWidth: 1.8 }),
    Plot.dot(points, { x: "x", y: "value", r: 3.2, fill: colour, stroke: PAPER, strokeWidth: 0.8 }),
  ];
}

function panelOf(title: string, x: string, y: string, lines: readonly Line[], domain?: [number, number]): Panel {
  const ends = lines.flatMap((l) => l.points.flatMap((p) => [p.value, p.low, p.high])).filter(Number.isFinite);
  const [low, high] = ends.length === 0 ? [0, 1] : rangeOf(ends);
  const pad = 0.06 * (high - low) || 0.1;
  return {
    title,
    options: {
      y: { domain: domain ?? [low - pad, high + pad] },
      marks: [
        ...yAxis({ label: y, ticks: 5 }),
        ...xAxis({ label: x, ticks: 6, format: String }),
        ...lines.flatMap(lineMarks),
      ],
    },
  };
}

function directions({ families, relu }: Activations, protocol: Protocol): PaperFigure[] {
  if (families.length === 0) return [];
  const named = protocol.named[protocol.activations.task] as NamedCell;
  const subjects = [
    { label: "ReLU", plane: relu },
    ...families.map(({ family, plane }) => ({ label: family === "tanh" ? "tanh" : "leaky ReLU", plane })),
  ].map((s, i) => ({
    ...s,
    colour: conditionColour(i + 1),
    members: membersAt(s.plane.members, named) as ReplayedMember[],
  }));
  const rows: Record<string, string | number>[] = [];
  const lines = (name: "reach" | "track", xOf: (c: Cell) => number, isWanted: (c: Cell) => boolean): Line[] =>
    subjects.map(({ label, colour, plane, members }) => ({
      label,
      colour,
      points: plane.conditions
        .flatMap((c, index): Point[] => {
          if (!isWanted(c)) return [];
          const e = estimateMean(
            members.map((m) => m[name][index] as number),
            protocol.statistics,
          );
          rows.push({ activation: label, ...c, metric: name, value: e.value, low: e.low, high: e.high, n: e.n });
          return [{ x: xOf(c), ...e }];
        })
        .sort((a, b) => a.x - b.x),
    }));
  const byFriction = (c: Cell): boolean => c.adaptStrength === 0;
  const byStrength = (c: Cell): boolean => c.friction === 1 && (c.adaptStrength === 0 || c.adaptTau === named.adaptTau);
  const drawn = [
    panelOf(
      "Momentum: reach time",
      "friction λ",
      "restricted mean reach time, steps",
      lines("reach", (c) => c.friction, byFriction),
    ),
    panelOf(
      "Momentum: coverage",
      "friction λ",
      "share of the track",
      lines("track", (c) => c.friction, byFriction),
    ),
    panelOf(
      `Adaptation, τ_a = ${named.adaptTau}: reach time`,
      "adaptation strength b_a",
      "restricted mean reach time, steps",
      lines("reach", (c) => c.adaptStrength, byStrength),
    ),
    panelOf(
      `Adaptation, τ_a = ${named.adaptTau}: coverage`,
      "adaptation strength b_a",
      "share of the track",
      lines("track", (c) => c.adaptStrength, byStrength),
    ),
  ];
  return [
    {
      part: 4,
      title: "Other activation functions",
      caption: `T-maze, κ = ${named.leak}, k = ${named.maskEvery}: mean and ${100 * protocol.statistics.confidence} % interval over ${protocol.seeds.count} networks of each. A rollout that diverged never arrives and covers nothing.`,
      figure: panels({
        name: "activations",
        description:
          "Reach time and track coverage against friction and adaptation strength, for ReLU and other activation functions.",
        panels: drawn,
        columns: 2,
        entries: subjects.map(({ label, colour }) => ({ label, colour })),
      }),
      csv: formatCsv(
        ["activation", "friction", "adaptStrength", "adaptTau", "metric", "value", "low", "high", "n"],
        rows,
      ),
    },
  ];
}

function divergence(plane: Plane, protocol: Protocol): PaperFigure {
  const rows: Record<string, string | number>[] = [];
  const drawn = protocol.maskEvery.map((maskEvery) => {
    const lines = protocol.leaks.map((leak, i): Line => {
      const members = membersAt(plane.members, { leak, maskEvery }) as ReplayedMember[];
      const points = plane.conditions.flatMap((c, index): Point[] => {
        if (c.adaptStrength > 0) return [];
        const shares = members.map((m) => m.diverged[index] as number);
        const e = estimateMean(shares, protocol.statistics);
        for (const m of members)
          rows.push({
            k: maskEvery,
            kappa: leak,
            seed: m.seed,
            friction: c.friction,
            diverged: m.diverged[index] as number,
          });
        return [{ x: c.friction, value: e.value, n: e.n, low: Math.min(...shares), high: Math.max(...shares) }];
      });
      return { label: "", colour: conditionColour(i), points: points.sort((a, b) => a.x - b.x) };
    });
    return panelOf(
      `k = ${maskEvery}`,
      "friction λ",
      maskEvery === protocol.maskEvery[0] ? "share of rollouts that diverge" : "",
      lines,
      [-0.03, 1.03],
    );
  });
  return {
    part: 4,
    title: "Where small friction diverges",
    caption: `T-maze without adaptation: share of rollouts that diverge, mean over ${protocol.seeds.count} networks; bars: the least and the most of any network.`,
    figure: panels({
      name: "small-friction",
      description: "Share of diverged rollouts against friction, a line per leak, a panel per mask.",
      panels: drawn,
      columns: Math.max(2, drawn.length),
      entries: protocol.leaks.map((leak, i) => ({ label: `κ = ${leak}`, colour: conditionColour(i) })),
    }),
    csv: formatCsv(["k", "kappa", "seed", "friction", "diverged"], rows),
  };
}

export const activationFigures = (result: Activations, protocol: Protocol): PaperFigure[] => [
  ...directions(result, protocol),
  divergence(result.relu, protocol),
];
