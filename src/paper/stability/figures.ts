/** Figures of stability: the modes of trained networks in the plane where momentum keeps them, and prediction against fact. Pure. */
import * as Plot from "@observablehq/plot";
import { formatCsv } from "../../io/csv.ts";
import { type Mark, xAxis, yAxis } from "../../report/chart.ts";
import { panels } from "../../report/panels.ts";
import { conditionColour, INK, MUTED, PAPER } from "../../report/theme.ts";
import type { PaperFigure } from "../evidence.ts";
import { leaksOf } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import { TASK_WORDS } from "../words.ts";
import type { StabilityMember, StabilityTask } from "./measure.ts";

/** The border of stable modes at λ: centre 2 − λ, half-axes 2 − λ and λ. */
function border(friction: number): { re: number; im: number }[] {
  return Array.from({ length: 121 }, (_, i) => {
    const angle = (2 * Math.PI * i) / 120;
    return { re: (2 - friction) * (1 - Math.cos(angle)), im: friction * Math.sin(angle) };
  });
}

const SHOWN = [1, 0.7, 0.5, 0.3] as const;
const DASHES = [undefined, "6 3", "3 3", "1.5 3"] as const;

function modesFigure(t: StabilityTask, protocol: Protocol): PaperFigure[] {
  const maskEvery = protocol.named[t.task]?.maskEvery;
  const leaks = leaksOf(t.members);
  const own = (leak: number) => t.members.filter((m) => m.leak === leak && m.maskEvery === maskEvery);
  const points = (leak: number) => own(leak).flatMap((m) => m.modes.map((k) => ({ ...k, seed: m.seed })));
  if (leaks.every((leak) => points(leak).length === 0)) return [];
  const [first] = SHOWN;
  const chart = (leak: number, i: number) => ({
    title: `κ = ${leak}`,
    options: {
      x: { domain: [-0.2, 2.2] as [number, number] },
      y: { domain: [-1.1, 1.1] as [number, number] },
      marks: [
        ...yAxis({ label: "Im k", ticks: [-1, -0.5, 0, 0.5, 1] }),
        ...xAxis({ label: "Re k", ticks: [0, 0.5, 1, 1.5, 2] }),
        ...SHOWN.map((friction, j): Mark => {
          const dash = DASHES[j];
          return Plot.line(
            // A gap, not a chord, where the border leaves the panel.
            border(friction).map((k) => (k.re <= 2.2 ? k : { re: Number.NaN, im: Number.NaN })),
            {
              ...{ x: "re", y: "im", stroke: friction === first ? INK : MUTED, strokeWidth: 1.3 },
              ...(dash === undefined ? {} : { strokeDasharray: dash }),
            },
          );
        }),
        Plot.dot(points(leak), { x: "re", y: "im", r: 1.8, fill: conditionColour(i + 1), fillOpacity: 0.7 }),
      ],
    },
  });
  const figure = panels({
    name: `stability-modes-${t.task}`,
    description: `Eigenvalues k of −∂f/∂r of trained networks in the complex plane, one panel for each leak, with the ellipses inside which λ = ${SHOWN.join(", ")} keeps a mode.`,
    panels: leaks.map(chart),
    columns: Math.min(2, leaks.length),
    height: 330,
    entries: SHOWN.map((friction, j) => ({
      label: `stable at λ = ${friction}`,
      colour: friction === first ? INK : MUTED,
      ...(DASHES[j] === undefined ? {} : { dash: DASHES[j] }),
    })),
  });
  const rows = leaks.flatMap((leak) =>
    points(leak).map(({ seed, re, im }) => ({ leak, maskEvery: maskEvery as number, seed, re, im })),
  );
  return [
    {
      part: 3,
      title: `Modes of trained networks: ${TASK_WORDS[t.task]}`,
      caption: `Eigenvalues of −∂f/∂r averaged over replays at λ = 1, all seeds, k = ${maskEvery}. A mode is kept inside the ellipse of its λ: the less friction, the flatter, so what rotates is lost first. A leak keeps the modes within a smaller distance of κ.`,
      figure,
      csv: formatCsv(["leak", "maskEvery", "seed", "re", "im"], rows),
    },
  ];
}

/** The largest λ at which a network diverged; 0 where it never did. */
const divergedAt = (t: StabilityTask, m: StabilityMember, from: number): number =>
  Math.max(0, ...t.frictions.filter((_, i) => (m.diverged[i] as number) >= from));

function boundaryFigure(tasks: readonly StabilityTask[], protocol: Protocol): PaperFigure[] {
  const { diverged } = protocol.stability;
  const shown = tasks.filter((t) => t.members.some((m) => Number.isFinite(m.critical)));
  if (shown.length === 0) return [];
  const leaks = leaksOf(shown.flatMap((t) => t.members));
  const members = (t: StabilityTask) =>
    t.members.filter((m) => Number.isFinite(m.critical)).map((m) => ({ ...m, fact: divergedAt(t, m, diverged) }));
  const figure = panels({
    name: "stability-boundary",
    description:
      "For each network the predicted λ below which momentum diverges against the largest λ of the grid at which it did.",
    columns: Math.min(3, shown.length),
    height: 300,
    entries: leaks.map((leak, i) => ({ label: `κ = ${leak}`, colour: conditionColour(i + 1) })),
    panels: shown.map((t) => ({
      title: TASK_WORDS[t.task],
      options: {
        x: { domain: [-0.03, 1.03] as [number, number] },
        y: { domain: [-0.05, 1.05] as [number, number] },
        marks: [
          ...yAxis({ label: "largest λ that diverged (0: none)", ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] }),
          ...xAxis({ label: "predicted boundary λ", ticks: [0, 0.2, 0.4, 0.6, 0.8, 1] }),
          Plot.line([{ at: 0 }, { at: 1 }], { x: "at", y: "at", stroke: MUTED, strokeDasharray: "3 3" }),
          ...leaks.map((leak, i) =>
            Plot.dot(
              // Networks of one λ lie on one line: a little apart by seed.
              members(t)
                .filter((m) => m.leak === leak)
                .map((m) => ({ x: m.critical, y: m.fact + 0.004 * ((m.index % 8) - 3.5) })),
              {
                x: "x",
                y: "y",
                r: 3.2,
                fill: conditionColour(i + 1),
                fillOpacity: 0.75,
                stroke: PAPER,
                strokeWidth: 0.6,
              },
            ),
          ),
        ],
      },
    })),
  });
  const rows = shown.flatMap((t) =>
    members(t).map((m) => ({
      task: t.task,
      leak: m.leak,
      maskEvery: m.maskEvery,
      seed: m.seed,
      predicted: m.critical,
      least_of_states: m.criticalOfStates[0] ?? Number.NaN,
      largest_of_states: m.criticalOfStates.at(-1) ?? Number.NaN,
      largest_diverged: m.fact,
    })),
  );
  return [
    {
      part: 3,
      title: "Where momentum diverges: predicted and found",
      caption: `Each dot is a network: the λ below which a mode of its mean Jacobian leaves the ellipse, against the largest λ of the grid at which at least ${100 * diverged} % of its replays diverged (0: none). The grid is coarse: a dot up to one step of it below the line agrees.`,
      figure,
      csv: formatCsv(
        ["task", "leak", "maskEvery", "seed", "predicted", "least_of_states", "largest_of_states", "largest_diverged"],
        rows,
      ),
    },
  ];
}

export function stabilityFigures(tasks: readonly StabilityTask[], protocol: Protocol): PaperFigure[] {
  return [...tasks.flatMap((t) => modesFigure(t, protocol)), ...boundaryFigure(tasks, protocol)];
}
