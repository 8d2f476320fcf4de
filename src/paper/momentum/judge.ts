/** Whether momentum speeds replays up, by how much, and whether it leaves their law as it is. Pure. */
import { type Candidate, type Judged, judged, judgedText } from "../backing.ts";
import type { ClaimResult, Estimate } from "../evidence.ts";
import { leaksOf, membersAt } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean, pairedRatio, verdictOf } from "../statistics.ts";
import { type Place, type UsablePlaces, usablePlaces, usableText } from "../usable.ts";
import { quoted, TASK_WORDS, whereText } from "../words.ts";
import type { LawMember, LawTask } from "./law.ts";
import type { MomentumMember, MomentumTask, Replayed } from "./measure.ts";

export interface MomentumResult {
  readonly tasks: readonly MomentumTask[];
  readonly laws: readonly LawTask[];
}

export const whereAt = (place: Place, friction: number): string => `${whereText(place)}, λ = ${friction}`;

/** Of each seed at a place and λ; NaN for a network of which more than the protocol's share diverged there. */
export function seriesAt(
  t: MomentumTask,
  place: Place,
  friction: number,
  value: (r: Replayed) => number,
  usable: Protocol["usable"],
): number[] {
  const at = t.frictions.indexOf(friction);
  return (membersAt(t.members, place) as MomentumMember[]).map((m) => {
    const own = m.replays[at] as Replayed;
    return isDiverged(own, usable) ? Number.NaN : value(own);
  });
}

export const placesAt = (t: MomentumTask, protocol: Protocol): UsablePlaces =>
  usablePlaces(
    t.members,
    t.members.map((m) => m.replays[0] as Replayed),
    t.task,
    protocol.usable,
  );

/** A value at λ = 1 over that at λ, or the other way round, seed by seed. */
export function ratioAt(
  t: MomentumTask,
  protocol: Protocol,
  place: Place,
  friction: number,
  value: (r: Replayed) => number,
  way: "down" | "up" = "down",
): Estimate {
  const at = (l: number) => seriesAt(t, place, l, value, protocol.usable);
  return way === "down"
    ? pairedRatio(at(1), at(friction), protocol.statistics)
    : pairedRatio(at(friction), at(1), protocol.statistics);
}

const isDiverged = (r: Replayed, { divergedAtMost }: Protocol["usable"]): boolean => r.diverged > divergedAtMost;

function candidate(
  t: MomentumTask,
  place: Place,
  friction: number,
  usable: Protocol["usable"],
  of: Pick<Candidate, "where" | "estimate" | "holds">,
): Candidate {
  const at = t.frictions.indexOf(friction);
  const own = (membersAt(t.members, place) as MomentumMember[]).map((m) => m.replays[at] as Replayed);
  return { ...of, networks: own.length, diverged: own.filter((r) => isDiverged(r, usable)).length };
}

/** Usable places × λ < 1. */
function cellsOf(
  t: MomentumTask,
  places: readonly Place[],
  { usable }: Protocol,
  estimate: (place: Place, friction: number) => Estimate,
  holds: (e: Estimate, friction: number) => boolean,
): Judged {
  const momenta = t.frictions.filter((f) => f < 1);
  return judged(
    places.flatMap((place) =>
      momenta.map((friction) => {
        const e = estimate(place, friction);
        const where = whereAt(place, friction);
        return candidate(t, place, friction, usable, { where, estimate: e, holds: holds(e, friction) });
      }),
    ),
  );
}

function divergedText(t: MomentumTask, places: readonly Place[], usable: Protocol["usable"]): string {
  const own = places.flatMap((p) => membersAt(t.members, p) as MomentumMember[]).flatMap((m) => m.replays.slice(1));
  const lost = own.filter((r) => isDiverged(r, usable)).length;
  return `${lost} of ${own.length} networks × λ diverged`;
}

function taskClaims(t: MomentumTask, protocol: Protocol): ClaimResult[] {
  const found = placesAt(t, protocol);
  const { usable } = found;
  const { withinOfPredicted: within } = protocol.momentum;
  const name = TASK_WORDS[t.task];
  const named = protocol.named[t.task];
  const namedText = named === undefined ? "" : whereAt(named, named.friction);
  const left = `${usableText(found)}; ${divergedText(t, usable, protocol.usable)}`;
  const claim = (id: string, claimText: string, predicted: string, found: Judged, more = ""): ClaimResult => ({
    id: `momentum-${id}-${t.task}`,
    part: 3,
    claim: `${claimText} (${name})`,
    predicted,
    measured: quoted(found.cells, namedText, "×"),
    over: `${protocol.seeds.count} seeds`,
    cells: found.cells,
    verdict: verdictOf(found.cells, protocol.verdict),
    why: `${left}${judgedText(found)}${more}`,
  });
  const rmean = (place: Place, f: number) => ratioAt(t, protocol, place, f, (r) => r.reachMean);
  const median = (place: Place, f: number) => ratioAt(t, protocol, place, f, (r) => r.reachMedian);
  const faster = claim(
    "faster",
    "Replays with momentum arrive sooner than without",
    "restricted mean reach time at λ = 1 over that at λ above 1×",
    cellsOf(t, usable, protocol, rmean, (e) => e.low > 1),
  );
  const predicted = claim(
    "inverse-friction",
    "Momentum speeds replay up 1/λ times",
    `median reach time at λ = 1 over that at λ above 1, and within ${100 * within} % of 1/λ`,
    // Near λ = 1 no change at all would be within.
    cellsOf(t, usable, protocol, median, (e, f) => e.low > 1 && Math.abs(e.value * f - 1) <= within),
    "; where half of the replays never arrive there is no median",
  );
  if (t.task !== "triangle") return [faster, predicted];
  const laps = (place: Place, f: number) => ratioAt(t, protocol, place, f, (r) => r.absLaps, "up");
  return [
    faster,
    predicted,
    claim(
      "laps",
      "Momentum runs more laps in the same time",
      "laps at λ over laps at λ = 1 above 1; 1/λ where the replay has a direction",
      cellsOf(t, usable, protocol, laps, (e) => e.low > 1),
    ),
  ];
}

/** Acceptance: about twice as fast at half the friction. */
function halfClaim(t: MomentumTask, protocol: Protocol): ClaimResult {
  const { friction, from, to } = protocol.momentum.half;
  const found = placesAt(t, protocol);
  const judgement = judged(
    found.usable.map((place) => {
      const estimate = ratioAt(t, protocol, place, friction, (r) => r.reachMedian);
      const holds = estimate.value >= from && estimate.value <= to;
      return candidate(t, place, friction, protocol.usable, { where: whereText(place), estimate, holds });
    }),
  );
  const { cells } = judgement;
  return {
    id: `momentum-half-${t.task}`,
    part: 3,
    claim: `λ = ${friction} replays about ${1 / friction} times as fast as λ = 1 (${TASK_WORDS[t.task]})`,
    predicted: `median reach time at λ = 1 over that at λ = ${friction} between ${from} and ${to}`,
    measured: quoted(
      cells,
      whereText({ leak: protocol.leakage.reference, maskEvery: protocol.momentum.law.maskEvery }),
      "×",
    ),
    over: `${protocol.seeds.count} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
    why: `${usableText(found)}${judgedText(judgement)}`,
  };
}

/** (D(λ, 1) − D(1, 1)) / spread. */
export const excess = (m: LawMember, at: number): number => ((m.distances[at] as number) - m.floor) / m.spread;

export function lawEstimate(t: LawTask, place: Place, at: number, protocol: Protocol): Estimate {
  return estimateMean(
    (membersAt(t.members, place) as LawMember[]).map((m) => excess(m, at)),
    protocol.statistics,
  );
}

function lawClaim(t: LawTask, protocol: Protocol): ClaimResult {
  const { excessAtMost, steps } = protocol.momentum.law;
  const leaks = leaksOf(t.members);
  const { maskEvery } = protocol.momentum.law;
  const all = leaks.flatMap((leak) =>
    t.frictions.map((friction, at) => {
      const estimate = lawEstimate(t, { leak, maskEvery }, at, protocol);
      const own = (membersAt(t.members, { leak, maskEvery }) as LawMember[]).filter((m) => Number.isFinite(m.floor));
      const where = whereAt({ leak, maskEvery }, friction);
      const holds = estimate.high <= excessAtMost;
      const diverged = own.filter((m) => Number.isNaN(m.distances[at])).length;
      return { where, estimate, holds, networks: own.length, diverged };
    }),
  );
  // Without momentum no law to keep.
  const found = judged(all.filter((c) => c.networks > 0));
  // An interval on both sides of the border is no evidence, neither for one law nor for two.
  const isOpen = ({ low, high, n }: Estimate): boolean => n >= 2 && low <= excessAtMost && high > excessAtMost;
  const cells = found.cells.filter((c) => !isOpen(c.estimate));
  const named = protocol.named[t.task];
  return {
    id: `momentum-law-${t.task}`,
    part: 3,
    claim: `Momentum leaves the law that replays settle into as it is (${TASK_WORDS[t.task]})`,
    predicted: `with noise √λ the same positions to first order in the step: sliced Wasserstein distance from λ = 1, beyond that of two clouds at λ = 1, at most ${excessAtMost} of the cloud's standard deviation`,
    measured: quoted(found.cells, named === undefined ? "" : whereAt(named, named.friction), " sd"),
    over: `${protocol.seeds.count} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
    why: `clouds of ${t.points} positions of steps ${steps / 2}–${steps}, of different repeats; of ${all.length} κ × λ ${found.cells.length - cells.length} have intervals that leave it open${judgedText(found)}. Exact only for small steps: a harmonic mode of rate k has the variance (2 − λ)(2 − k)/(4 − 2λ − k) times that at λ = 1`,
  };
}

export function momentumClaims({ tasks, laws }: MomentumResult, protocol: Protocol): ClaimResult[] {
  const { half } = protocol.momentum;
  return [
    ...tasks.flatMap((t) => taskClaims(t, protocol)),
    ...tasks.filter((t) => t.task === half.task).map((t) => halfClaim(t, protocol)),
    ...laws.map((t) => lawClaim(t, protocol)),
  ];
}
