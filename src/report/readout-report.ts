/** The report of networks that were trained on given tensors: what they read out, awake and in replay, against step. */
import { type CsvValue, formatCsv } from "../io/csv.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { figureLoss } from "./figure-loss.ts";
import { headline } from "./headline.ts";
import type { ReportBase } from "./input.ts";
import { metricSection } from "./metric-table.ts";
import { figureSection, type PageFigure, pageHtml } from "./page.ts";
import { lossBehind } from "./run-csv.ts";
import { CENTRELINE, conditionColour, INK } from "./theme.ts";
import { type Course, timeCourses } from "./time-courses.ts";
import { type WrittenReport, writePage } from "./write-page.ts";

export interface ReadoutReport extends ReportBase {
  readonly awake?: {
    /** (time, row, O) */
    readonly target: Tensor;
    /** (network, time, row, O) */
    readonly readout: Tensor;
    /** Trials of the file, one per row. */
    readonly trials: readonly number[];
  };
}

const MAX_TRIALS = 4;
const MAX_READOUTS = 5;
const MAX_CONDITIONS = 4;
const REPLAYS = 3;

/** Readouts that the targets move most, in their own order. */
function liveliest({ data, shape }: Tensor): number[] {
  const O = shape.at(-1) as number;
  const variance = Array.from({ length: O }, (_, o) => {
    let [sum, squares, n] = [0, 0, 0];
    for (let i = o; i < data.length; i += O) {
      const x = data[i] as number;
      [sum, squares, n] = [sum + x, squares + x * x, n + 1];
    }
    return squares / n - (sum / n) ** 2;
  });
  const order = variance.map((_, o) => o).sort((a, b) => (variance[b] as number) - (variance[a] as number));
  return order.slice(0, MAX_READOUTS).sort((a, b) => a - b);
}

/** One readout of one row, over time; a tensor without networks has shape (1, …). */
function course(tensor: Tensor, network: number, row: number, readout: number): Float64Array {
  const [, T = 0, R = 0, O = 0] = tensor.shape;
  return Float64Array.from({ length: T }, (_, t) => tensor.data[((network * T + t) * R + row) * O + readout] as number);
}

const asOne = (tensor: Tensor): Tensor => ({ data: tensor.data, shape: [1, ...tensor.shape] });

function awakeFigure(awake: NonNullable<ReadoutReport["awake"]>): PageFigure {
  const { target, readout, trials } = awake;
  const shown = liveliest(target);
  const networks = readout.shape[0] as number;
  const rows = Math.min(MAX_TRIALS, readout.shape[2] as number);
  const columns = Array.from({ length: rows }, (_, row) => ({
    title: `Trial ${trials[row]}`,
    detail: "of the test",
    courses: shown.map((o): Course[] => [
      { values: course(asOne(target), 0, row, o), every: 1, colour: CENTRELINE, width: 4 },
      ...Array.from({ length: Math.min(networks, 8) }, (_, n) => ({
        values: course(readout, n, row, o),
        every: 1,
        colour: INK,
        width: 1,
      })),
    ]),
  }));
  const table: Record<string, CsvValue>[] = [];
  for (let row = 0; row < rows; row++) {
    for (const o of shown) {
      const wanted = course(asOne(target), 0, row, o);
      for (let n = 0; n < networks; n++) {
        const got = course(readout, n, row, o);
        got.forEach((y, t) => {
          table.push({
            trial: trials[row] as number,
            network: n,
            output: o,
            step: t + 1,
            target: wanted[t] as number,
            readout: y,
          });
        });
      }
    }
  }
  const left = (target.shape.at(-1) as number) - shown.length;
  return {
    figure: timeCourses({
      name: "readouts",
      description: "Targets and readouts of some test trials against step.",
      lines: shown.map((o) => `y ${o}`),
      columns,
    }),
    data: { name: "readouts.csv", csv: formatCsv(["trial", "network", "output", "step", "target", "readout"], table) },
    title: "Readout and target",
    caption:
      `Grey: targets of test trials. Black: what ${networks === 1 ? "the network reads" : "the networks read"} out, awake, with input and noise.` +
      (left > 0 ? ` The ${shown.length} readouts whose targets vary most; ${left} more are in replay.npz.` : ""),
  };
}

function replayFigure(input: ReadoutReport, target: Tensor | undefined): PageFigure {
  const conditions = input.conditions.slice(0, MAX_CONDITIONS);
  const first = conditions[0]?.positions as Tensor;
  const shown = liveliest(target ?? first);
  const rows = Math.min(REPLAYS, first.shape[2] as number);
  const columns = conditions.map((c, i) => ({
    title: c.label,
    detail: c.detail ?? "",
    courses: shown.map((o) =>
      Array.from(
        { length: rows },
        (_, row): Course => ({
          values: course(c.positions, 0, row, o),
          every: input.every ?? 1,
          colour: conditionColour(i),
          width: 1,
        }),
      ),
    ),
  }));
  const more = input.conditions.length - conditions.length;
  return {
    figure: timeCourses({
      name: "replays",
      description: "Readouts of some replays of the first network against step, condition by condition.",
      lines: shown.map((o) => `y ${o}`),
      columns,
    }),
    title: "Replays",
    caption:
      `Readouts of ${rows} replays of the first network, without input, from the encoded start of ${rows} test trials, the same in every panel.` +
      (more > 0 ? ` ${more} more conditions are in replay.npz.` : ""),
  };
}

/** The figures that a run's data allow, in the order of the page. */
export function readoutFigures(input: ReadoutReport): PageFigure[] {
  const figures: PageFigure[] = [];
  if (input.awake) figures.push(awakeFigure(input.awake));
  if (input.conditions.length > 0) figures.push(replayFigure(input, input.awake?.target));
  if (input.loss !== undefined && input.loss.iterations.length > 0) {
    figures.push({
      figure: figureLoss(input, input.loss),
      data: { name: "loss.csv", csv: lossBehind(input.loss) },
      title: "Training",
      caption:
        (input.loss.perNetwork.length > 1
          ? "Thin: networks; thick: their median. Dots at the end: test"
          : "Training loss; the dot at the end is the test") +
        " error on trials that training never saw, unless task.testShare is 0.",
    });
  }
  return figures;
}

/** @throws DiskError */
export function writeReadoutReport(input: ReadoutReport, directory: string): Promise<WrittenReport> {
  const figures = readoutFigures(input);
  const sectionOf = (name: string): string => {
    const found = figures.find((f) => f.figure.name === name);
    return found === undefined ? "" : figureSection(found);
  };
  const page = pageHtml({
    kind: "replay report",
    title: input.title,
    facts: headline(input),
    notices: input.notices,
    sections: [sectionOf("readouts"), sectionOf("replays"), metricSection(input), sectionOf("loss")],
    provenance: [
      { title: "Configuration", value: input.config },
      { title: "Manifest", value: input.manifest },
    ],
  });
  return writePage(directory, figures, page);
}
