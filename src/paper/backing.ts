/**
 * Which places of a grid are judged where networks diverge. A claim that a few survivors bear out does not hold there: the
 * share of the grid is of all of it. Pure.
 */
import type { ClaimCell, Estimate } from "./evidence.ts";

/** An interval counts only where most networks have a value. */
export const isBacked = ({ n }: Estimate, networks: number): boolean => 2 * n > networks;

export interface Candidate extends ClaimCell {
  /** Networks of the place, and those of them that diverged. */
  readonly networks: number;
  readonly diverged: number;
}

export interface Judged {
  readonly cells: ClaimCell[];
  /** Cells that fail since half of the networks or more diverged. */
  readonly lost: number;
  /** Places that are no cells: most networks did not diverge, and have nothing to compare all the same. */
  readonly untested: number;
}

export function judged(all: readonly Candidate[]): Judged {
  const isLost = (c: Candidate): boolean => 2 * c.diverged >= c.networks;
  const tested = all.filter((c) => isLost(c) || isBacked(c.estimate, c.networks));
  return {
    cells: tested.map(({ where, estimate, holds, ...c }) => ({
      where,
      estimate,
      holds: holds && isBacked(estimate, c.networks),
    })),
    lost: tested.filter((c) => !isBacked(c.estimate, c.networks)).length,
    untested: all.length - tested.length,
  };
}

/** "; in 5 of 60 places half of the networks or more diverged: the claim does not hold there"; nothing where there are none. */
export function judgedText({ cells, lost, untested }: Judged): string {
  const total = cells.length + untested;
  return [
    ...(lost > 0
      ? [`; in ${lost} of ${total} places half of the networks or more diverged: it does not hold there`]
      : []),
    ...(untested > 0 ? [`; ${untested} of ${total} places had too few networks to compare, and are left out`] : []),
  ].join("");
}
