/** What the adaptation experiment keeps of a family's common grid of replays, and how it is asked. Plain data. */
import type { Condition } from "../../sweep/definition.ts";
import type { FamilyMember, FamilySweep } from "../experiment.ts";
import { type Cell, conditionAt, membersAt } from "../grid.ts";
import type { FamilyName, Protocol } from "../protocol.ts";
import { type Place, type UsablePlaces, usablePlaces } from "../usable.ts";

export const KEPT = [
  "track",
  "regions",
  "entries",
  "coverage_entropy",
  "reach_rmean",
  "reach_fraction",
  "diverged",
] as const;
export type Kept = (typeof KEPT)[number];

export interface TaskReplays {
  readonly task: FamilyName;
  /** T of a replay: what never arrives counts as. */
  readonly steps: number;
  readonly members: readonly FamilyMember[];
  readonly conditions: readonly Condition[];
  /** [member][condition]; NaN where it is not defined. */
  readonly values: Readonly<Record<Kept, readonly (readonly number[])[]>>;
}

export function taskReplays(task: FamilyName, sweep: FamilySweep): TaskReplays {
  const of = (name: Kept) => sweep.records.map((own) => own.map((record) => record.values[name] ?? Number.NaN));
  return {
    task,
    steps: sweep.steps,
    members: sweep.family.members,
    conditions: sweep.conditions,
    values: Object.fromEntries(KEPT.map((name) => [name, of(name)])) as Record<Kept, number[][]>,
  };
}

/**
 * A metric of every network of a place under one condition, by ascending seed. NaN where it is not defined, and where
 * most rollouts diverged: what is left of those says nothing about the network.
 */
export function seriesAt(r: TaskReplays, name: Kept, place: Place, cell: Cell, u: Protocol["usable"]): number[] {
  const condition = conditionAt(r.conditions, cell);
  return membersAt(r.members, place).map(({ index }) => {
    const of = (metric: Kept): number => r.values[metric][index]?.[condition] ?? Number.NaN;
    return of("diverged") <= u.divergedAtMost ? of(name) : Number.NaN;
  });
}

export const PLAIN: Cell = { friction: 1, adaptStrength: 0, adaptTau: 1 };

export function usableOf(r: TaskReplays, { usable }: Pick<Protocol, "usable">): UsablePlaces {
  const plain = conditionAt(r.conditions, PLAIN);
  const replays = r.members.map((_, m) => ({
    diverged: r.values.diverged[m]?.[plain] ?? 1,
    reachFraction: r.values.reach_fraction[m]?.[plain] ?? 0,
  }));
  return usablePlaces(r.members, replays, r.task, usable);
}

/** The adaptations of the grid, b_a slowest. */
export function adaptations({ replay }: Pick<Protocol, "replay">): Pick<Cell, "adaptStrength" | "adaptTau">[] {
  return replay.adaptStrength.flatMap((adaptStrength) =>
    replay.adaptTau.map((adaptTau) => ({ adaptStrength, adaptTau })),
  );
}
