/**
 * How work ended: a value, in the same words under every verb, with what a user can do about it. What diverges is a
 * result: it neither stops nor touches what is computed beside it. Pure.
 */

/** In what way work ended. */
export type OutcomeKind =
  | "completed"
  /** Every rollout left the region that its numbers mean something in. */
  | "diverged"
  /** A number that is none was found in training, by its bits. */
  | "nonFinite"
  /** By a signal; what is done is saved. */
  | "interrupted"
  /** The device went away, or failed; what was saved before is sound. */
  | "deviceLost"
  | "gpuError";

/** How work ended, and what to do about it. */
export interface Ended {
  readonly kind: OutcomeKind;
  /** Empty where there is nothing to mend. */
  readonly remedy: string;
}

/** Networks × conditions of which some rollout diverged, or all of them did. */
export interface Diverged {
  readonly some: number;
  readonly all: number;
  readonly of: number;
}

/** How rollouts of many conditions ended. */
export interface RolloutsEnded extends Ended {
  readonly kind: "completed" | "diverged" | "interrupted";
  readonly diverged: Diverged;
}

/**
 * @param shares of the rollouts of a network and condition, that which diverged
 * @param goOn what goes on after an interruption
 */
export function rolloutsEnded(
  kind: "completed" | "interrupted",
  shares: readonly number[],
  goOn: string,
): RolloutsEnded {
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
  const nothingElse = kind === "completed" && diverged.of > 0 && diverged.all === diverged.of;
  return { kind: nothingElse ? "diverged" : kind, diverged, remedy: remedies.join("; ") };
}
