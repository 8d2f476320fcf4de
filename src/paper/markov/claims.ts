/** Verdicts: r alone is not Markov, (r, v, c) is, and whether memory or inhibition slows and explores. Pure. */
import { mean } from "../../metrics/statistics.ts";
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { estimateMean, formatEstimate, pairedDifference, shareOf, verdictOf } from "../statistics.ts";
import { coverageOf } from "../tasks.ts";
import { type Place, usableText } from "../usable.ts";
import { shareText, TASK_WORDS, whereText } from "../words.ts";
import { type Memory, type NetworkForks, QUARTERS, SHOWN } from "./forks.ts";
import { type Given, LAGS, type NetworkInformation, type ReplayName } from "./information.ts";
import type { Control, Measured } from "./memoryless.ts";
import { controlAt, seriesOf, type TaskMarkov, usableOf } from "./result.ts";

const isAbove = (e: Estimate, networks: number): boolean => e.low > 0 && 2 * e.n > networks;

interface Asked {
  readonly r: TaskMarkov;
  readonly protocol: Protocol;
  readonly named: NamedCell;
}

type Said = Pick<ClaimResult, "claim" | "predicted" | "measured" | "cells"> & { readonly why?: string };

function result({ r, protocol, named }: Asked, id: string, said: Said): ClaimResult {
  const places = usableOf(r, protocol);
  const { why, ...rest } = said;
  return {
    id: `${id}-${r.task}`,
    part: 2,
    over: `${r.members.filter((m) => m.leak === named.leak && m.maskEvery === named.maskEvery).length} seeds × ${said.cells.length} κ × k`,
    verdict: verdictOf(said.cells, protocol.verdict),
    why: [`${shareText(shareOf(said.cells))} of these`, ...(why ? [why] : []), usableText(places)].join("; "),
    ...rest,
  };
}

/** One cell for each usable κ and k: a − b, paired over seeds, above 0. */
function cellsOf({ r, protocol }: Asked, values: (place: Place) => readonly [number[], number[]]): ClaimCell[] {
  return usableOf(r, protocol).usable.map((place) => {
    const [a, b] = values(place);
    const estimate = pairedDifference(a, b, protocol.statistics);
    return { where: whereText(place), estimate, holds: isAbove(estimate, a.length) };
  });
}

/** Early and late: a law may differ at either, so that each is asked at half of what the confidence leaves. */
const TIMES = [0, 1] as const;

function forkCells(a: Asked, memory: Memory): ClaimCell[] {
  const { r, protocol } = a;
  const confidence = 1 - (1 - protocol.statistics.confidence) / TIMES.length;
  return usableOf(r, protocol).usable.map((place) => {
    const at = TIMES.map((time) => {
      const of = (against: "other" | "floor") => seriesOf(r, r.forks[memory], place, (f) => f.states[against][time]);
      return pairedDifference(of("other"), of("floor"), { confidence });
    }) as [Estimate, Estimate];
    const networks = seriesOf(r, r.forks[memory], place, (f) => f.index).length;
    const clearer = at[0].low > at[1].low ? at[0] : at[1];
    return { where: whereText(place), estimate: clearer, holds: at.some((e) => isAbove(e, networks)) };
  });
}

function forkClaim(a: Asked, memory: Memory): ClaimResult {
  const { r, protocol, named } = a;
  const { horizon, states, neighbours } = protocol.markov;
  const at = (of: (f: NetworkForks) => number): string =>
    formatEstimate(estimateMean(seriesOf(r, r.forks[memory], named, of), protocol.statistics), "", 2);
  const time = SHOWN[memory];
  return result(a, `markov-fork-${memory}`, {
    claim: `${TASK_WORDS[r.task]}: under ${memory === "c" ? "adaptation" : "momentum"} r alone is not Markov (fork test on ${memory})`,
    predicted: `from the same r_t, the law ${horizon / QUARTERS} or ${horizon} steps on differs by more than that of two clouds of one state`,
    measured: `energy coefficient ${at((f) => f.states.other[time])} with ${memory} of another visit, floor ${at((f) => f.states.floor[time])}, ${time === 0 ? horizon / QUARTERS : horizon} steps on at ${whereText(named)}`,
    cells: forkCells(a, memory),
    why: `with ${memory} = 0: ${at((f) => f.states.none[time])}; one-step mean moved by ${at((f) => f.oneStep.other)} standard deviations of the noise; other visits are ${at((f) => f.apart)} spreads of r away, ${shareText(mean(r.forks[memory].map((f) => f.forks / states)))} of the forks found one within ${neighbours}`,
  });
}

function wholeStateClaim(a: Asked): ClaimResult {
  const { r, protocol } = a;
  const all = [...r.forks.c, ...r.forks.v];
  const share = (f: NetworkForks): number => f.identical / f.continued;
  const cells = usableOf(r, protocol).usable.map((place) => {
    const own = [...seriesOf(r, r.forks.c, place, share), ...seriesOf(r, r.forks.v, place, share)];
    const estimate = estimateMean(own, protocol.statistics);
    return { where: whereText(place), estimate, holds: own.every((x) => x === 1) };
  });
  const sum = (of: (f: NetworkForks) => number): number => all.reduce((total, f) => total + of(f), 0);
  return result(a, "markov-state", {
    claim: `${TASK_WORDS[r.task]}: (r, v, c) is the whole state`,
    predicted: "rollouts launched anew from (r, v, c) at half time have the bits of the unbroken ones",
    measured: `${sum((f) => f.identical)} of ${sum((f) => f.continued)} rollouts identical in every bit of r, v and c`,
    cells,
  });
}

function controlClaim(a: Asked, id: string, of: keyof Measured, words: { claim: string; unit: string }): ClaimResult {
  const { r, protocol, named } = a;
  const at = (control: Control): string =>
    formatEstimate(estimateMean(controlAt(r, named, control, of, protocol), protocol.statistics));
  const against = (x: Control, y: Control) =>
    cellsOf(a, (place) => [controlAt(r, place, x, of, protocol), controlAt(r, place, y, of, protocol)]);
  const inhibition = against("memoryless", "plain");
  const cells = against("adaptation", "memoryless");
  const below = (of: readonly ClaimCell[]): string =>
    shareText(of.filter((c) => c.estimate.high < 0).length / of.length);
  return result(a, id, {
    claim: `${TASK_WORDS[r.task]}: ${words.claim}`,
    predicted: "open: memoryless feedback c = b_a r, of the same strength, tells memory from inhibition",
    measured: `${words.unit} ${at("plain")} plain, ${at("memoryless")} memoryless, ${at("adaptation")} adaptation at ${whereText(named)}, b_a = ${named.adaptStrength}, τ_a = ${named.adaptTau}`,
    cells,
    why: `adaptation is below memoryless feedback in ${below(cells)}; memoryless feedback is above plain in ${shareText(shareOf(inhibition))}, below in ${below(inhibition)}`,
  });
}

/** Lag that verdicts go by: the longer one. */
const LAG = LAGS.length - 1;

const natsOf =
  (replay: ReplayName, given: Given) =>
  (x: NetworkInformation): number =>
    x.nats[replay][given]?.[LAG] ?? Number.NaN;

function informationClaim(a: Asked, replay: "adaptation" | "momentum"): ClaimResult {
  const { r, protocol, named } = a;
  const given: Given = replay === "adaptation" ? "r, c" : "r, v";
  const series = (place: Place, of: ReplayName, g: Given) => seriesOf(r, r.information, place, natsOf(of, g));
  const at = (of: ReplayName, g: Given): string =>
    formatEstimate(estimateMean(series(named, of, g), protocol.statistics));
  const measuredAt = new Set(protocol.markov.memoryMaskEvery);
  const all = usableOf(r, protocol).usable.filter((p) => measuredAt.has(p.maskEvery));
  const cells = all.map((place) => {
    const [own, plain] = [series(place, replay, "r"), series(place, "plain", "r")];
    const estimate = pairedDifference(own, plain, protocol.statistics);
    return { where: whereText(place), estimate, holds: isAbove(estimate, own.length) };
  });
  const lowered = all.map((place) =>
    pairedDifference(series(place, replay, given), series(place, replay, "r"), protocol.statistics),
  );
  return result(a, `markov-information-${replay}`, {
    claim: `${TASK_WORDS[r.task]}: under ${replay} the past of r tells more than in plain replay (conditional mutual information)`,
    predicted:
      "above plain, and gone once the memory is known; in a prototype momentum raised it far more than adaptation",
    measured: `I(z′; z ${LAGS[LAG]} steps before | z) = ${at(replay, "r")} nats, plain ${at("plain", "r")}; given (${given}) ${at(replay, given)}; at ${whereText(named)}`,
    cells,
    why: `knowing (${given}) lowers it in ${shareText(lowered.filter((e) => e.high < 0).length / lowered.length)} of these; k = ${protocol.markov.memoryMaskEvery.join(", ")} only`,
  });
}

export function markovClaims(tasks: readonly TaskMarkov[], protocol: Protocol): ClaimResult[] {
  return tasks.flatMap((r) => {
    const a: Asked = { r, protocol, named: protocol.named[r.task] as NamedCell };
    return [
      forkClaim(a, "c"),
      forkClaim(a, "v"),
      wholeStateClaim(a),
      controlClaim(a, "memory-slows", "reach", {
        claim: "memory, not inhibition alone, slows (adaptation slower than memoryless feedback)",
        unit: `reach time of ${r.steps} steps`,
      }),
      controlClaim(a, "memory-explores", "coverage", {
        claim: "memory, not inhibition alone, explores (adaptation covers more than memoryless feedback)",
        unit: coverageOf(r.task),
      }),
      informationClaim(a, "adaptation"),
      informationClaim(a, "momentum"),
    ];
  });
}
