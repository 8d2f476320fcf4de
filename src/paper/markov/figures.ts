/** Figures of the Markov experiment: forks over time and over κ × k, the memoryless control, information. */
import { formatCsv } from "../../io/csv.ts";
import { type Panel, panels } from "../../report/panels.ts";
import { conditionColour } from "../../report/theme.ts";
import type { Estimate, PaperFigure } from "../evidence.ts";
import { estimateOptions, intervalOptions } from "../panel.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { estimateMean, pairedDifference } from "../statistics.ts";
import { COVERAGE_TITLES, coverageOf } from "../tasks.ts";
import { TASK_WORDS, whereText } from "../words.ts";
import type { Memory, NetworkForks } from "./forks.ts";
import { QUARTERS, SHOWN } from "./forks.ts";
import { type Given, KNOWABLE, LAGS, REPLAYS } from "./information.ts";
import { CONTROLS } from "./memoryless.ts";
import { controlAt, seriesOf, type TaskMarkov, usableOf } from "./result.ts";

const MEMORIES: readonly Memory[] = ["c", "v"];
const AGAINST = ["floor", "other", "none"] as const;

const columnsOf = { mean: "", low: "", high: "", networks: "" };
const numbers = (e: Estimate) => ({ mean: e.value, low: e.low, high: e.high, networks: e.n });
const csvOf = (rows: readonly Record<string, string | number>[], first: readonly string[]): string =>
  formatCsv([...first, ...Object.keys(columnsOf)], rows);

/** The law of the decoded position, fork by fork, while it is followed. */
function forksFigure(tasks: readonly TaskMarkov[], protocol: Protocol): PaperFigure {
  const every = Math.max(1, Math.floor(protocol.markov.horizon / QUARTERS));
  const steps = Array.from({ length: QUARTERS }, (_, q) => (q + 1) * every);
  const rows: Record<string, string | number>[] = [];
  const drawn = MEMORIES.flatMap((memory) =>
    tasks.map((r): Panel => {
      const named = protocol.named[r.task] as NamedCell;
      const lines = AGAINST.map((against, i) => ({
        colour: conditionColour(i),
        points: steps.map((x, q) => {
          const of = (f: NetworkForks) => f.positions[against][q] ?? Number.NaN;
          const estimate = estimateMean(seriesOf(r, r.forks[memory], named, of), protocol.statistics);
          rows.push({ task: r.task, memory, fork: against, steps: x, ...numbers(estimate) });
          return { x, estimate };
        }),
      }));
      const title = `energy coefficient: ${TASK_WORDS[r.task]}, ${memory}`;
      const o = { title, xLabel: "steps after the fork", xTicks: [0, ...steps], lines, rule: 0 };
      return { title, options: estimateOptions(o) };
    }),
  );
  const entries = ["the same state, other noise (floor)", "memory of another visit to r", "no memory"];
  return {
    part: 2,
    title: "Forks from the same r",
    caption: `How far the law of the decoded position moves when replays go on from the same r_t with another memory, c under adaptation (above) and v under momentum (below), under common noise; two clouds of one state come to the floor. Each task's named κ, k, λ, b_a and τ_a, mean over networks with interval; ${protocol.markov.draws} rollouts a cloud.`,
    csv: csvOf(rows, ["task", "memory", "fork", "steps"]),
    figure: panels({
      name: "markov-forks",
      description: "Energy coefficient of the decoded position against the steps after the fork, for three forks.",
      panels: drawn,
      columns: tasks.length,
      entries: entries.map((label, i) => ({ label, colour: conditionColour(i) })),
      height: 220,
    }),
  };
}

/** Every usable κ and k: the law of the state, above the floor. */
function placesFigure(tasks: readonly TaskMarkov[], protocol: Protocol): PaperFigure {
  const { horizon } = protocol.markov;
  const stepsOf = (time: 0 | 1): number => (time === 0 ? horizon / QUARTERS : horizon);
  const rows: Record<string, string | number>[] = [];
  const drawn = MEMORIES.flatMap((memory, m) =>
    tasks.map((r): Panel => {
      const intervals = usableOf(r, protocol).usable.map((place) => {
        const at = ([0, 1] as const).map((time) => {
          const of = (against: "other" | "floor") =>
            seriesOf(r, r.forks[memory], place, (f) => f.states[against][time]);
          const estimate = pairedDifference(of("other"), of("floor"), protocol.statistics);
          const { leak, maskEvery } = place;
          rows.push({ task: r.task, memory, leak, maskEvery, steps: stepsOf(time), ...numbers(estimate) });
          return estimate;
        });
        return { label: whereText(place), estimate: at[SHOWN[memory]] as Estimate, colour: conditionColour(m + 1) };
      });
      const title = `${TASK_WORDS[r.task]}: ${memory}, ${stepsOf(SHOWN[memory])} steps on`;
      return { title, options: intervalOptions(intervals, { xLabel: "energy coefficient above the floor", rule: 0 }) };
    }),
  );
  return {
    part: 2,
    title: "Forks over leak and mask",
    caption:
      "The law of the state after a fork, against that of the floor, paired over seeds, for every κ and k that replays at all; c under adaptation above, v under momentum below.",
    csv: csvOf(rows, ["task", "memory", "leak", "maskEvery", "steps"]),
    figure: panels({
      name: "markov-places",
      description: "Energy coefficient of the state above the floor, one bar for each leak and mask.",
      panels: drawn,
      columns: tasks.length,
      height: 240,
    }),
  };
}

function controlsFigure(tasks: readonly TaskMarkov[], protocol: Protocol): PaperFigure {
  const rows: Record<string, string | number>[] = [];
  const drawn = (["reach", "coverage"] as const).flatMap((metric) =>
    tasks.map((r): Panel => {
      const named = protocol.named[r.task] as NamedCell;
      const intervals = CONTROLS.map((control, i) => {
        const estimate = estimateMean(controlAt(r, named, control, metric, protocol), protocol.statistics);
        rows.push({ task: r.task, metric, replay: control, ...numbers(estimate) });
        return { label: control, estimate, colour: conditionColour(i) };
      });
      const label = metric === "reach" ? "restricted mean reach time (steps)" : COVERAGE_TITLES[coverageOf(r.task)];
      return { title: TASK_WORDS[r.task], options: intervalOptions(intervals, { xLabel: label, least: 0 }) };
    }),
  );
  return {
    part: 2,
    title: "Memory or inhibition",
    caption:
      "Plain replay, adaptation, and feedback of the same strength without memory (c = b_a r, made by W_rec − b_a I), at each task's named κ, k, b_a and τ_a.",
    csv: csvOf(rows, ["task", "metric", "replay"]),
    figure: panels({
      name: "markov-controls",
      description: "Reach time and coverage of plain replay, adaptation and memoryless feedback.",
      panels: drawn,
      columns: tasks.length,
      height: 160,
    }),
  };
}

const GIVEN_COLOURS: Readonly<Record<Given, number>> = { r: 0, "r, v": 2, "r, c": 1, "r, v, c": 3 };

function informationFigure(tasks: readonly TaskMarkov[], protocol: Protocol): PaperFigure {
  const rows: Record<string, string | number>[] = [];
  const drawn = tasks.map((r): Panel => {
    const named = protocol.named[r.task] as NamedCell;
    const intervals = REPLAYS.flatMap((replay) =>
      KNOWABLE[replay].map((given) => {
        const at = (lag: number) =>
          estimateMean(
            seriesOf(r, r.information, named, (x) => x.nats[replay][given]?.[lag] ?? Number.NaN),
            protocol.statistics,
          );
        LAGS.forEach((lag, i) => {
          rows.push({ task: r.task, replay, given, lag, ...numbers(at(i)) });
        });
        const estimate = at(LAGS.length - 1);
        return { label: `${replay} | ${given}`, estimate, colour: conditionColour(GIVEN_COLOURS[given]) };
      }),
    );
    return {
      title: TASK_WORDS[r.task],
      options: intervalOptions(intervals, { xLabel: "nats per component", rule: 0, left: 116 }),
    };
  });
  return {
    part: 2,
    title: "What the past of r still tells",
    caption: `Conditional mutual information between the next state and the one ${LAGS.at(-1)} steps before, given the present r, and given its memory too; at each task's named κ and k. Even a Markov chain shows some where it is not linear: compare with plain.`,
    csv: csvOf(rows, ["task", "replay", "given", "lag"]),
    figure: panels({
      name: "markov-information",
      description: "Conditional mutual information of four replays given r, and given r with v and c.",
      panels: drawn,
      columns: tasks.length,
      height: 260,
    }),
  };
}

export const markovFigures = (tasks: readonly TaskMarkov[], protocol: Protocol): PaperFigure[] =>
  [forksFigure, placesFigure, controlsFigure, informationFigure].map((figure) => figure(tasks, protocol));
