/** How training ended. A diverged network is a result, not a crash. */
import type { Ended } from "../model/outcome.ts";

export interface NetworkOutcome {
  readonly kind: "completed" | "nonFinite";
  /** Iteration at which the network was stopped, and the first step and row whose readout was not finite, if any. */
  readonly iteration?: number;
  readonly step?: number;
  readonly row?: number;
}

/** How training ended, as a whole and for each network. */
export interface Outcome extends Ended {
  readonly kind: "completed" | "interrupted" | "nonFinite";
  readonly networks: readonly NetworkOutcome[];
}

export function describeNetwork(index: number, seed: number, o: NetworkOutcome): string {
  if (o.kind === "completed") return `network ${index} (seed ${seed}) completed`;
  const where = o.step === undefined ? "its gradient" : `step ${o.step}, row ${o.row}`;
  return `network ${index} (seed ${seed}) stopped at iteration ${o.iteration}: not finite at ${where}; lower learningRate, gain or initialGain`;
}
