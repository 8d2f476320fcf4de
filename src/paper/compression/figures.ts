/** Figures of compression: along λ against experience, and the frontier of compression against fidelity. Pure. */
import * as Plot from "@observablehq/plot";
import { formatCsv } from "../../io/csv.ts";
import { rangeOf } from "../../metrics/statistics.ts";
import { type Mark, xAxis, yAxis } from "../../report/chart.ts";
import { panels } from "../../report/panels.ts";
import { conditionColour, HAIRLINE, INK, MUTED, PAPER } from "../../report/theme.ts";
import type { Estimate, PaperFigure } from "../evidence.ts";
import { leaksOf } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import { TASK_WORDS } from "../words.ts";
import { againstAwake, againstPlain, codeFactor, factor, infidelity, type Quantity } from "./judge.ts";
import type { CompressionTask } from "./measure.ts";

/** What is drawn of the scale; longer intervals are cut. */
const Y: readonly [number, number] = [0.2, 24];
const TICKS = [0.25, 0.5, 1, 2, 5, 10, 20];

interface Point {
  readonly x: number;
  readonly estimate: Estimate;
}

/** A line with its band; one network is no mean. */
function lineMarks(points: readonly Point[], colour: string, dash?: string): Mark[] {
  const shown = points
    .filter((p) => p.estimate.n >= 2 && Number.isFinite(p.estimate.value))
    .map(({ x, estimate: e }) => ({ x, y: e.value, low: Math.max(Y[0], e.low), high: Math.min(Y[1], e.high) }));
  return [
    Plot.areaY(shown, { x: "x", y1: "low", y2: "high", fill: colour, fillOpacity: 0.14 }),
    Plot.line(shown, {
      x: "x",
      y: "y",
      stroke: colour,
      strokeWidth: 2.2,
      ...(dash === undefined ? {} : { strokeDasharray: dash }),
    }),
    Plot.dot(shown, { x: "x", y: "y", r: 2.6, fill: colour, stroke: PAPER, strokeWidth: 0.8 }),
  ];
}

/** The band of animals' replays, and the line of no compression. */
const ground = (y: readonly [number, number], { animal }: Protocol["compression"]): Mark[] => [
  Plot.rect([{}], { y1: Math.max(y[0], animal[0]), y2: Math.min(y[1], animal[1]), fill: HAIRLINE, fillOpacity: 0.6 }),
  Plot.ruleY([1], { stroke: MUTED, strokeDasharray: "3 3" }),
];

/** Share of a panel that a label takes, each way. */
const LABEL = [0.14, 0.04] as const;

/** Points whose labels do not lie on one another, the first ones first. @param domain of x; both scales are logarithmic */
function apart<P extends { readonly x: number; readonly y: number }>(
  points: readonly P[],
  domain: readonly [number, number],
): P[] {
  const share = (a: number, b: number, [low, high]: readonly [number, number]) =>
    Math.abs(Math.log(a / b) / Math.log(high / low));
  const kept: P[] = [];
  for (const p of points) {
    if (kept.every((q) => share(p.x, q.x, domain) > LABEL[0] || share(p.y, q.y, Y) > LABEL[1])) kept.push(p);
  }
  return kept;
}

function scaleFigure(tasks: readonly CompressionTask[], protocol: Protocol): PaperFigure[] {
  const { maskEvery, animal } = protocol.compression;
  const frictions = [...protocol.replay.friction].sort((a, b) => a - b);
  const leaks = leaksOf(tasks.flatMap((t) => t.members));
  const along = (t: CompressionTask, leak: number, value: Quantity): Point[] =>
    frictions.map((x) => ({
      x,
      estimate: againstAwake(t, { leak, maskEvery }, { friction: x, adaptStrength: 0 }, value, protocol),
    }));
  const code = (t: CompressionTask): Mark[] =>
    lineMarks(
      leaksOf(t.members).flatMap((leak) => along(t, leak, codeFactor)),
      INK,
      "4 3",
    );
  const figure = panels({
    name: "compression-scale",
    description: `Compression of replays against experience along friction, one panel for each task and one line for each leak; ${animal.join("–")}× of animals' replays as a band.`,
    columns: Math.min(3, tasks.length),
    height: 300,
    entries: [
      ...leaks.map((leak, i) => ({ label: `κ = ${leak}`, colour: conditionColour(i + 1) })),
      ...(tasks.some((t) => t.members.some((m) => m.codeCalibration !== null))
        ? [{ label: "in code space", colour: INK, dash: "4 3" }]
        : []),
      { label: "as fast as experience", colour: MUTED, dash: "3 3" },
      { label: `animals: ${animal.join("–")}×`, colour: HAIRLINE },
    ],
    panels: tasks.map((t) => ({
      title: TASK_WORDS[t.task],
      options: {
        x: { domain: [frictions[0] as number, frictions.at(-1) as number] },
        y: { type: "log" as const, domain: [...Y] },
        marks: [
          ...ground(Y, protocol.compression),
          ...yAxis({ label: "awake steps per replay step", ticks: TICKS, format: String }),
          ...xAxis({ label: "friction λ", ticks: frictions, format: String }),
          ...leaks.flatMap((leak, i) => lineMarks(along(t, leak, factor), conditionColour(i + 1))),
          ...code(t),
        ],
      },
    })),
  });
  const rows = tasks.flatMap((t) =>
    t.members.flatMap((m) =>
      m.points.map((p) => ({
        task: t.task,
        leak: m.leak,
        maskEvery: m.maskEvery,
        seed: m.seed,
        ...{ friction: p.friction, adaptStrength: p.adaptStrength, adaptTau: t.adaptTau },
        ...{ factor: p.factor, code_factor: p.codeFactor, moving: p.moving, distance: p.distance },
        ...{ offpath: p.offPath, diverged: p.diverged },
      })),
    ),
  );
  const columns =
    "task leak maskEvery seed friction adaptStrength adaptTau factor code_factor moving distance offpath diverged";
  return [
    {
      part: 3,
      title: "Temporal compression against experience",
      caption: `The time scale at which pieces of replay lie best along awake paths, calibrated on held-out awake paths of known speed; b_a = 0, k = ${maskEvery}. Geometric means over networks with their ${100 * protocol.statistics.confidence} % intervals. Animals' replays run ${animal.join("–")} times as fast as experience.`,
      figure,
      csv: formatCsv(columns.split(" "), rows),
    },
  ];
}

function frontierFigure(tasks: readonly CompressionTask[], protocol: Protocol): PaperFigure[] {
  const { maskEvery, offPathAtMost, animal } = protocol.compression;
  const strengths = [0, ...protocol.replay.adaptStrength];
  const points = (t: CompressionTask, adaptStrength: number) => {
    const leak = protocol.named[t.task]?.leak ?? Number.NaN;
    return [...protocol.replay.friction]
      .sort((a, b) => b - a)
      .map((friction) => {
        const c = { friction, adaptStrength };
        const x = againstPlain(t, { leak, maskEvery }, c, infidelity, protocol);
        const y = againstAwake(t, { leak, maskEvery }, c, factor, protocol);
        return { friction, adaptStrength, x, y };
      })
      .filter((p) => p.x.n >= 2 && p.y.n >= 2 && Number.isFinite(p.x.value) && Number.isFinite(p.y.value));
  };
  const shown = tasks.filter((t) => strengths.some((s) => points(t, s).length > 0));
  if (shown.length === 0) return [];
  const figure = panels({
    name: "compression-frontier",
    description:
      "Compression against experience over the loss of fidelity against plain replay, one line along friction for each adaptation strength.",
    columns: Math.min(3, shown.length),
    height: 320,
    entries: [
      ...strengths.map((s, i) => ({ label: `b_a = ${s}`, colour: conditionColour(i) })),
      { label: `fidelity asked for: ${offPathAtMost}× plain`, colour: MUTED, dash: "5 4" },
      { label: `animals: ${animal.join("–")}×`, colour: HAIRLINE },
    ],
    panels: shown.map((t) => {
      const all = strengths.map((s) => points(t, s));
      const [, high] = rangeOf(all.flat().map((p) => p.x.value));
      const most = Math.min(20, Math.max(2, 1.1 * high));
      return {
        title: TASK_WORDS[t.task],
        options: {
          x: {
            type: "log" as const,
            domain: [0.5, most] as [number, number],
            clamp: true,
          },
          y: { type: "log" as const, domain: [...Y] },
          marks: [
            ...ground(Y, protocol.compression),
            ...yAxis({ label: "awake steps per replay step", ticks: TICKS, format: String }),
            ...xAxis({
              label: "distance from the path / plain",
              ticks: [0.5, 1, 2, 5, 10, 20].filter((x) => x <= 0.95 * most),
              format: String,
            }),
            Plot.ruleX([offPathAtMost], { stroke: MUTED, strokeDasharray: "5 4" }),
            ...all.flatMap((own, i): Mark[] => {
              const flat = own.map((p) => ({
                x: p.x.value,
                y: p.y.value,
                low: Math.max(Y[0], p.y.low),
                high: Math.min(Y[1], p.y.high),
                friction: p.friction,
              }));
              const colour = conditionColour(i);
              return [
                Plot.ruleX(flat, { x: "x", y1: "low", y2: "high", stroke: colour, strokeOpacity: 0.5 }),
                Plot.line(flat, { x: "x", y: "y", stroke: colour, strokeWidth: 1.6 }),
                Plot.dot(flat, { x: "x", y: "y", r: 3, fill: colour, stroke: PAPER, strokeWidth: 0.8 }),
                ...(i === 0
                  ? [
                      Plot.text(apart(flat, [0.5, most]), {
                        x: "x",
                        y: "y",
                        text: (p: { friction: number }) => `λ ${p.friction}`,
                        dx: -6,
                        dy: -8,
                        textAnchor: "end",
                        fontSize: 10,
                        fill: MUTED,
                      } as never),
                    ]
                  : []),
              ];
            }),
          ],
        },
      };
    }),
  });
  const rows = shown.flatMap((t) =>
    strengths.flatMap((s) =>
      points(t, s).map(({ friction, adaptStrength, x, y }) => ({
        ...{ task: t.task, friction, adaptStrength, adaptTau: t.adaptTau },
        ...{ compression: y.value, compression_low: y.low, compression_high: y.high, networks: y.n },
        ...{ infidelity: x.value, infidelity_low: x.low, infidelity_high: x.high },
      })),
    ),
  );
  const columns =
    "task friction adaptStrength adaptTau compression compression_low compression_high networks infidelity infidelity_low infidelity_high";
  return [
    {
      part: 3,
      title: "The frontier of compression against fidelity",
      caption: `Up is faster than experience, left is closer to the maze (in a box: to awake pieces of path), against λ = 1, b_a = 0. One line along λ for each b_a at the named κ, k = ${maskEvery}; bars: ${100 * protocol.statistics.confidence} % intervals over networks. Conditions under which most replays diverged are not there.`,
      figure,
      csv: formatCsv(columns.split(" "), rows),
    },
  ];
}

export const compressionFigures = (tasks: readonly CompressionTask[], protocol: Protocol): PaperFigure[] =>
  tasks.length === 0 ? [] : [...scaleFigure(tasks, protocol), ...frontierFigure(tasks, protocol)];
