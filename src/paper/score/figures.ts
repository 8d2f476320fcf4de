/** Figures of the score: gain, cosine and decay along the path. Pure. */
import { formatCsv } from "../../io/csv.ts";
import { legend } from "../../report/legend.ts";
import { conditionColour } from "../../report/theme.ts";
import type { PaperFigure } from "../evidence.ts";
import { estimatePanel, PANEL_HEAD } from "../panel.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean } from "../statistics.ts";
import type { DriftComparison } from "./comparison.ts";
import { leaksOf, type Measure, masksOf, type ScoreResult, valuesAt } from "./result.ts";

const [WIDTH, HEIGHT, GAP, HEAD] = [920, 270, 24, 30];

interface Panel {
  readonly title: string;
  readonly yLabel: string;
  readonly maskEvery: number;
  readonly measure: Measure;
  readonly rule?: number;
}

const COLUMNS = [
  "cosine",
  "gain",
  "onReadout",
  "offReadout",
  "offStd",
  "theoryCosine",
  "theoryGain",
] as const satisfies readonly (keyof DriftComparison)[];

/** One line for each network and time. */
function csv({ networks, times }: ScoreResult): string {
  const rows = networks.flatMap((n) =>
    n.comparisons.map((c, i) => ({
      leak: n.leak,
      mask_every: n.maskEvery,
      seed: n.seed,
      t: times[i] as number,
      states: c.states,
      ...Object.fromEntries(COLUMNS.map((name) => [name, (c as Partial<DriftComparison>)[name] ?? null])),
    })),
  );
  return formatCsv(["leak", "mask_every", "seed", "t", "states", ...COLUMNS], rows);
}

function drawn(
  result: ScoreResult,
  protocol: Protocol,
  name: string,
  description: string,
  panels: readonly Panel[],
): PaperFigure["figure"] {
  const own = (WIDTH - (panels.length - 1) * GAP) / panels.length;
  const entries = leaksOf(result).map((leak, i) => ({ label: `κ = ${leak}`, colour: conditionColour(i + 1) }));
  const body = panels.map((panel, i) =>
    estimatePanel(
      {
        ...panel,
        letter: String.fromCharCode(97 + i),
        xLabel: "time t, steps",
        xTicks: [0, 10, 20, 30, 40, 50, 60],
        lines: leaksOf(result).map((leak, l) => ({
          colour: conditionColour(l + 1),
          points: result.times.map((time) => ({
            x: time,
            estimate: estimateMean(
              valuesAt(result, { leak, maskEvery: panel.maskEvery }, time, panel.measure),
              protocol.statistics,
            ),
          })),
        })),
        width: own,
        height: HEIGHT,
      },
      i * (own + GAP),
      HEAD,
    ),
  );
  return {
    name,
    width: WIDTH,
    height: HEAD + PANEL_HEAD + HEIGHT,
    body: legend(entries, 54, 10, WIDTH - 60).body + body.join(""),
    description,
  };
}

export function scoreFigures(result: ScoreResult, protocol: Protocol): PaperFigure[] {
  const { named } = protocol.score;
  const over = `Mean over seeds with ${100 * protocol.statistics.confidence} % intervals.`;
  const each = (title: string, yLabel: string, measure: Measure, rule?: number): Panel[] =>
    masksOf(result).map((k) => ({
      title: `${title}, k = ${k}`,
      yLabel,
      maskEvery: k,
      measure,
      ...(rule === undefined ? {} : { rule }),
    }));
  const figure = (name: string, title: string, caption: string, panels: readonly Panel[]): PaperFigure => ({
    part: 1,
    figure: drawn(result, protocol, name, `${title}, for κ = ${leaksOf(result).join(", ")}.`, panels),
    title,
    caption: `${caption} ${over}`,
    csv: csv(result),
  });
  return [
    figure(
      "score-cosine",
      "Cosine between drift and score along OU paths",
      "Without leakage the drift is nearly orthogonal to the score of the network's own states.",
      each("Cosine of drift and score", "cosine", (c) => c.cosine, 0),
    ),
    figure(
      "score-gain",
      "Gain of the drift on the score along OU paths",
      "g of the best drift ≈ g · score. Weights are constant, the score is not: the gain changes along the path. Last: mean eigenvalue of the closed form's K_t, with the networks' own readouts and the noise that their states have off its plane.",
      [
        ...each("Gain of the drift", "gain / σ²", (c) => c.gain, 0),
        {
          title: `K_t in theory, k = ${named.maskEvery}`,
          yLabel: "K_t",
          maskEvery: named.maskEvery,
          measure: (c) => c.theoryGain,
          rule: 0,
        },
      ],
    ),
    figure(
      "score-decay",
      "Linear decay off and within the readout's plane",
      "The rate per step at which the drift takes deviations back: off the plane it is the leak's; within, the theory's recurrent term would make it smaller.",
      [
        {
          title: `Off the readout's plane, k = ${named.maskEvery}`,
          yLabel: "decay per step",
          maskEvery: named.maskEvery,
          measure: (c) => c.offReadout,
          rule: 0,
        },
        {
          title: `Within the readout's plane, k = ${named.maskEvery}`,
          yLabel: "decay per step",
          maskEvery: named.maskEvery,
          measure: (c) => c.onReadout,
          rule: 0,
        },
      ],
    ),
  ];
}
