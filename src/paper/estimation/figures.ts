/** Figures of estimation: errors against samples, the loss that is left, and the gain in closed form. Pure. */
import { formatCsv } from "../../io/csv.ts";
import { type Entry, legend } from "../../report/legend.ts";
import { conditionColour, MUTED } from "../../report/theme.ts";
import type { PaperFigure } from "../evidence.ts";
import { estimatePanel, PANEL_HEAD, type PanelLine, type PanelOptions } from "../panel.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean, exactly } from "../statistics.ts";
import { LEARNERS, type Learner } from "./learners.ts";
import { cellAt, type EstimationResult, inCell, type Measure } from "./result.ts";

const [WIDTH, HEIGHT, GAP, HEAD] = [440, 280, 32, 48];

const LEARNER_NAMES: Readonly<Record<Learner, string>> = {
  whole: "whole map",
  leakGiven: "leak given",
  regressed: "regressed on all units",
  readoutRegressed: "regressed on the readout",
};

/** One line for each dimension, time, number of samples and measure: its mean over repeats, with the interval. */
function errorsCsv({ cells }: EstimationResult, protocol: Protocol): string {
  const measures: readonly (readonly [string, Measure])[] = [
    ["precision_error", (e) => e.precision],
    ...LEARNERS.map((l) => [`gain_error_${l}`, (e) => e.gain[l]] as const satisfies readonly [string, Measure]),
    ...LEARNERS.map((l) => [`excess_${l}`, (e) => e.excess[l]] as const satisfies readonly [string, Measure]),
  ];
  const rows = cells.flatMap((c) =>
    measures.map(([name, measure]) => {
      const { value, low, high, n } = estimateMean(inCell(c, measure), protocol.statistics);
      const known = n > 0 ? { mean: value, low, high } : {};
      return { dimension: c.dimension, t: c.time, samples: c.samples, measure: name, ...known, repeats: n };
    }),
  );
  return formatCsv(["dimension", "t", "samples", "measure", "mean", "low", "high", "repeats"], rows);
}

type Curve = PanelLine & Entry;

type PlainPanel = Pick<PanelOptions, "title" | "yLabel" | "yType" | "rule" | "xType" | "xLabel" | "xTicks">;

/** Panels abreast, each with its own legend above it. */
function drawn(
  name: string,
  description: string,
  panels: readonly (PlainPanel & { readonly curves: readonly Curve[] })[],
): PaperFigure["figure"] {
  const body = panels.map(({ curves, ...options }, i) => {
    const x = i * (WIDTH + GAP);
    const panel = { ...options, letter: String.fromCharCode(97 + i), lines: curves, width: WIDTH, height: HEIGHT };
    return legend(curves, x + 54, 10, WIDTH - 54).body + estimatePanel(panel, x, HEAD);
  });
  return {
    name,
    width: panels.length * (WIDTH + GAP) - GAP,
    height: HEAD + PANEL_HEAD + HEIGHT,
    body: body.join(""),
    description,
  };
}

export function estimationFigures(result: EstimationResult, protocol: Protocol): PaperFigure[] {
  const { dimensions, times, samples } = protocol.estimation;
  const widest = dimensions[dimensions.length - 1] as number;
  const last = times[times.length - 1] as number;
  const against = { xType: "log", xLabel: "samples n", xTicks: samples, yType: "log" } as const;
  const curve = (
    label: string,
    index: number,
    at: { readonly dimension: number; readonly time: number },
    measure: Measure,
  ): Curve => ({
    label,
    colour: conditionColour(index),
    points: samples.map((n) => ({
      x: n,
      estimate: estimateMean(inCell(cellAt(result, { ...at, samples: n }), measure), protocol.statistics),
    })),
  });
  const constant = result.constant[result.constant.length - 1];
  const sampled = "Mean over repeats with intervals; n samples determine no covariance of n units or more.";
  return [
    {
      part: 1,
      title: "Error of the estimated score against the number of samples",
      caption: `Left: the inverse covariance of the states at t = ${last}. Right: the gain K_t with the leak given, small and hard to estimate early. ${sampled}`,
      figure: drawn(
        "estimation-error",
        "Relative errors of the inverse covariance and of the gain against the number of samples, on logarithmic axes.",
        [
          {
            ...against,
            title: `Inverse covariance Σ_t⁻¹, t = ${last}`,
            yLabel: "relative error",
            curves: dimensions.map((dimension, i) =>
              curve(`H = ${dimension}`, i + 1, { dimension, time: last }, (e) => e.precision),
            ),
          },
          {
            ...against,
            title: `Gain K_t, leak given, H = ${widest}`,
            yLabel: "relative error",
            curves: times.map((time, i) =>
              curve(`t = ${time}`, i + 1, { dimension: widest, time }, (e) => e.gain.leakGiven),
            ),
          },
        ],
      ),
      csv: errorsCsv(result, protocol),
    },
    {
      part: 1,
      title: "Loss beyond the best map's",
      caption: `Left: what four learners of the score lose at H = ${widest}, t = ${last} (the whole map −σ² Σ̂⁻¹ of the states' covariance; −I given, and K̂ of the readouts' covariance; clean states regressed on all units, and on the readout); dashed: the best constant gain on paths of ${constant?.steps ?? 0} steps. Right: learners of the whole map, and with the leak given. ${sampled}`,
      figure: drawn(
        "estimation-excess",
        "Excess loss of learners of the score against the number of samples, on logarithmic axes.",
        [
          {
            ...against,
            title: `H = ${widest}, t = ${last}`,
            yLabel: "excess / least loss",
            ...(constant === undefined ? {} : { rule: constant.excess }),
            curves: LEARNERS.map((l, i) =>
              curve(LEARNER_NAMES[l], i + 1, { dimension: widest, time: last }, (e) => e.excess[l]),
            ),
          },
          {
            ...against,
            title: `By the number of units, t = ${last}`,
            yLabel: "excess / least loss",
            curves: [
              ...dimensions.map((dimension, i) =>
                curve(`whole, H = ${dimension}`, i + 1, { dimension, time: last }, (e) => e.excess.whole),
              ),
              {
                ...curve("leak given", 0, { dimension: widest, time: last }, (e) => e.excess.leakGiven),
                dash: "5 3",
              },
            ],
          },
        ],
      ),
      csv: errorsCsv(result, protocol),
    },
    {
      part: 1,
      title: "The gain K_t in closed form, and the best constant ones",
      caption:
        "K_t follows the uncertainty of the path. Flat lines: the one gain that loses least over paths of so many steps.",
      figure: drawn("gain-theory", "The gain K_t against time, and constant gains.", [
        {
          title: "Gain of the recurrent term",
          xLabel: "time t, steps",
          xTicks: [0, 10, 20, 30, 40, 50, 60],
          yLabel: "K_t",
          curves: [
            {
              label: "K_t",
              colour: conditionColour(1),
              points: result.gains.map((k, t) => ({ x: t, estimate: exactly(k) })),
            },
            ...result.constant.map(({ steps, gain }) => ({
              label: `${steps} steps: +${(100 * (result.constant.find((c) => c.steps === steps)?.excess ?? 0)).toPrecision(2)} % loss`,
              colour: MUTED,
              dash: "4 3",
              points: [0, steps].map((t) => ({ x: t, estimate: exactly(gain) })),
            })),
          ],
        },
      ]),
      csv: formatCsv(
        ["t", "gain"],
        result.gains.map((gain, t) => ({ t, gain })),
      ),
    },
  ];
}
