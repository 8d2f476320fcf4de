/** How a sweep ended. A condition that diverges is a result: it is counted, and what can be done about it is said. Pure. */
import { AWAKE, type ResultRecord } from "./results.ts";

export interface SweepOutcome {
  readonly kind: "completed" | "interrupted";
  /** Networks × conditions of which some rollout diverged, of all that are there. */
  readonly diverged: { readonly some: number; readonly all: number; readonly of: number };
  /** Empty where there is nothing to mend. */
  readonly remedy: string;
}

/** @param goOn the command line that resumes */
export function sweepOutcome(kind: SweepOutcome["kind"], records: readonly ResultRecord[], goOn: string): SweepOutcome {
  const shares = records.filter((r) => r.condition !== AWAKE).map((r) => r.values.diverged ?? 0);
  const diverged = {
    some: shares.filter((share) => share > 0).length,
    all: shares.filter((share) => share === 1).length,
    of: shares.length,
  };
  const remedies = [
    ...(kind === "interrupted" ? [`go on with: ${goOn}`] : []),
    ...(diverged.some > 0
      ? ["where the column diverged is above 0, raise leak or friction, or lower gain, noiseStd or adaptStrength"]
      : []),
  ];
  return { kind, diverged, remedy: remedies.join("; ") };
}
