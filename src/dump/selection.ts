/** What of a rollout is dumped: networks, rows, steps, arrays. Pure. */
import type { TimeWindow } from "../kernels/recurrence.ts";

export interface Selection {
  /** Indices of networks, ascending. */
  readonly networks: readonly number[];
  /** Rows [from, to) of every rollout. */
  readonly rows: readonly [number, number];
  /** Time: from, from + every, … up to `to`, which only arrays with an end have. */
  readonly from: number;
  readonly to: number;
  readonly every: number;
  readonly wants: (array: string) => boolean;
}

/** Entries of the time axis of an array under a selection. */
export function keptTimes(s: Pick<Selection, "from" | "to" | "every">, steps: number, end: boolean): number {
  const last = Math.min(s.to, steps) - (end ? 0 : 1);
  return last < s.from ? 0 : Math.floor((last - s.from) / s.every) + 1;
}

/** Kept times of a window: steps from its start, and the index of the first on the array's own axis. */
export function keptIn(
  s: Pick<Selection, "from" | "to" | "every">,
  w: TimeWindow,
  end: boolean,
): { readonly steps: readonly number[]; readonly first: number } {
  const steps: number[] = [];
  // The state at a window's start belongs to the window before, unless there is none.
  const [from, to] = end ? [w.t0 === 0 ? 0 : 1, w.steps] : [0, w.steps - 1];
  const last = s.to - (end ? 0 : 1);
  for (let i = from; i <= to; i++) {
    const t = w.t0 + i;
    if (t >= s.from && t <= last && (t - s.from) % s.every === 0) steps.push(i);
  }
  return { steps, first: steps.length > 0 ? (w.t0 + (steps[0] as number) - s.from) / s.every : 0 };
}

/** Rows of a rollout of `rows` that are kept. */
export function keptRows(s: Pick<Selection, "rows">, rows: number): number {
  return Math.max(0, Math.min(rows, s.rows[1]) - s.rows[0]);
}
