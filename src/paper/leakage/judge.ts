/** Whether a leak helps, task by task: against κ = 0, and against the vanilla network κ = 1. Pure. */
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import { membersAt } from "../grid.ts";
import type { FamilyName, Protocol } from "../protocol.ts";
import { estimateMean, pairedDifference, pairedRatio, verdictOf } from "../statistics.ts";
import { quoted, TASK_WORDS, whereText } from "../words.ts";
import type { LeakageMember, TaskLeakage } from "./measure.ts";

interface Place {
  readonly leak: number;
  readonly maskEvery: number;
}

/** Of each seed, ascending. */
const valuesAt = (t: TaskLeakage, place: Place, value: (m: LeakageMember) => number): number[] =>
  (membersAt(t.members, place) as LeakageMember[]).map(value);

/** Every κ with a partial leak × k. */
function places(protocol: Protocol): Place[] {
  const leaks = protocol.leaks.filter((leak) => leak > 0 && leak < 1);
  return leaks.flatMap((leak) => protocol.maskEvery.map((maskEvery) => ({ leak, maskEvery })));
}

function cellsOf(
  protocol: Protocol,
  estimate: (place: Place) => Estimate,
  holds: (e: Estimate) => boolean = (e) => e.low > 1,
): ClaimCell[] {
  return places(protocol)
    .map((place) => ({ where: whereText(place), estimate: estimate(place) }))
    .filter((c) => c.estimate.n > 0)
    .map((c) => ({ ...c, holds: holds(c.estimate) }));
}

/** "3 of 96 networks diverged in training" */
function divergedText({ members }: TaskLeakage): string {
  const n = members.filter((m) => m.diverged).length;
  return n === 0 ? "" : `${n} of ${members.length} networks diverged in training and have no final error. `;
}

const namedPlace = (protocol: Protocol, task: FamilyName): string => {
  const named = protocol.named[task];
  return named === undefined ? "" : whereText(named);
};

function taskClaims(t: TaskLeakage, protocol: Protocol): ClaimResult[] {
  const s = protocol.statistics;
  const over = `${protocol.seeds.count} seeds`;
  const name = TASK_WORDS[t.task];
  const named = namedPlace(protocol, t.task);
  const isMaze = t.task === "tmaze" || t.task === "triangle";
  const ratioTo = (leak: number, value: (m: LeakageMember) => number) => (place: Place) =>
    pairedRatio(valuesAt(t, { ...place, leak }, value), valuesAt(t, place, value), s);
  const claim = (
    id: string,
    text: string,
    predicted: string,
    cells: readonly ClaimCell[],
    unit: string,
  ): ClaimResult => ({
    id: `leakage-${id}-${t.task}`,
    part: 1,
    claim: `${name}: ${text}`,
    predicted,
    measured: quoted(cells, named, unit),
    over,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
    ...(divergedText(t) === "" ? {} : { why: divergedText(t).trim() }),
  });
  const error = (m: LeakageMember): number => m.error;
  const time = (m: LeakageMember): number => m.toReference;
  const within = cellsOf(
    protocol,
    (place) =>
      estimateMean(
        valuesAt(t, place, (m) => m.toUnleaked / t.iterations),
        s,
      ),
    (e) => e.high < protocol.leakage.passesWithin,
  );
  return [
    claim(
      "error",
      "training ends at a lower error with a leak than without",
      "error of κ = 0 over that with a leak above 1; in a prototype 1.2 to 2.6, in every seed",
      cellsOf(protocol, ratioTo(0, error)),
      "×",
    ),
    claim(
      "speed",
      "training gets there in fewer iterations with a leak than without",
      "iterations of κ = 0 over those with a leak above 1; in a prototype 2 to 6",
      cellsOf(protocol, ratioTo(0, time)),
      "×",
    ),
    claim(
      "passes",
      `with a leak the final error without one is passed within ${100 * protocol.leakage.passesWithin} % of the iterations`,
      `share of the iterations below ${protocol.leakage.passesWithin}`,
      within,
      "",
    ),
    claim(
      "vanilla-error",
      "training ends at a lower error with a partial leak than in the vanilla network (κ = 1)",
      isMaze
        ? "error of κ = 1 over that of a partial leak above 1; in a prototype only at k = 20 (1.2)"
        : "error of κ = 1 over that of a partial leak above 1; in a prototype 1.1 to 1.3",
      cellsOf(protocol, ratioTo(1, error)),
      "×",
    ),
    claim(
      "vanilla-speed",
      "training gets there in fewer iterations with a partial leak than in the vanilla network",
      isMaze
        ? "iterations of κ = 1 over those of a partial leak above 1; in a prototype little at k ≤ 5"
        : "iterations of κ = 1 over those of a partial leak above 1; in a prototype 1 to 2",
      cellsOf(protocol, ratioTo(1, time)),
      "×",
    ),
  ];
}

/** How much more a leak helps on the T-maze than on the triangle: a difference of logarithms, seed by seed. */
function moreOnTmaze(tmaze: TaskLeakage, triangle: TaskLeakage, protocol: Protocol): ClaimResult {
  const gain = (t: TaskLeakage, place: Place): number[] => {
    const without = valuesAt(t, { ...place, leak: 0 }, (m) => Math.log(m.error));
    return valuesAt(t, place, (m) => Math.log(m.error)).map((x, i) => (without[i] ?? Number.NaN) - x);
  };
  const cells = cellsOf(protocol, (place) => {
    const { value, low, high, n } = pairedDifference(gain(tmaze, place), gain(triangle, place), protocol.statistics);
    return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high), n };
  });
  return {
    id: "leakage-more-on-tmaze",
    part: 1,
    claim: "a leak helps more on the T-maze than on the triangle",
    predicted: "ratio of the two tasks' error ratios above 1; in a prototype only at k = 20 (1.1), below 1 at k ≤ 5",
    measured: quoted(cells, namedPlace(protocol, "tmaze"), "×"),
    over: `${protocol.seeds.count} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
  };
}

export function judgeLeakage(tasks: readonly TaskLeakage[], protocol: Protocol): ClaimResult[] {
  const [tmaze, triangle] = (["tmaze", "triangle"] as const).map((name) => tasks.find((t) => t.task === name));
  return [
    ...tasks.flatMap((t) => taskClaims(t, protocol)),
    ...(tmaze && triangle ? [moreOnTmaze(tmaze, triangle, protocol)] : []),
  ];
}
