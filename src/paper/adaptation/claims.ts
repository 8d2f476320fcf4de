/** Verdicts on adaptation: it explores, it slows, and with momentum it is fast and exploratory. Pure. */
import { isBacked } from "../backing.ts";
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import type { Cell } from "../grid.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { estimateMean, formatEstimate, pairedDifference, pairedRatio, shareOf, verdictOf } from "../statistics.ts";
import { coverageOf } from "../tasks.ts";
import { type Place, usableText } from "../usable.ts";
import { shareText, TASK_WORDS, whereText } from "../words.ts";
import { adaptations, type Kept, PLAIN, seriesAt, type TaskReplays, usableOf } from "./replays.ts";

export const adaptationText = (c: Pick<Cell, "adaptStrength" | "adaptTau">): string =>
  `b_a = ${c.adaptStrength}, τ_a = ${c.adaptTau}`;

class Task {
  readonly replays: TaskReplays;
  readonly protocol: Protocol;

  constructor(replays: TaskReplays, protocol: Protocol) {
    this.replays = replays;
    this.protocol = protocol;
  }

  get coverage(): Kept {
    return coverageOf(this.replays.task);
  }

  get named(): NamedCell {
    return this.protocol.named[this.replays.task] as NamedCell;
  }

  series(name: Kept, place: Place, cell: Cell): number[] {
    return seriesAt(this.replays, name, place, cell, this.protocol.usable);
  }

  difference(name: Kept, place: Place, a: Cell, b: Cell): Estimate {
    return pairedDifference(this.series(name, place, a), this.series(name, place, b), this.protocol.statistics);
  }

  networks(place: Place): number {
    return this.series("diverged", place, PLAIN).length;
  }

  mean(name: Kept, cell: Cell): string {
    return formatEstimate(estimateMean(this.series(name, this.named, cell), this.protocol.statistics));
  }

  /** What all claims on a task have in common. */
  result(id: string, of: Pick<ClaimResult, "claim" | "predicted" | "measured" | "cells" | "why">): ClaimResult {
    const { usable } = usableOf(this.replays, this.protocol);
    return {
      id: `${id}-${this.replays.task}`,
      part: 2,
      over: `${this.networks(this.named)} seeds × ${usable.length} κ × k`,
      verdict: verdictOf(of.cells, this.protocol.verdict),
      ...of,
    };
  }
}

/** One metric under adaptation against the same networks without, at one λ, over κ × k × b_a × τ_a; `holds` above 0. */
function againstNone(t: Task, metric: Kept, friction: number): ClaimCell[] {
  return usableOf(t.replays, t.protocol).usable.flatMap((place) =>
    adaptations(t.protocol).map((a) => {
      const estimate = t.difference(metric, place, { friction, ...a }, { ...PLAIN, friction });
      const holds = estimate.low > 0 && isBacked(estimate, t.networks(place));
      return { where: `${whereText(place)}, ${adaptationText(a)}`, estimate, holds };
    }),
  );
}

/** The same with momentum on both sides: a share for people, no part of the verdict. */
function withMomentum(t: Task, metric: Kept): string {
  const cells = t.protocol.replay.friction.filter((f) => f < 1).flatMap((f) => againstNone(t, metric, f));
  return `with momentum on both sides ${shareText(shareOf(cells))}`;
}

const opposed = (cells: readonly ClaimCell[]): string =>
  `in ${shareText(cells.filter((c) => c.estimate.high < 0).length / cells.length)} of the grid the interval lies on the other side`;

function explores(t: Task): ClaimResult {
  const cells = againstNone(t, t.coverage, 1);
  const up = (metric: Kept): string => shareText(shareOf(againstNone(t, metric, 1)));
  const own = { friction: 1, adaptStrength: t.named.adaptStrength, adaptTau: t.named.adaptTau };
  return t.result("adaptation-explores", {
    claim: `${TASK_WORDS[t.replays.task]}: adaptation explores (${t.coverage} up)`,
    predicted: "coverage above that of the same network without adaptation",
    measured: `${t.coverage} ${t.mean(t.coverage, PLAIN)} → ${t.mean(t.coverage, own)} at ${whereText(t.named)}, ${adaptationText(own)}`,
    cells,
    why: `${shareText(shareOf(cells))} of the grid; ${opposed(cells)}; entries up in ${up("entries")}, entropy in ${up("coverage_entropy")}; ${withMomentum(t, t.coverage)}; ${usableText(usableOf(t.replays, t.protocol))}`,
  });
}

const PLACES_DO_NOT_SLOW =
  "not predicted here: overdamped replay of place cells is trapped, and whatever frees it makes it faster, as in a prototype";

function slows(t: Task): ClaimResult {
  const cells = againstNone(t, "reach_rmean", 1);
  const own = { friction: 1, adaptStrength: t.named.adaptStrength, adaptTau: t.named.adaptTau };
  return t.result("adaptation-slows", {
    claim: `${TASK_WORDS[t.replays.task]}: adaptation slows (restricted mean reach time up)`,
    predicted: t.coverage === "regions" ? PLACES_DO_NOT_SLOW : "reach time above that of the same network without",
    measured: `${t.mean("reach_rmean", PLAIN)} → ${t.mean("reach_rmean", own)} steps of ${t.replays.steps} at ${whereText(t.named)}, ${adaptationText(own)}`,
    cells,
    why: `${shareText(shareOf(cells))} of the grid; ${opposed(cells)}; ${withMomentum(t, "reach_rmean")}; ${usableText(usableOf(t.replays, t.protocol))}`,
  });
}

interface Joint {
  readonly cell: ClaimCell;
  readonly faster: boolean;
  readonly explores: boolean;
  readonly friction: number;
}

/** Both must hold at once: sooner than adaptation alone, and more coverage than plain. */
function jointCells(t: Task): Joint[] {
  const frictions = t.protocol.replay.friction.filter((f) => f < 1);
  return usableOf(t.replays, t.protocol).usable.flatMap((place) =>
    frictions.flatMap((friction) =>
      adaptations(t.protocol).map((a) => {
        const [both, alone] = [
          { friction, ...a },
          { friction: 1, ...a },
        ];
        const time = t.difference("reach_rmean", place, both, alone);
        const coverage = t.difference(t.coverage, place, both, PLAIN);
        const n = t.networks(place);
        const faster = time.high < 0 && isBacked(time, n);
        const more = coverage.low > 0 && isBacked(coverage, n);
        const where = `${whereText(place)}, λ = ${friction}, ${adaptationText(a)}`;
        return { cell: { where, estimate: time, holds: faster && more }, faster, explores: more, friction };
      }),
    ),
  );
}

function fastAndExploratory(t: Task): ClaimResult {
  const joint = jointCells(t);
  const cells = joint.map((j) => j.cell);
  const share = (of: readonly Joint[], is: (j: Joint) => boolean) => shareText(of.filter(is).length / of.length);
  const mild = joint.filter((j) => j.friction >= 0.5);
  const { friction, adaptStrength, adaptTau } = t.named;
  const [both, alone] = [
    { friction, adaptStrength, adaptTau },
    { friction: 1, adaptStrength, adaptTau },
  ];
  const ratio = (a: Cell, b: Cell): string =>
    formatEstimate(
      pairedRatio(t.series("reach_rmean", t.named, a), t.series("reach_rmean", t.named, b), t.protocol.statistics),
      "×",
    );
  return t.result("adaptation-momentum", {
    claim: `${TASK_WORDS[t.replays.task]}: momentum with adaptation is fast (sooner than adaptation alone) and exploratory (more coverage than plain)`,
    predicted: "both at once",
    measured: `reach time ${ratio(both, alone)} of adaptation's and ${ratio(both, PLAIN)} of plain; ${t.coverage} ${t.mean(t.coverage, PLAIN)} → ${t.mean(t.coverage, both)} at ${whereText(t.named)}, λ = ${friction}, ${adaptationText(both)}`,
    cells,
    why: `${share(joint, (j) => j.cell.holds)} of the grid with λ < 1, ${share(mild, (j) => j.cell.holds)} where λ ≥ 0.5; faster alone ${share(joint, (j) => j.faster)}, exploratory alone ${share(joint, (j) => j.explores)}`,
  });
}

export function adaptationClaims(tasks: readonly TaskReplays[], protocol: Protocol): ClaimResult[] {
  return tasks.flatMap((replays) => {
    const t = new Task(replays, protocol);
    return [explores(t), slows(t), fastAndExploratory(t)];
  });
}
