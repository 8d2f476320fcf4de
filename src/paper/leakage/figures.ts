/** Learning curves, and the error that they end at. Pure. */
import * as Plot from "@observablehq/plot";
import { formatCsv } from "../../io/csv.ts";
import { rangeOf } from "../../metrics/statistics.ts";
import { type Mark, xAxis, yAxis } from "../../report/chart.ts";
import { type Panel, panels } from "../../report/panels.ts";
import { conditionColour, PAPER } from "../../report/theme.ts";
import type { Estimate, PaperFigure } from "../evidence.ts";
import { membersAt } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean } from "../statistics.ts";
import { TASK_WORDS } from "../words.ts";
import type { LeakageMember, TaskLeakage } from "./measure.ts";

/** Of positive values: the geometric mean, its interval made of logarithms. */
function geometricMean(values: readonly number[], s: Protocol["statistics"]): Estimate {
  const { value, low, high, n } = estimateMean(values.map(Math.log), s);
  return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high), n };
}

const unitOf = ({ task }: TaskLeakage): string =>
  task.startsWith("place") ? "mean squared error of rates" : "mean squared error, m²";

const at = (t: TaskLeakage, leak: number, maskEvery: number): LeakageMember[] =>
  membersAt(t.members, { leak, maskEvery }) as LeakageMember[];

const entriesOf = (leaks: readonly number[]) =>
  leaks.map((leak, i) => ({
    label: `κ = ${leak}${leak === 1 ? " (vanilla)" : leak === 0 ? " (no leak)" : ""}`,
    colour: conditionColour(i),
  }));

/** 1, 2, 5 of each decade within a range, or more where that is few. */
function decadeTicks(low: number, high: number): number[] {
  const factors = high / low < 4 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : [1, 2, 5];
  const decades = Array.from({ length: 13 }, (_, i) => i - 8);
  return decades.flatMap((d) => factors.map((f) => f * 10 ** d)).filter((x) => x >= low && x <= high);
}

/** 0.0050 → "0.005" */
const tickText = (x: number): string => String(Number(x.toPrecision(2)));

interface CurvePoint extends Estimate {
  readonly x: number;
}

function curvesFigure(t: TaskLeakage, protocol: Protocol): PaperFigure {
  const rows: Record<string, string | number>[] = [];
  const byPanel = protocol.maskEvery.map((maskEvery) => ({
    maskEvery,
    lines: protocol.leaks.map((leak, i) => {
      const members = at(t, leak, maskEvery);
      const points = t.at.map((x, j): CurvePoint => {
        const e = geometricMean(
          members.map((m) => m.curve[j] as number),
          protocol.statistics,
        );
        rows.push({
          task: t.task,
          k: maskEvery,
          kappa: leak,
          iteration: x,
          loss: e.value,
          low: e.low,
          high: e.high,
          n: e.n,
        });
        return { x, ...e };
      });
      return { colour: conditionColour(i), points: points.filter((p) => Number.isFinite(p.value) && p.value > 0) };
    }),
  }));
  const all = byPanel.flatMap(({ lines }) => lines.flatMap(({ points }) => points.map((p) => p.value)));
  const [low, top] = all.length === 0 ? [0.001, 1] : rangeOf(all);
  // The first iterations of an unstable start would press all that matters into a corner.
  const high = Math.min(top, 100 * low);
  const clip = (y: number): number => Math.min(high * 1.3, Math.max(low / 1.3, y));
  const drawn = byPanel.map(
    ({ maskEvery, lines }): Panel => ({
      title: `k = ${maskEvery}: ${maskEvery === 1 ? "input always visible" : `visible at 1 step in ${maskEvery}`}`,
      options: {
        x: { domain: [0, t.iterations] },
        y: { type: "log", domain: [low / 1.3, high * 1.3] },
        marks: [
          ...yAxis({
            label: maskEvery === protocol.maskEvery[0] ? unitOf(t) : "",
            ticks: decadeTicks(low / 1.3, high * 1.3),
            format: tickText,
          }),
          ...xAxis({ label: "iteration", ticks: 4, format: String }),
          ...lines.flatMap(({ colour, points }): Mark[] => [
            Plot.areaY(
              points.filter((p) => Number.isFinite(p.low) && Number.isFinite(p.high)),
              {
                x: "x",
                y1: (p: CurvePoint) => clip(p.low),
                y2: (p: CurvePoint) => clip(p.high),
                fill: colour,
                fillOpacity: 0.18,
              },
            ),
            Plot.line(points, { x: "x", y: (p: CurvePoint) => clip(p.value), stroke: colour, strokeWidth: 1.8 }),
          ]),
        ],
      },
    }),
  );
  const name = TASK_WORDS[t.task];
  return {
    part: 1,
    title: `Learning with and without a leak: ${name}`,
    caption: `Training loss (mean over ${protocol.leakage.smoothOver} iterations), geometric mean and ${100 * protocol.statistics.confidence} % interval over ${protocol.seeds.count} networks, by leak κ and mask k.`,
    figure: panels({
      name: `leakage-curves-${t.task}`,
      description: `Training loss against iteration for each leak, one panel per mask; ${name}.`,
      panels: drawn,
      columns: Math.max(2, drawn.length),
      entries: entriesOf(protocol.leaks),
    }),
    csv: formatCsv(["task", "k", "kappa", "iteration", "loss", "low", "high", "n"], rows),
  };
}

function errorFigure(tasks: readonly TaskLeakage[], protocol: Protocol): PaperFigure {
  const rows: Record<string, string | number>[] = [];
  const place = (leak: number): string => String(leak);
  const drawn = tasks.map((t): Panel => {
    const lines = protocol.maskEvery.map((maskEvery, i) => ({
      colour: conditionColour(i + 1),
      points: protocol.leaks.map((leak) => {
        const members = at(t, leak, maskEvery);
        const e = geometricMean(
          members.map((m) => m.error),
          protocol.statistics,
        );
        for (const m of members)
          rows.push({
            task: t.task,
            k: maskEvery,
            kappa: leak,
            seed: m.seed,
            error: m.error,
            to_reference: m.toReference,
          });
        return { x: place(leak), e, each: members.map((m) => m.error).filter(Number.isFinite) };
      }),
    }));
    const all = lines.flatMap(({ points }) => points.flatMap((p) => [...p.each, p.e.value])).filter((y) => y > 0);
    const [low, high] = all.length === 0 ? [0.001, 1] : rangeOf(all);
    const domain: [number, number] = [low / 1.25, high * 1.25];
    return {
      title: TASK_WORDS[t.task],
      options: {
        x: { type: "point", domain: protocol.leaks.map(place), padding: 0.3 },
        y: { type: "log", domain },
        marks: [
          ...yAxis({ label: unitOf(t), ticks: decadeTicks(...domain), format: tickText }),
          ...xAxis({ label: "leak κ" }),
          ...lines.flatMap(({ colour, points }): Mark[] => {
            const there = points.filter((p) => p.e.n > 0);
            const known = there.filter((p) => Number.isFinite(p.e.low) && Number.isFinite(p.e.high));
            return [
              Plot.dot(
                there.flatMap((p) => p.each.map((y) => ({ x: p.x, y }))),
                { x: "x", y: "y", r: 1.8, fill: colour, fillOpacity: 0.4 },
              ),
              Plot.ruleX(known, {
                x: "x",
                y1: (p: (typeof known)[number]) => Math.max(domain[0], p.e.low),
                y2: (p: (typeof known)[number]) => Math.min(domain[1], p.e.high),
                stroke: colour,
                strokeWidth: 1.4,
              }),
              Plot.line(there, {
                x: "x",
                y: (p: (typeof there)[number]) => p.e.value,
                stroke: colour,
                strokeWidth: 1.8,
              }),
              Plot.dot(there, {
                x: "x",
                y: (p: (typeof there)[number]) => p.e.value,
                r: 3.4,
                fill: colour,
                stroke: PAPER,
                strokeWidth: 0.8,
              }),
            ];
          }),
        ],
      },
    };
  });
  return {
    part: 1,
    title: "The error that training ends at",
    caption: `Error on fresh trajectories against the leak: geometric mean with ${100 * protocol.statistics.confidence} % interval, and every network (${protocol.seeds.count} seeds). κ = 0 is without a leak, κ = 1 the vanilla network.`,
    figure: panels({
      name: "leakage-error",
      description: "Final test error against leak, one line per mask, one panel per task.",
      panels: drawn,
      columns: 2,
      entries: protocol.maskEvery.map((k, i) => ({
        label: k === 1 ? "k = 1: always visible" : `k = ${k}`,
        colour: conditionColour(i + 1),
      })),
    }),
    csv: formatCsv(["task", "k", "kappa", "seed", "error", "to_reference"], rows),
  };
}

export function leakageFigures(tasks: readonly TaskLeakage[], protocol: Protocol): PaperFigure[] {
  return [...tasks.map((t) => curvesFigure(t, protocol)), ...(tasks.length > 0 ? [errorFigure(tasks, protocol)] : [])];
}
