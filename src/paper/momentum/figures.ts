/** Figures of momentum alone: what it does along λ at the named k, one line for each κ, and the law it settles into. Pure. */
import { formatCsv } from "../../io/csv.ts";
import { type Entry, legend } from "../../report/legend.ts";
import { conditionColour, MUTED } from "../../report/theme.ts";
import type { Estimate, PaperFigure } from "../evidence.ts";
import { leaksOf } from "../grid.ts";
import { estimatePanel, PANEL_HEAD, type PanelLine, type PanelOptions } from "../panel.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean, exactly } from "../statistics.ts";
import { TASK_WORDS } from "../words.ts";
import { lawEstimate, type MomentumResult, ratioAt, seriesAt } from "./judge.ts";
import type { LawTask } from "./law.ts";
import type { MomentumTask, Replayed } from "./measure.ts";

const [WIDTH, HEIGHT, GAP, COLUMNS] = [400, 230, 20, 2];

/** One network is no mean. */
const drawn = (e: Estimate): Estimate => (e.n === 1 ? { ...e, value: Number.NaN } : e);

type Panel = Pick<PanelOptions, "title" | "lines"> & Partial<Pick<PanelOptions, "least" | "rule" | "yLabel">>;

/** Panels along λ, two abreast, under one legend. */
function alongFriction(panels: readonly Panel[], entries: readonly Entry[], frictions: readonly number[]) {
  const width = COLUMNS * WIDTH + GAP;
  const key = legend(entries, 54, 10, width - 60);
  const top = key.height + 10;
  const pitch = PANEL_HEAD + HEIGHT + 14;
  const body = panels.map((p, i) =>
    estimatePanel(
      {
        ...p,
        letter: String.fromCharCode(97 + i),
        xLabel: "friction λ",
        xTicks: frictions,
        width: WIDTH,
        height: HEIGHT,
      },
      (i % COLUMNS) * (WIDTH + GAP),
      top + Math.floor(i / COLUMNS) * pitch,
    ),
  );
  return { width, height: top + Math.ceil(panels.length / COLUMNS) * pitch, body: key.body + body.join("") };
}

const ascending = (frictions: readonly number[]): number[] => [...frictions].sort((a, b) => a - b);

interface Curve {
  readonly name: string;
  readonly title: string;
  readonly of: (leak: number, friction: number) => Estimate;
}

function curvesOf(t: MomentumTask, maskEvery: number, protocol: Protocol): Curve[] {
  const mean = (value: (r: Replayed) => number) => (leak: number, friction: number) =>
    estimateMean(seriesAt(t, { leak, maskEvery }, friction, value, protocol.usable), protocol.statistics);
  const ratio =
    (value: (r: Replayed) => number, way: "down" | "up" = "down") =>
    (leak: number, friction: number) =>
      ratioAt(t, protocol, { leak, maskEvery }, friction, value, way);
  // Of diverged networks too: that is what it counts.
  const diverged = (leak: number, friction: number): Estimate => {
    const own = t.members.filter((m) => m.leak === leak && m.maskEvery === maskEvery);
    const shares = own.map((m) => (m.replays[t.frictions.indexOf(friction)] as Replayed).diverged);
    const e = estimateMean(shares, protocol.statistics);
    return { ...e, low: Math.max(0, e.low), high: Math.min(1, e.high) };
  };
  return [
    { name: "reach_ratio", title: "median reach time, λ = 1 over λ", of: ratio((r) => r.reachMedian) },
    { name: "reach_rmean", title: "restricted mean reach time (steps)", of: mean((r) => r.reachMean) },
    ...(t.task === "triangle" ? [{ name: "abs_laps", title: "laps either way", of: mean((r) => r.absLaps) }] : []),
    ...(t.task === "tmaze" || t.task === "triangle"
      ? [{ name: "offpath", title: "distance from the maze (m)", of: mean((r) => r.offPath) }]
      : [{ name: "reach_fraction", title: "share of replays that leave", of: mean((r) => r.reachFraction) }]),
    { name: "diverged", title: "share of replays that diverged", of: diverged },
  ];
}

function taskFigure(t: MomentumTask, protocol: Protocol): PaperFigure[] {
  const maskEvery = protocol.named[t.task]?.maskEvery;
  if (maskEvery === undefined) return [];
  const frictions = ascending(t.frictions);
  const leaks = leaksOf(t.members);
  const curves = curvesOf(t, maskEvery, protocol);
  const inverse: PanelLine = {
    colour: MUTED,
    dash: "5 4",
    points: frictions.map((x) => ({ x, estimate: exactly(1 / x) })),
  };
  const panels = curves.map(({ name, title, of }) => ({
    title,
    least: 0,
    lines: [
      ...(name === "reach_ratio" ? [inverse] : []),
      ...leaks.map((leak, i) => ({
        colour: conditionColour(i + 1),
        points: frictions.map((x) => ({ x, estimate: drawn(of(leak, x)) })),
      })),
    ],
  }));
  const entries = [
    ...leaks.map((leak, i) => ({ label: `κ = ${leak}`, colour: conditionColour(i + 1) })),
    { label: "predicted: 1/λ", colour: MUTED, dash: "5 4" },
  ];
  const rows = curves.flatMap(({ name, of }) =>
    leaks.flatMap((leak) =>
      frictions.map((friction) => {
        const e = of(leak, friction);
        return { metric: name, leak, maskEvery, friction, mean: e.value, low: e.low, high: e.high, networks: e.n };
      }),
    ),
  );
  const title = `Momentum alone: ${TASK_WORDS[t.task]}`;
  return [
    {
      part: 3,
      title,
      caption: `Replays without adaptation along λ, k = ${maskEvery}, T = ${t.steps}. Means over networks with their ${100 * protocol.statistics.confidence} % intervals; a network of which more than ${100 * protocol.usable.divergedAtMost} % of the replays diverged has no say but in the last panel.`,
      figure: {
        name: `momentum-${t.task}`,
        ...alongFriction(panels, entries, frictions),
        description: `${title}: ${curves.map((c) => c.title).join(", ")} against friction, one line for each leak.`,
      },
      csv: formatCsv(["metric", "leak", "maskEvery", "friction", "mean", "low", "high", "networks"], rows),
    },
  ];
}

function lawFigure(laws: readonly LawTask[], protocol: Protocol): PaperFigure[] {
  const { maskEvery, excessAtMost, steps } = protocol.momentum.law;
  const leaks = leaksOf(laws.flatMap((t) => t.members));
  if (laws.length === 0) return [];
  const frictions = ascending([...new Set(laws.flatMap((t) => t.frictions))]);
  const at = (t: LawTask, leak: number, friction: number): Estimate =>
    lawEstimate(t, { leak, maskEvery }, t.frictions.indexOf(friction), protocol);
  const panels = laws.map((t) => ({
    title: `${TASK_WORDS[t.task]}: distance beyond the floor (sd)`,
    rule: excessAtMost,
    lines: leaks.map((leak, i) => ({
      colour: conditionColour(i + 1),
      points: frictions.map((x) => ({ x, estimate: drawn(at(t, leak, x)) })),
    })),
  }));
  const rows = laws.flatMap((t) =>
    t.members.flatMap((m) =>
      t.frictions.map((friction, i) => ({
        task: t.task,
        leak: m.leak,
        maskEvery: m.maskEvery,
        seed: m.seed,
        friction,
        distance: m.distances[i] as number,
        floor: m.floor,
        spread: m.spread,
      })),
    ),
  );
  return [
    {
      part: 3,
      title: "The law that replays settle into",
      caption: `Sliced Wasserstein distance of the positions of steps ${steps / 2}–${steps} at λ from those at λ = 1, less that of two independent clouds at λ = 1, in standard deviations of the cloud; dashed: what counts as the same. k = ${maskEvery}; means over networks with their ${100 * protocol.statistics.confidence} % intervals.`,
      figure: {
        name: "momentum-law",
        ...alongFriction(
          panels,
          leaks.map((leak, i) => ({ label: `κ = ${leak}`, colour: conditionColour(i + 1) })),
          frictions,
        ),
        description:
          "Distance between the stationary positions of replays with and without momentum, for each task and leak.",
      },
      csv: formatCsv(["task", "leak", "maskEvery", "seed", "friction", "distance", "floor", "spread"], rows),
    },
  ];
}

export function momentumFigures({ tasks, laws }: MomentumResult, protocol: Protocol): PaperFigure[] {
  return [...tasks.flatMap((t) => taskFigure(t, protocol)), ...lawFigure(laws, protocol)];
}
