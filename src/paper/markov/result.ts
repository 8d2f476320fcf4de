/** What the Markov experiment measured of one task, and how it is asked. Plain data. */
import type { FamilyMember } from "../experiment.ts";
import { membersAt } from "../grid.ts";
import type { FamilyName, Protocol } from "../protocol.ts";
import { type Place, type UsablePlaces, usablePlaces } from "../usable.ts";
import type { Memory, NetworkForks } from "./forks.ts";
import type { NetworkInformation } from "./information.ts";
import type { Control, Controls, Measured } from "./memoryless.ts";

export interface TaskMarkov {
  readonly task: FamilyName;
  /** T of a replay: what never arrives counts as. */
  readonly steps: number;
  readonly members: readonly FamilyMember[];
  readonly controls: Controls;
  /** Of the networks whose place replays at all. */
  readonly forks: Readonly<Record<Memory, readonly NetworkForks[]>>;
  readonly information: readonly NetworkInformation[];
}

export function usableOf(
  r: Pick<TaskMarkov, "task" | "members" | "controls">,
  { usable }: Pick<Protocol, "usable">,
): UsablePlaces {
  return usablePlaces(r.members, r.controls.plain, r.task, usable);
}

/** Of every network of a place, by ascending seed; NaN for one that was not measured. */
export function seriesOf<T extends { readonly index: number }>(
  r: TaskMarkov,
  measured: readonly T[],
  place: Place,
  of: (x: T) => number,
): number[] {
  return membersAt(r.members, place).map(({ index }) => {
    const found = measured.find((x) => x.index === index);
    return found === undefined ? Number.NaN : of(found);
  });
}

/** A control's measure of every network of a place; NaN where most rollouts diverged. */
export function controlAt(
  r: TaskMarkov,
  place: Place,
  control: Control,
  of: keyof Measured,
  { usable }: Pick<Protocol, "usable">,
): number[] {
  return membersAt(r.members, place).map(({ index }) => {
    const own = r.controls[control][index] as Measured;
    return own.diverged <= usable.divergedAtMost ? own[of] : Number.NaN;
  });
}
