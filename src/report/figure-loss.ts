import * as Plot from "@observablehq/plot";
import { median, rangeOf } from "../metrics/statistics.ts";
import { chart, xAxis, yAxis } from "./chart.ts";
import { niceLength } from "./figure-replays.ts";
import { formatNumber, superscript } from "./format.ts";
import type { ReportBase } from "./input.ts";
import { type Figure, text } from "./svg.ts";
import { INK, MUTED, PAPER } from "./theme.ts";

/** A curve's points and the number of single curves: more cannot be seen. */
const MAX_POINTS = 400;
const MAX_NETWORKS = 24;

/** Training loss of every network on a logarithmic axis, their median, and the test errors at the end. */
export function figureLoss(input: ReportBase, loss: NonNullable<ReportBase["loss"]>): Figure {
  const unit = input.errorUnit ?? "m²";
  const last = loss.iterations[loss.iterations.length - 1] ?? 0;
  const isDrawable = (y: number | undefined): y is number => y !== undefined && y > 0 && Number.isFinite(y);
  const stride = Math.ceil(loss.iterations.length / MAX_POINTS);
  const isKept = (i: number): boolean => i % stride === 0 || i === loss.iterations.length - 1;
  const curves = loss.perNetwork.slice(0, MAX_NETWORKS).map((values) =>
    loss.iterations.flatMap((x, i) => {
      const y = values[i];
      return isKept(i) && isDrawable(y) ? [{ x, y }] : [];
    }),
  );
  const middle = loss.iterations.flatMap((x, i) => {
    if (!isKept(i)) return [];
    const y = median(loss.perNetwork.map((v) => v[i] ?? Number.NaN).filter(Number.isFinite));
    return isDrawable(y) ? [{ x, y }] : [];
  });
  const tests = (input.testError ?? []).filter(isDrawable).map((y) => ({ x: last, y }));
  const [width, height] = [1000, 290];
  const all = [...curves.flat(), ...tests].map((p) => p.y);
  const [low, high] = all.length === 0 ? [0.001, 1] : rangeOf(all);
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high)) - Math.floor(Math.log10(low)) + 1 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  // Two ticks a decade, or three, where there are few decades.
  const span = Math.log10(high / low);
  const factors = span < 1.2 ? [1, 2, 5] : span < 3 ? [1, 3] : [1];
  const round = decades
    .flatMap((d) => factors.map((f) => f * 10 ** d))
    .filter((t) => t >= low / 1.15 && t <= high * 1.15);
  // A loss that hardly falls has no such number, or one: then evenly spaced ones.
  const ticks = round.length < 3 ? evenTicks(low / 1.15, high * 1.15) : round;
  const tickText = (v: number): string => {
    if (v > 0.9e-3 && v < 1.1e3) return String(Number(v.toPrecision(2)));
    const power = Math.floor(Math.log10(v) + 1e-9);
    const factor = Math.round(v / 10 ** power);
    return factor === 1 ? `10${superscript(power)}` : `${factor}·10${superscript(power)}`;
  };
  const isMany = curves.length > 1;
  const body = chart({
    width,
    height,
    marginLeft: 62,
    marginRight: tests.length > 0 ? 110 : 16,
    x: { domain: [0, Math.max(1, last)] },
    y: { type: "log", domain: [low / 1.15, high * 1.15] },
    marks: [
      ...yAxis({
        label:
          unit === ""
            ? `loss (mean squared error of ${input.errorOf ?? "rates"})`
            : `loss (mean squared error, ${unit})`,
        ticks,
        format: tickText,
      }),
      ...xAxis({ label: "training iteration", ticks: 6, format: (v) => String(v) }),
      ...curves.map((data) =>
        Plot.line(data, {
          x: "x",
          y: "y",
          stroke: isMany ? MUTED : INK,
          strokeWidth: isMany ? 0.8 : 1.4,
          strokeOpacity: isMany ? 0.65 : 1,
        }),
      ),
      ...(isMany ? [Plot.line(middle, { x: "x", y: "y", stroke: INK, strokeWidth: 1.5 })] : []),
      Plot.dot(tests, { x: "x", y: "y", r: 3.2, fill: INK, stroke: PAPER, strokeWidth: 1 }),
    ],
  });
  const note =
    tests.length === 0
      ? ""
      : text(
          width - 102,
          yOf(median(tests.map((t) => t.y)), low / 1.15, high * 1.15, height) + 4,
          `test ${formatNumber(median(tests.map((t) => t.y)))} ${unit}`,
          {
            size: 11,
          },
        );
  return {
    name: "loss",
    width,
    height,
    body: body + note,
    description: "Training loss of each network against iteration, logarithmic, with the test errors at the end.",
  };
}

/** Round numbers, about four. */
function evenTicks(low: number, high: number): number[] {
  const step = niceLength((high - low) / 4);
  return Array.from({ length: Math.floor(high / step) - Math.ceil(low / step) + 1 }, (_, i) =>
    Number(((Math.ceil(low / step) + i) * step).toPrecision(6)),
  );
}

/** Where a value lies on the chart's logarithmic axis, pixels; margins as `chart` sets them. */
function yOf(value: number, low: number, high: number, height: number): number {
  const share = Math.log(value / low) / Math.log(high / low);
  return height - 44 - share * (height - 44 - 12);
}
