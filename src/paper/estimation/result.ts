/** What was measured of estimation. */
import { type Errors, LEARNERS, type Learner } from "./learners.ts";

/** Errors of all repeats, measure by measure: a tenth of the room that a list of them takes in a file. */
export interface ErrorColumns {
  readonly precision: readonly number[];
  readonly gain: Readonly<Record<Learner, readonly number[]>>;
  readonly excess: Readonly<Record<Learner, readonly number[]>>;
}

export type Measure = (e: ErrorColumns) => readonly number[];

export function columnsOf(errors: readonly Errors[]): ErrorColumns {
  const each = (of: (e: Errors) => Errors["gain"]) =>
    Object.fromEntries(LEARNERS.map((l) => [l, errors.map((e) => of(e)[l])])) as Record<Learner, number[]>;
  return { precision: errors.map((e) => e.precision), gain: each((e) => e.gain), excess: each((e) => e.excess) };
}

export interface EstimationCell {
  /** H */
  readonly dimension: number;
  /** t */
  readonly time: number;
  /** n */
  readonly samples: number;
  /** One number for each repeat; none where so few samples determine no covariance. */
  readonly errors: ErrorColumns;
}

export interface EstimationResult {
  /** d */
  readonly pathDimension: number;
  readonly cells: readonly EstimationCell[];
  /** K_t, t = 0 …, in closed form. */
  readonly gains: readonly number[];
  /**
   * Of paths of so many steps: the best constant gain, its loss beyond that of K_t as a share of it, and the same of the
   * best constant map of rank d without a leak, by the number of units.
   */
  readonly constant: readonly {
    readonly steps: number;
    readonly gain: number;
    readonly excess: number;
    readonly withoutLeak: readonly { readonly dimension: number; readonly excess: number }[];
  }[];
}

export function cellAt(
  { cells }: EstimationResult,
  at: { readonly dimension: number; readonly time: number; readonly samples: number },
): EstimationCell | undefined {
  return cells.find((c) => c.dimension === at.dimension && c.time === at.time && c.samples === at.samples);
}

export const inCell = (c: EstimationCell | undefined, measure: Measure): readonly number[] =>
  c === undefined ? [] : measure(c.errors);
