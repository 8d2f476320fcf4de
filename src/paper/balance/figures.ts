/** The phase diagram over friction and adaptation strength, and the front of speed against coverage. Pure. */
import * as Plot from "@observablehq/plot";
import { formatCsv } from "../../io/csv.ts";
import { rangeOf } from "../../metrics/statistics.ts";
import { type Mark, xAxis, yAxis } from "../../report/chart.ts";
import { type Panel, panels } from "../../report/panels.ts";
import { figuresPhase, planeOf } from "../../report/sweep-phase.ts";
import { type SweepRecord, sweepTable } from "../../report/sweep-table.ts";
import { conditionColour, INK, PAPER } from "../../report/theme.ts";
import type { PaperFigure } from "../evidence.ts";
import type { Cell } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import { chooseMix, isMix, type Point, paretoFront, plainIndex, pointsOf } from "./choose.ts";
import { type Balance, cellText, namedMembers } from "./judge.ts";
import type { Plane, ReplayedMember } from "./measure.ts";

const kindOf = (c: Cell): "plain" | "momentum" | "adaptation" | "mix" =>
  isMix(c) ? "mix" : c.friction < 1 ? "momentum" : c.adaptStrength > 0 ? "adaptation" : "plain";

const KINDS = [
  { kind: "plain", label: "plain replay", colour: INK },
  { kind: "momentum", label: "momentum alone", colour: conditionColour(1) },
  { kind: "adaptation", label: "adaptation alone", colour: conditionColour(2) },
  { kind: "mix", label: "mixes", colour: conditionColour(3) },
] as const;

const where = ({ named, balance: { task, adaptTau } }: Protocol): string =>
  `κ = ${named[task]?.leak}, k = ${named[task]?.maskEvery}, τ_a = ${adaptTau}`;

function phase(plane: Plane, members: readonly ReplayedMember[], protocol: Protocol): PaperFigure[] {
  const plain = plainIndex(plane);
  const byCondition = new Map(
    plane.conditions.map((c, i): [string, SweepRecord[]] => [
      String(i),
      members.map((m) => ({
        network: m.index,
        parameters: { friction: c.friction, adaptStrength: c.adaptStrength },
        values: {
          compression_reference: (m.reach[plain] as number) / (m.reach[i] as number),
          track: m.track[i] as number,
          offpath: m.offpath[i] as number,
          diverged: m.diverged[i] as number,
        },
      })),
    ]),
  );
  const table = sweepTable(byCondition);
  const axes = planeOf(table);
  // A quick plane is too small for a map.
  if (axes === null) return [];
  const rows = plane.conditions.flatMap((c, i) =>
    members.map((m) => ({
      ...c,
      seed: m.seed,
      reach: m.reach[i],
      track: m.track[i],
      offpath: m.offpath[i],
      diverged: m.diverged[i],
    })),
  );
  const csv = formatCsv(
    ["friction", "adaptStrength", "adaptTau", "seed", "reach", "track", "offpath", "diverged"],
    rows,
  );
  return figuresPhase(table, axes, ["compression_reference", "track", "offpath"], "mean", "balance-phase").map(
    ({ figure }) => ({
      part: 4,
      figure,
      title: "Friction against adaptation strength",
      caption: `T-maze, ${where(protocol)}: mean over ${members.length} networks of restricted mean reach time of plain replay over each mix's, track coverage, and distance from the maze. Hatched: more than half of the rollouts diverged. Ring: plain replay.`,
      csv,
    }),
  );
}

function front({ plane, unseen }: Balance, members: readonly ReplayedMember[], protocol: Protocol): PaperFigure {
  const points = pointsOf(plane, members);
  const sound = points.filter((p) => p.diverged === 0 && Number.isFinite(p.speed));
  const best = paretoFront(points);
  const chosen = chooseMix(points, protocol);
  const again = unseen === null ? undefined : pointsOf(unseen, unseen.members).find((p) => isMix(p.cell));
  const [slowest, fastest] = rangeOf([...sound, ...(again ? [again] : [])].map((p) => p.speed).filter(Number.isFinite));
  const panel = (title: string, label: string, y: (p: Point) => number, line: boolean): Panel => {
    const all = [...sound, ...(again ? [again] : [])].map(y).filter(Number.isFinite);
    const [low, high] = rangeOf(all);
    const pad = 0.06 * (high - low) || 0.1;
    return {
      title,
      options: {
        x: { type: "log", domain: [slowest / 1.06, fastest * 1.06] },
        y: { domain: [low - pad, high + pad] },
        marks: [
          ...yAxis({ label, ticks: 6 }),
          ...xAxis({
            label: "speed over plain replay (ratio of reach times)",
            ticks: [0.25, 0.5, 1, 1.5, 2, 3],
            format: String,
          }),
          ...KINDS.map(
            ({ kind, colour }): Mark =>
              Plot.dot(
                sound.filter((p) => kindOf(p.cell) === kind),
                {
                  x: "speed",
                  y,
                  r: kind === "plain" ? 4.4 : 2.6,
                  fill: colour,
                  fillOpacity: kind === "mix" ? 0.45 : 0.9,
                },
              ),
          ),
          ...(line ? [Plot.line(best, { x: "speed", y, stroke: INK, strokeWidth: 1.2 })] : []),
          ...(chosen ? [Plot.dot([chosen], { x: "speed", y, r: 6.5, stroke: INK, strokeWidth: 1.8 })] : []),
          ...(again ? [Plot.dot([again], { x: "speed", y, r: 5.5, symbol: "diamond", fill: INK, stroke: PAPER })] : []),
        ],
      },
    };
  };
  const rows = points.map((p) => ({
    ...p.cell,
    speed: p.speed,
    track: p.track,
    offpath: p.offpath,
    diverged: p.diverged,
    front: best.includes(p),
    chosen: p === chosen,
  }));
  const said =
    chosen === undefined
      ? ""
      : ` Ring: the mix that the rule chose (${cellText(chosen.cell)}); diamond: the same on unseen seeds.`;
  return {
    part: 4,
    title: "Speed against coverage",
    caption: `T-maze, ${where(protocol)}: a dot per mix, mean over ${members.length} networks; line: what no other mix beats in both. Mixes with diverged rollouts are left out (${points.length - sound.length} of ${points.length}).${said}`,
    figure: panels({
      name: "balance-front",
      description:
        "Track coverage, and distance from the maze, against speed over plain replay for every mix of friction and adaptation strength.",
      panels: [
        panel("Track coverage", "share of the track", (p) => p.track, true),
        panel("Distance from the maze", "times plain replay's", (p) => p.offpath, false),
      ],
      columns: 2,
      height: 320,
      entries: KINDS.map(({ label, colour }) => ({ label, colour })),
    }),
    csv: formatCsv(
      ["friction", "adaptStrength", "adaptTau", "speed", "track", "offpath", "diverged", "front", "chosen"],
      rows,
    ),
  };
}

export function balanceFigures(balance: Balance, protocol: Protocol): PaperFigure[] {
  const members = namedMembers(balance.plane, protocol);
  if (members.length === 0) return [];
  return [...phase(balance.plane, members, protocol), front(balance, members, protocol)];
}
