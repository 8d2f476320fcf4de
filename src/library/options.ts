/** What every function of the library takes, and the ear that the work behind it speaks to. */
import { UsageError } from "../errors.ts";
import type { PlanKind } from "../gpu/plan.ts";
import type { Io } from "../run/types.ts";

/** What every function of the library takes. */
export interface LibraryOptions {
  /** Stops after the submit under way; what was done is kept and can be gone on with. */
  readonly signal?: AbortSignal;
  /** Lines for people, such as what is compiled or resumed. */
  readonly onNote?: (line: string) => void;
  /** How work is laid out on the adapter; the results are the same. Chosen without. */
  readonly planKind?: PlanKind;
}

/** Progress of work that counts: `done` of `total`, null where the total is unknown. */
export type ProgressListener = (label: string, done: number, total: number | null) => void;

/** @internal */
export function ioOf(options: LibraryOptions, onProgress?: ProgressListener): Io {
  const note = options.onNote ?? (() => undefined);
  let current: { label: string; total: number | null } = { label: "", total: null };
  return {
    progress: {
      start: (label, total) => {
        current = { label, total: total ?? null };
        onProgress?.(label, 0, current.total);
      },
      update: (done) => onProgress?.(current.label, done, current.total),
      done: (summary) => {
        if (summary !== undefined) note(summary);
      },
      note,
    },
    out: () => undefined,
    note,
    json: false,
    signal: options.signal ?? new AbortController().signal,
  };
}

/** @internal */
export const planOf = ({ planKind }: LibraryOptions): { planKind?: PlanKind } => (planKind ? { planKind } : {});

/** @internal */
export function requireDirectory(name: string, path: string | undefined): string {
  if (path === undefined || path === "") throw new UsageError(`${name}: name the directory that the results go to`);
  return path;
}
