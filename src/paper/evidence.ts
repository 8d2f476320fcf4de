/** What an experiment hands over: verdicts on claims and figures with their data. Plain data, no GPU. */
import type { Figure } from "../report/svg.ts";
import type { Verdict } from "../report/table.ts";

/** A number over independently trained networks, with its interval. */
export interface Estimate {
  readonly value: number;
  /** Ends of the interval at the protocol's confidence. */
  readonly low: number;
  readonly high: number;
  /** Networks it rests on. */
  readonly n: number;
}

/** One place of the grid where a claim was tested. */
export interface ClaimCell {
  /** For people: "κ = 0.2, k = 5". */
  readonly where: string;
  readonly estimate: Estimate;
  readonly holds: boolean;
}

export interface ClaimResult {
  /** Unique and stable, "leakage-error-tmaze": names lines of claims.csv. */
  readonly id: string;
  /** Which of the paper's claims, 1–3, or 4 for what its reviewers asked. */
  readonly part: 1 | 2 | 3 | 4;
  readonly claim: string;
  readonly predicted: string;
  /** What was measured, in a sentence with its interval, at the place that the protocol names. */
  readonly measured: string;
  /** "8 seeds" */
  readonly over: string;
  /** Every place of the grid where the claim could be tested; the verdict follows from their share. */
  readonly cells: readonly ClaimCell[];
  readonly verdict: Verdict;
  /** What a reader must know beside the verdict. */
  readonly why?: string;
}

/** A figure of the reproduction. Its SVG, PNG and CSV bear the figure's name. */
export interface PaperFigure {
  readonly part: 1 | 2 | 3 | 4;
  readonly figure: Figure;
  readonly title: string;
  readonly caption: string;
  /** What is drawn, one line per point. */
  readonly csv: string;
}
