import * as Plot from "@observablehq/plot";
import { AWAKE } from "../metrics/measure.ts";
import { median } from "../metrics/statistics.ts";
import { chart, type Mark, xAxis, yAxis } from "./chart.ts";
import { formatNumber } from "./format.ts";
import type { ReportInput } from "./input.ts";
import { type Entry, legend } from "./legend.ts";
import { type Figure, fitText } from "./svg.ts";
import { conditionColour, INK } from "./theme.ts";

interface Step {
  readonly x: number;
  readonly y: number;
}

/** Curves have at most about this many steps. */
const MAX_STEPS = 800;
/** Single networks are drawn up to this many; more would be a smear. */
const MAX_NETWORKS = 12;
const ROUND = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7];

/** Empirical distribution of reach times up to `end`; rows that never arrive keep it below 1. */
function distribution(times: readonly number[], end: number): Step[] {
  const arrived = times.filter(Number.isFinite).sort((a, b) => a - b);
  const stride = Math.ceil(new Set(arrived).size / MAX_STEPS);
  const steps = arrived
    .map((x, i) => ({ x, y: (i + 1) / times.length }))
    .filter(({ x }, i) => x !== arrived[i + 1])
    .filter((_, i) => i % stride === 0);
  return [{ x: arrived[0] ?? end, y: 0 }, ...steps, { x: end, y: arrived.length / times.length }];
}

/** "median 69, n = 288, 34 % never": times beyond the end are censored, so a median among them is only known to be later. */
function inWords(times: readonly number[], end: number): string {
  const middle = median(times);
  const never = times.filter((t) => !Number.isFinite(t)).length / times.length;
  const words = [Number.isFinite(middle) ? `median ${formatNumber(middle)}` : `median > ${end}`, `n = ${times.length}`];
  if (never > 0) words.push(`${formatNumber(100 * never, 2)} % never`);
  return words.join(", ");
}

/** Share of replays that have reached the goal by each step: all networks together, and each one thinly. */
export function figureReach(input: ReportInput): Figure {
  const ofCondition = (name: string) => input.records.filter((r) => r.condition === name);
  const every = input.every ?? 1;
  const end = Math.max(1, ...input.conditions.map((c) => (c.positions.shape[1] ?? 0) * every));
  const finite = input.records.flatMap((r) => [...r.reachTimes].filter(Number.isFinite));
  const first = finite.reduce((a, b) => Math.min(a, b), end);
  // Where nothing arrives, the whole time is shown: it is what nothing happened in.
  const start = finite.length === 0 ? 1 : (ROUND.findLast((t) => t <= first * 0.9 && t < end) ?? 1);
  const awakeEnd = input.awake?.readout.shape[1] ?? end;
  const ticks = ROUND.filter((t) => t >= start && t <= end);
  const lines: Mark[] = [];
  const entries: Entry[] = [];
  const draw = (name: string, label: string, colour: string, last: number, dash?: string): void => {
    const records = ofCondition(name);
    if (records.length === 0) return;
    const style = { x: "x", y: "y", curve: "step-after", stroke: colour } as const;
    if (records.length > 1 && records.length <= MAX_NETWORKS && dash === undefined) {
      for (const r of records) {
        lines.push(
          Plot.line(distribution([...r.reachTimes], last), { ...style, strokeWidth: 0.7, strokeOpacity: 0.4 }),
        );
      }
    }
    const pooled = records.flatMap((r) => [...r.reachTimes]);
    const dashed = dash === undefined ? {} : { strokeDasharray: dash };
    lines.push(Plot.line(distribution(pooled, last), { ...style, strokeWidth: 1.8, ...dashed }));
    entries.push({
      label: `${fitText(label, 11.5, 160)}: ${inWords(pooled, last)}`,
      colour,
      ...(dash === undefined ? {} : { dash }),
    });
  };
  draw(AWAKE, "awake", INK, awakeEnd, "3 3");
  input.conditions.forEach((c, i) => {
    draw(c.name, c.label, conditionColour(i), end);
  });
  const [width, height] = [490, 330];
  const key = legend(entries, 54, 10, width - 70);
  const body = chart(
    {
      width,
      height,
      x: { type: "log", domain: [start, Math.max(end, start + 1)] },
      y: { domain: [0, 1] },
      marks: [
        ...yAxis({ label: "share of replays that have arrived", ticks: 5 }),
        ...xAxis({ label: "time since the start (steps)", ticks, format: (v) => String(v) }),
        ...lines,
      ],
    },
    0,
    key.height,
  );
  return {
    name: "reach",
    width,
    height: height + key.height,
    body: key.body + body,
    description:
      "Cumulative distribution of reach times for each condition; what never arrives keeps a curve below one.",
  };
}
