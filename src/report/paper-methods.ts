/** How the reproduction was made: constants that nobody could look up, and the protocol in words. */
import type { ExperimentConfig } from "../config/schema.ts";
import type { FamilyName, Protocol } from "../paper/protocol.ts";
import { escapeXml } from "./svg.ts";
import { proseCell, type Row, type RowGroup, table } from "./table.ts";

type Configs = Readonly<Record<FamilyName, ExperimentConfig>>;

const row = (title: string, value: string, why: string): Row => ({ title, cells: [proseCell(value), proseCell(why)] });
const number = (x: number): string => String(Number(x.toPrecision(3)));
const percent = (x: number): string => `${number(100 * x)} %`;

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

function cell({ rnn, replay }: ExperimentConfig): RowGroup {
  return {
    title: "The cell",
    rows: [
      row(
        "order of a step",
        "v′ = (1 − λ) v − κ r + γ φ(W r + W_in u + b − c) + ς ξ;  c′ = (1 − 1/τ_a) c + (b_a/τ_a) r;  r′ = r + v′",
        "semi-implicit: r moves by the new v; c follows the old r",
      ),
      row(
        "κ = 0",
        "“without leakage”: r′ = r + γ φ(…)",
        "κ = γ = 1, the vanilla network, is compared as well: the paper may mean either",
      ),
      row("γ", number(rnn.gain), "gain of the drive"),
      row("σ", number(rnn.noiseStd), "standard deviation of the noise of a step and unit, awake"),
      row(
        "ς in replay",
        `${number(replay.noiseScale)} σ${replay.noiseFriction ? " √λ" : ""}`,
        "√2 as in the work that the paper builds on; √λ keeps the temperature whatever the friction",
      ),
      row("initial weights", "W ~ N(0, g²/N), g = max(0.05, κ/γ); biases 0", "loop gain 1 where there is a leak"),
    ],
  };
}

function training(configs: Configs): RowGroup {
  const [config] = Object.values(configs) as [ExperimentConfig];
  const { train } = config;
  const iterations = Object.entries(configs).map(([name, c]) => `${name} ${c.train.iterations}`);
  return {
    title: "Training",
    rows: [
      row("units", unique(Object.values(configs).map((c) => c.rnn.units)).join(", "), "N"),
      row(
        "optimiser",
        `Adam, ${train.learningRate} → ${train.finalLearningRate} linearly, norm clipped at ${train.clipNorm}`,
        "",
      ),
      row("paths", `${train.batch} fresh ones an iteration, ${config.task.steps} steps`, "nothing is seen twice"),
      row("iterations", iterations.join(", "), "by family"),
      row(
        "mask",
        "input visible at 1 step in k, random offset; hidden input is 0 and carries no flag",
        "replay, without input, is k → ∞",
      ),
      row("momentum, adaptation", "in replay only", "training with them is possible, and not done here"),
    ],
  };
}

function tasks({ tmaze, triangle, place, ou }: Configs): RowGroup {
  const maze = ({ task }: ExperimentConfig): string =>
    task.kind === "tmaze" || task.kind === "triangle"
      ? `${number(task.stepLength)} m a step, speeds ± ${percent(task.speedStd)}, jitter ${task.jitterStd} m over ${task.jitterTau} steps`
      : "";
  const cells = place.task.cells;
  return {
    title: "Tasks",
    rows: [
      row("T-maze", `stem 1.5 m, arms 1 m; ${maze(tmaze)}`, "waits at the end; left or right by chance"),
      row("triangle", `circumradius 1 m; ${maze(triangle)}`, "walked both ways"),
      ...(ou.task.kind === "ou"
        ? [
            row(
              "Ornstein–Uhlenbeck",
              `start (${ou.task.start.join(", ")}) ± ${ou.task.startStd}, pull ${ou.task.pull}, noise ${ou.task.pathStd}`,
              "where the score is known in closed form",
            ),
          ]
        : []),
      ...(cells !== null && place.task.kind === "box"
        ? [
            row(
              "rat in a box",
              `${place.task.width} m × ${place.task.height} m, motion of RatInABox at ${place.task.speed} m/s, ${place.task.dt} s a step`,
              "faster than its default, so that a path crosses the box",
            ),
            row(
              "place cells",
              `${cells.count}, ${cells.tuning}, width ${cells.width} m; decoded as the mean centre of the ${place.task.decode.k} most active`,
              "input: displacement (place) or change of the code (placeDelta), as both readings are possible",
            ),
          ]
        : []),
    ],
  };
}

function replay({ replay: r, named }: Protocol): RowGroup {
  const cells = Object.entries(named).flatMap(([task, c]) =>
    c === undefined
      ? []
      : [`${task}: κ ${c.leak}, k ${c.maskEvery}, λ ${c.friction}, b_a ${c.adaptStrength}, τ_a ${c.adaptTau}`],
  );
  return {
    title: "Replay",
    rows: [
      row(
        "grid",
        `λ ${r.friction.join(", ")}; b_a 0, ${r.adaptStrength.join(", ")}; τ_a ${r.adaptTau.join(", ")} steps`,
        r.alsoFriction.length === 0 ? "" : `without adaptation also λ ${r.alsoFriction.join(", ")}`,
      ),
      row(
        "rollouts",
        `${r.repeats} per network and place of the grid, with common random numbers`,
        "from encoded start positions",
      ),
      row(
        "steps",
        Object.entries(r.steps)
          .map(([task, steps]) => `${task} ${steps}`)
          .join(", "),
        "",
      ),
      row("named places", cells.join("; "), "what “measured” quotes; chosen before this run, after other networks"),
    ],
  };
}

/** Everything that the paper's abstract does not say. */
export function constants(configs: Configs, protocol: Protocol): string {
  const groups = [cell(configs.tmaze), training(configs), tasks(configs), replay(protocol)];
  return `<p class="prose-text">The paper's own values were not available; these are ours.</p>${table(
    "constant",
    [
      { title: "value", isProse: true },
      { title: "what it is", isProse: true },
    ],
    groups,
  )}`;
}

const list = (lines: readonly string[]): string =>
  `<ul class="prose-text">${lines.map((l) => `<li>${escapeXml(l)}</li>`).join("")}</ul>`;

export function methods({ seeds, statistics, verdict, families, leakage, usable }: Protocol, digest: string): string {
  const { unseen } = families;
  const arrives = Object.entries(usable.reachFractionFrom).map(([task, share]) => `${task} ${percent(share)}`);
  return list([
    `One file, written before the run, fixes networks, grid, seeds and thresholds (SHA-256 ${digest}); it is shown below.`,
    "One family of networks per task carries all claims: the same networks are trained, replayed and compared.",
    `Claims on replays are tested at the κ and k whose plain replay (λ = 1, b_a = 0) is one: on average over networks at most ${percent(usable.divergedAtMost)} of the rollouts diverge and so many arrive: ${arrives.join(", ")}. How many κ × k that is stands beside the claim. Claims on stability, the law of long replays, compression, activation functions, masking and small friction leave none out.`,
    `A rollout diverges that is not finite, or farther than ten maze sizes from the centre; of place cells, one with an activity beyond ten times the largest rate. It never arrives. In claims 2 and 3 a network with more than ${percent(usable.divergedAtMost)} of such rollouts has no value there, and where that is half of the networks or more, the claim does not hold, whatever the others do; in what reviewers asked, such a rollout also covers nothing.`,
    `A network is the unit of every statistic: ${seeds.count} seeds, ${seeds.first} to ${seeds.first + seeds.count - 1}, in every cell of κ × k. Equal seeds begin alike and see the same paths and noise, so cells are compared seed by seed.`,
    `Intervals: Student's at ${percent(statistics.confidence)} over networks, of differences or of logarithms of ratios. A time that is never reached counts as the length of the rollout (restricted mean).`,
    `A claim holds in a cell where its interval excludes "no effect" on the predicted side (or where the claim's own threshold says so). It holds where ${percent(verdict.holdsFrom)} of its cells do, partly from ${percent(verdict.partlyFrom)}, else it fails. No correction for the number of claims.`,
    `Learning: an iteration counts as the first at which the smoothed training loss is below ${leakage.passedAt} × the median final loss of κ = ${leakage.reference}; never counts as one iteration more than there are.`,
    ...(unseen.seeds === undefined
      ? []
      : [
          `What was chosen after looking (the best mix of momentum and adaptation, by a rule fixed beforehand) is run again on ${unseen.seeds.count} seeds that nothing else uses, from ${unseen.seeds.first}.`,
        ]),
  ]);
}
