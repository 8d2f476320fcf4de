import * as Plot from "@observablehq/plot";
import { AWAKE } from "../metrics/measure.ts";
import { type Speeds, speedsOf } from "../metrics/speeds.ts";
import { quantileSorted } from "../metrics/statistics.ts";
import { chart, type Mark, xAxis } from "./chart.ts";
import { formatNumber } from "./format.ts";
import { environmentIn, type ReportInput } from "./input.ts";
import { type Figure, fitText, text } from "./svg.ts";
import { conditionColour, HAIRLINE, INK, MUTED } from "./theme.ts";

/** Histogram cells across the axis. */
const CELLS = 60;
const [WIDTH, RIDGE, OVERLAP] = [490, 46, 1.25];
const [LEFT, RIGHT] = [92, 104];
export const MAX_RIDGES = 9;

interface Ridge {
  /** As in metrics.csv. */
  readonly name: string;
  readonly label: string;
  readonly colour: string;
  readonly speeds: Speeds;
  /** Of all times, in each of the axis' cells, standing still apart. */
  readonly shares: readonly number[];
}

export interface SpeedRidges {
  readonly ridges: readonly Ridge[];
  /** Where the axis ends, m/step. */
  readonly most: number;
}

/** Awake, then the conditions in their order, but for those that never moved. */
export function speedRidges(input: ReportInput): SpeedRidges {
  const every = input.every ?? 1;
  const awake =
    input.awake === undefined
      ? []
      : [{ name: AWAKE, label: "awake", colour: INK, speeds: speedsOf(input.awake.readout, 1) }];
  const replays = input.conditions.map((c, i) => ({
    name: c.name,
    label: c.label,
    colour: conditionColour(i),
    speeds: speedsOf(c.positions, every),
  }));
  const shown = [...awake, ...replays].filter((r) => r.speeds.sorted.length > 0).slice(0, MAX_RIDGES);
  const { view } = environmentIn(input);
  const across = Math.max(view.width, view.height);
  // Beyond the axis lie at most one speed in two hundred of each, and what crosses the whole panel in that time.
  const most = Math.max(
    1e-9,
    ...shown.map((r) => Math.min(quantileSorted(r.speeds.sorted, 0.995), across / r.speeds.lag)),
  );
  return { ridges: shown.map((r) => ({ ...r, shares: histogram(r.speeds.sorted, most) })), most };
}

/** Speeds at all times: awake and each condition, one above the other, with their medians. */
export function figureSpeed({ ridges, most }: SpeedRidges): Figure {
  const highest = Math.max(1e-9, ...ridges.flatMap((r) => r.shares));
  const marks: Mark[] = [];
  const height = ridges.length * RIDGE + 30 + 44;
  ridges.forEach((ridge, i) => {
    const base = ridges.length - 1 - i;
    const lift = (d: number): number => base + (OVERLAP * d) / highest;
    const points = ridge.shares.map((d, k) => ({
      x: ((k + 0.5) / CELLS) * most,
      low: base,
      high: lift(d),
    }));
    const middle = quantileSorted(ridge.speeds.sorted, 0.5);
    const still = stillShare(ridge.speeds.sorted);
    const at = ridge.shares[Math.min(CELLS - 1, Math.floor((middle / most) * CELLS))] ?? 0;
    marks.push(
      Plot.ruleY([base], { stroke: HAIRLINE }),
      Plot.areaY(points, { x: "x", y1: "low", y2: "high", fill: ridge.colour, fillOpacity: 0.22, curve: "basis" }),
      Plot.lineY(points, { x: "x", y: "high", stroke: ridge.colour, strokeWidth: 1.6, curve: "basis" }),
      Plot.link(middle <= most ? [{ x: middle, y1: base, y2: lift(at) }] : [], {
        x1: "x",
        x2: "x",
        y1: "y1",
        y2: "y2",
        stroke: ridge.colour,
        strokeWidth: 2,
      }),
      Plot.text([{ y: base }], {
        x: 0,
        y: "y",
        text: () => fitText(ridge.label, 12, LEFT - 14),
        dx: -8,
        dy: -6,
        textAnchor: "end",
        fill: INK,
        fontSize: 12,
        fontWeight: 600,
      }),
      Plot.text([{ y: base }], {
        x: most,
        y: "y",
        text: () =>
          `median ${formatNumber(middle)}\nn = ${ridge.speeds.rows} paths${still < 0.005 ? "" : `\n${formatNumber(100 * still, 2)} % still`}`,
        dx: 8,
        dy: still < 0.005 ? -11 : -17,
        textAnchor: "start",
        fill: MUTED,
        fontSize: 10.5,
        lineHeight: 1.25,
      }),
    );
  });
  const lags = [...new Set(ridges.map((r) => r.speeds.lag))].join(" or ");
  return {
    name: "speed",
    width: WIDTH,
    height,
    body:
      text(LEFT, 10, "↑ share of time, one scale for all", { size: 10.5, fill: MUTED }) +
      chart({
        width: WIDTH,
        height,
        marginLeft: LEFT,
        marginRight: RIGHT,
        marginTop: 30,
        x: { domain: [0, most] },
        y: { axis: null, domain: [0, Math.max(1, ridges.length)] },
        marks: [...xAxis({ label: `speed over ${lags || "5"} steps (m/step)`, ticks: 5 }), ...marks],
      }),
    description: `Distributions of speed: ${ridges.map((r) => `${r.label} median ${formatNumber(quantileSorted(r.speeds.sorted, 0.5))} m/step`).join(", ")}.`,
  };
}

/** Decoding by the most active place cells gives the same position again: exactly no speed, and a peak beyond all others. */
const stillShare = (sorted: Float64Array): number => {
  const moving = sorted.findIndex((v) => v > 0);
  return (moving < 0 ? sorted.length : moving) / Math.max(1, sorted.length);
};

/** Share of the speeds in each of the axis' cells, standing still apart. */
function histogram(sorted: Float64Array, most: number): number[] {
  const counts = new Array<number>(CELLS).fill(0);
  for (const v of sorted) {
    const cell = Math.floor((v / most) * CELLS);
    if (v > 0 && cell < CELLS) counts[cell] = (counts[cell] as number) + 1;
  }
  return counts.map((n) => n / Math.max(1, sorted.length));
}
