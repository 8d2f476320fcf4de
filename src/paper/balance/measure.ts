/** Replays under many mixes of momentum and adaptation, reduced to what speed, coverage and fidelity need. Pure. */
import type { FamilyMember, FamilySweep } from "../experiment.ts";
import type { Cell } from "../grid.ts";
import type { Protocol } from "../protocol.ts";

/** Of one network, by condition. */
export interface ReplayedMember extends FamilyMember {
  /** Restricted mean reach time, steps; a rollout that diverged never arrives. */
  readonly reach: readonly number[];
  /** Share of rollouts that arrive. */
  readonly arrives: readonly number[];
  /** Track coverage; a rollout that diverged covers nothing. */
  readonly track: readonly number[];
  /** Distance from the maze of the rollouts that did not diverge, m; NaN where all did. */
  readonly offpath: readonly number[];
  /** Share of rollouts. */
  readonly diverged: readonly number[];
}

export interface Plane {
  readonly conditions: readonly Cell[];
  readonly members: readonly ReplayedMember[];
}

type Range = readonly [first: number, last: number, count: number];

/** Evenly, both ends there; decimals as people write them. */
export const spread = ([first, last, count]: Range): number[] =>
  Array.from({ length: count }, (_, i) =>
    count === 1 ? first : Number((first + ((last - first) * i) / (count - 1)).toPrecision(12)),
  );

/** λ × b_a, friction slowest. */
export const planeConditions = ({ balance: b }: Protocol): Cell[] =>
  spread(b.friction).flatMap((friction) =>
    spread(b.adaptStrength).map((adaptStrength) => ({ friction, adaptStrength, adaptTau: b.adaptTau })),
  );

export function planeOfSweep({ members, records }: FamilySweep, conditions: readonly Cell[]): Plane {
  return {
    conditions,
    members: members.map((m, i): ReplayedMember => {
      const values = (name: string): number[] => conditions.map((_, c) => records[i]?.[c]?.values[name] ?? Number.NaN);
      const diverged = values("diverged");
      const track = values("track").map((x, c) => (diverged[c] === 1 ? 0 : x * (1 - (diverged[c] as number))));
      return {
        ...m,
        reach: values("reach_rmean"),
        arrives: values("reach_fraction"),
        track,
        offpath: values("offpath"),
        diverged,
      };
    }),
  };
}
