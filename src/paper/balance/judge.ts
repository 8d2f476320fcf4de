/** How to balance momentum against adaptation. Pure. */
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import { type Cell, membersAt } from "../grid.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { formatEstimate, pairedDifference, pairedRatio, verdictOf } from "../statistics.ts";
import { bestSingle, chooseMix, isMix, paretoFront, plainIndex, pointsOf } from "./choose.ts";
import type { Plane, ReplayedMember } from "./measure.ts";

export interface Balance {
  readonly plane: Plane;
  /** Plain replay and the chosen mix, on seeds that nothing else uses; null where the rule chose none. */
  readonly unseen: Plane | null;
}

export const cellText = ({ friction, adaptStrength }: Cell): string => `λ = ${friction}, b_a = ${adaptStrength}`;

/** The networks that the phase diagram is about. */
export function namedMembers({ members }: Plane, protocol: Protocol): ReplayedMember[] {
  return membersAt(members, protocol.named[protocol.balance.task] as NamedCell) as ReplayedMember[];
}

interface Comparison {
  /** Reach time of the one over the other's: above 1 is faster. */
  readonly speed: Estimate;
  /** Difference of track coverage. */
  readonly track: Estimate;
  /** Ratio of distances from the maze. */
  readonly offpath: Estimate;
}

/** A condition against another, network by network. */
export function compare(
  members: readonly ReplayedMember[],
  index: number,
  other: number,
  protocol: Protocol,
): Comparison {
  const s = protocol.statistics;
  const of = (name: "reach" | "track" | "offpath", c: number): number[] => members.map((m) => m[name][c] as number);
  return {
    speed: pairedRatio(of("reach", other), of("reach", index), s),
    track: pairedDifference(of("track", index), of("track", other), s),
    offpath: pairedRatio(of("offpath", index), of("offpath", other), s),
  };
}

const inWords = ({ speed, track, offpath }: Comparison): string =>
  `${formatEstimate(speed, "×")} as fast, ${formatEstimate(track)} more of the track, ${formatEstimate(offpath, "×")} as far from the maze`;

function mixesClaim(plane: Plane, members: readonly ReplayedMember[], protocol: Protocol): ClaimResult {
  const plain = plainIndex(plane);
  const compared = plane.conditions
    .map((cell, index) => ({ cell, index }))
    .filter(({ cell }) => isMix(cell))
    .map(({ cell, index }) => ({ cell, c: compare(members, index, plain, protocol) }));
  const cells = compared.map(({ cell, c }) => ({
    where: cellText(cell),
    estimate: c.track,
    holds: c.track.low > 0 && c.speed.low > 1,
  }));
  const named = protocol.named[protocol.balance.task] as NamedCell;
  const at = compared.find(
    ({ cell }) => cell.friction === named.friction && cell.adaptStrength === named.adaptStrength,
  );
  return {
    id: "balance-mixes",
    part: 4,
    claim: "T-maze: a mix of momentum and adaptation is faster than plain replay and covers more of the track",
    predicted:
      "in a prototype so at λ = 0.6, b_a = 0.05 in the mean of 5 networks; a narrow window of b_a, as much adaptation slows more than momentum gives back",
    measured: at === undefined ? "" : `${cellText(at.cell)}: ${inWords(at.c)}`,
    over: `${members.length} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
  };
}

function frontClaim(plane: Plane, members: readonly ReplayedMember[], protocol: Protocol): ClaimResult {
  const points = pointsOf(plane, members);
  const front = paretoFront(points);
  const cells = front.flatMap((p): ClaimCell[] => {
    const single = bestSingle(points, p.speed);
    if (!isMix(p.cell))
      return [
        {
          where: `${cellText(p.cell)}, a single knob`,
          estimate: { value: 0, low: 0, high: 0, n: members.length },
          holds: false,
        },
      ];
    if (single === undefined) return [];
    const { track } = compare(members, p.index, single.index, protocol);
    return [{ where: `${cellText(p.cell)} against ${cellText(single.cell)}`, estimate: track, holds: track.low > 0 }];
  });
  const mixes = front.filter((p) => isMix(p.cell));
  const alone = mixes.filter((p) => bestSingle(points, p.speed) === undefined).length;
  return {
    id: "balance-front",
    part: 4,
    claim: "T-maze: at the same speed a mix covers more than momentum or adaptation alone",
    predicted: "yes: momentum alone hardly changes coverage, adaptation alone slows",
    measured: `${mixes.length} of the ${front.length} places on the front of speed against coverage are mixes`,
    over: `${members.length} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
    why: `the front is the best of ${points.length} places, found on the same seeds that it is tested on, so that its intervals flatter it; ${alone} mixes are faster than any single knob and have none to compare with`,
  };
}

function chosenClaim({ plane, unseen }: Balance, members: readonly ReplayedMember[], protocol: Protocol): ClaimResult {
  const { offPathAtMost, fasterBy } = protocol.balance;
  const chosen = chooseMix(pointsOf(plane, members), protocol);
  const frame = {
    id: "balance-unseen",
    part: 4 as const,
    claim: "T-maze: the mix that a rule fixed beforehand chooses keeps its promise on unseen seeds",
    predicted: `faster than plain replay, more coverage, at most ${offPathAtMost}× as far from the maze`,
  };
  if (chosen === undefined || unseen === null) {
    return {
      ...frame,
      measured: `no mix is ${fasterBy}× as fast within ${offPathAtMost}× of plain replay's distance from the maze`,
      over: "–",
      cells: [],
      verdict: "undecided",
    };
  }
  const here = compare(members, chosen.index, plainIndex(plane), protocol);
  const mix = unseen.conditions.findIndex(isMix);
  const there = compare(unseen.members, mix, plainIndex(unseen), protocol);
  const cells: ClaimCell[] = [
    { where: "reach time of plain replay over the mix's", estimate: there.speed, holds: there.speed.low > 1 },
    { where: "track coverage, difference", estimate: there.track, holds: there.track.low > 0 },
    {
      where: "distance from the maze over plain replay's",
      estimate: there.offpath,
      holds: there.offpath.high <= offPathAtMost,
    },
  ];
  return {
    ...frame,
    measured: `${cellText(chosen.cell)}: ${inWords(there)}`,
    why: `on the seeds that it was chosen on: ${inWords(here)}`,
    over: `${unseen.members.length} unseen seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
  };
}

export function judgeBalance(balance: Balance, protocol: Protocol): ClaimResult[] {
  const { plane } = balance;
  const members = namedMembers(plane, protocol);
  return [
    mixesClaim(plane, members, protocol),
    frontClaim(plane, members, protocol),
    chosenClaim(balance, members, protocol),
  ];
}
