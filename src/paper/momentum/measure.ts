/** What momentum alone does to replays of the common grid: b_a = 0 and every λ. */
import type { FamilyMember, FamilySweep } from "../experiment.ts";
import type { FamilyName } from "../protocol.ts";

/** Of one network's replays at one λ; times in steps. */
export interface Replayed {
  /** Median over replays; infinite where half of them never arrive. */
  readonly reachMedian: number;
  /** Restricted mean: what never arrives counts as T. */
  readonly reachMean: number;
  readonly reachFraction: number;
  readonly absLaps: number;
  readonly offPath: number;
  /** Share of replays. */
  readonly diverged: number;
}

export interface MomentumMember extends FamilyMember {
  /** [λ] */
  readonly replays: readonly Replayed[];
  /** Median reach time of the awake test paths. */
  readonly awakeReach: number;
}

export interface MomentumTask {
  readonly task: FamilyName;
  /** T of a replay. */
  readonly steps: number;
  /** Descending from 1. */
  readonly frictions: readonly number[];
  readonly members: readonly MomentumMember[];
}

export function momentumOf(task: FamilyName, { family, conditions, records, awake, steps }: FamilySweep): MomentumTask {
  const plain = conditions
    .map((c, index) => ({ friction: c.friction ?? 1, index, adapts: (c.adaptStrength ?? 0) > 0 }))
    .filter((c) => !c.adapts)
    .sort((a, b) => b.friction - a.friction);
  return {
    task,
    steps,
    frictions: plain.map((c) => c.friction),
    members: family.members.map((m) => ({
      ...m,
      replays: plain.map(({ index }) => {
        const value = (name: string): number => records[m.index]?.[index]?.values[name] ?? Number.NaN;
        return {
          reachMedian: value("reach_median"),
          reachMean: value("reach_rmean"),
          reachFraction: value("reach_fraction"),
          absLaps: value("abs_laps"),
          offPath: value("offpath"),
          diverged: value("diverged"),
        };
      }),
      awakeReach: awake[m.index]?.values.reach_median ?? Number.NaN,
    })),
  };
}
