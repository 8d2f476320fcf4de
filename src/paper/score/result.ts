/** What was measured of the score, and how to look it up. */

import type { FamilyMember } from "../experiment.ts";
import { membersAt } from "../grid.ts";
import { type Comparison, type DriftComparison, isCompared } from "./comparison.ts";

export interface ScoreNetwork extends FamilyMember {
  readonly diverged: boolean;
  /** One for each time. */
  readonly comparisons: readonly Comparison[];
}

export interface ScoreResult {
  /** Steps t. */
  readonly times: readonly number[];
  /** N */
  readonly units: number;
  /** σ */
  readonly noiseStd: number;
  readonly networks: readonly ScoreNetwork[];
}

/** κ and k that were measured, in their order. */
export const leaksOf = ({ networks }: ScoreResult): number[] => [...new Set(networks.map((n) => n.leak))];
export const masksOf = ({ networks }: ScoreResult): number[] => [...new Set(networks.map((n) => n.maskEvery))];

export type Measure = (c: DriftComparison) => number;

/** A measure of each network of a cell at one time, by ascending seed; NaN where a network's states are not finite. */
export function valuesAt(
  { networks, times }: ScoreResult,
  cell: { readonly leak: number; readonly maskEvery: number },
  time: number,
  measure: Measure,
): number[] {
  const at = times.indexOf(time);
  return membersAt(networks, cell).map((n) => {
    const c = n.comparisons[at];
    return c !== undefined && isCompared(c) ? measure(c) : Number.NaN;
  });
}
