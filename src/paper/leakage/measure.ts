/** What training of a family says about its leaks: errors, curves, and how long it took. Pure. */
import { median } from "../../metrics/statistics.ts";
import type { Family, FamilyMember } from "../experiment.ts";
import type { FamilyName, Protocol } from "../protocol.ts";
import { iterationsTo, smoothed } from "./convergence.ts";

export interface LeakageMember extends FamilyMember {
  readonly diverged: boolean;
  /** Mean squared error on fresh trajectories. */
  readonly error: number;
  /** Iterations until the smoothed training loss passes the reference's final error, `passedAt` times; never: one more than all. */
  readonly toReference: number;
  /** Iterations until it passes the median final error of the networks without a leak. */
  readonly toUnleaked: number;
  /** Smoothed training loss at `Leakage.at`. */
  readonly curve: readonly number[];
}

export interface TaskLeakage {
  readonly task: FamilyName;
  readonly iterations: number;
  /** Iterations of the curves' points. */
  readonly at: readonly number[];
  readonly members: readonly LeakageMember[];
}

/** More cannot be seen. */
const CURVE_POINTS = 140;

export function taskLeakage(family: Family, { leakage }: Protocol): TaskLeakage {
  const { members, losses, testError, diverged } = family;
  const iterations = losses.length;
  const stride = Math.ceil(iterations / CURVE_POINTS);
  const at = Array.from({ length: Math.floor(iterations / stride) }, (_, i) => (i + 1) * stride);
  // A manifest has null for an error that is not finite.
  const errorOf = (m: FamilyMember): number => testError[m.index] ?? Number.NaN;
  const finalError = (leak: number, maskEvery: number): number =>
    median(
      members
        .filter((m) => m.leak === leak && m.maskEvery === maskEvery)
        .map(errorOf)
        .filter(Number.isFinite),
    );
  return {
    task: family.name,
    iterations,
    at,
    members: members.map((m): LeakageMember => {
      const loss = smoothed(
        losses.map((line) => line[m.index] ?? Number.NaN),
        leakage.smoothOver,
      );
      return {
        ...m,
        diverged: diverged[m.index] ?? false,
        error: errorOf(m),
        toReference: iterationsTo(loss, leakage.passedAt * finalError(leakage.reference, m.maskEvery)),
        toUnleaked: iterationsTo(loss, finalError(0, m.maskEvery)),
        curve: at.map((i) => loss[i - 1] as number),
      };
    }),
  };
}
