/** Which networks replay at all: claims about replays are tested where the plain one (λ = 1, b_a = 0) is a replay. Pure. */
import { mean } from "../metrics/statistics.ts";
import type { FamilyMember } from "./experiment.ts";
import { membersAt } from "./grid.ts";
import type { FamilyName, Protocol } from "./protocol.ts";

/** A place of the family's grid: κ and k. */
export type Place = Pick<FamilyMember, "leak" | "maskEvery">;

/** Of one network's plain replays. */
export interface PlainReplay {
  readonly diverged: number;
  readonly reachFraction: number;
}

/** Every κ × k of a family, in the order of its members. */
export function placesOf(members: readonly FamilyMember[]): Place[] {
  const places = new Map(members.map(({ leak, maskEvery }) => [`${leak} ${maskEvery}`, { leak, maskEvery }]));
  return [...places.values()];
}

export interface UsablePlaces {
  readonly usable: readonly Place[];
  /** κ × k of the family. */
  readonly of: number;
}

/** The protocol's rule, on means over the networks of a place. @param plain of each member */
export function usablePlaces(
  members: readonly FamilyMember[],
  plain: readonly PlainReplay[],
  task: FamilyName,
  { divergedAtMost, reachFractionFrom }: Protocol["usable"],
): UsablePlaces {
  const places = placesOf(members);
  const least = reachFractionFrom[task] ?? 0;
  const usable = places.filter((place) => {
    const own = membersAt(members, place).map((m) => plain[m.index] as PlainReplay);
    return mean(own.map((p) => p.diverged)) <= divergedAtMost && mean(own.map((p) => p.reachFraction)) >= least;
  });
  return { usable, of: places.length };
}

/** "9 of 12 κ × k replay" */
export const usableText = ({ usable, of }: UsablePlaces): string => `${usable.length} of ${of} κ × k replay at all`;
