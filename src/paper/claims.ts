/** Verdicts as files: claims.csv, one line per cell of a claim's grid, and claims.json, one record per claim. Pure. */
import { type CsvRow, formatCsv } from "../io/csv.ts";
import type { ClaimResult } from "./evidence.ts";
import { resultText } from "./result-json.ts";
import { shareOf } from "./statistics.ts";

export const CLAIMS_FORMAT = "reverie-paper-claims";

const COLUMNS = ["claim", "part", "verdict", "share", "where", "value", "low", "high", "n", "holds", "text"] as const;

/** pandas and R read "inf" and NaN. */
const cell = (x: number): number | string => (Number.isFinite(x) || Number.isNaN(x) ? x : x > 0 ? "inf" : "-inf");

/** A claim that could be tested nowhere has one line without a cell. */
export function claimsCsv(claims: readonly ClaimResult[]): string {
  const rows = claims.flatMap((c): CsvRow[] => {
    const own = { claim: c.id, part: c.part, verdict: c.verdict, share: shareOf(c.cells), text: c.claim };
    if (c.cells.length === 0) return [own];
    return c.cells.map(({ where, estimate: e, holds }) => ({
      ...own,
      where,
      value: cell(e.value),
      low: cell(e.low),
      high: cell(e.high),
      n: e.n,
      holds,
    }));
  });
  return formatCsv(COLUMNS, rows);
}

/** @param facts protocol, adapter and versions, as the manifest has them */
export function claimsJson(claims: readonly ClaimResult[], facts: Readonly<Record<string, unknown>>): string {
  const document = {
    format: CLAIMS_FORMAT,
    ...facts,
    claims: claims.map((c) => ({ ...c, share: shareOf(c.cells) })),
  };
  return `${resultText(document)}\n`;
}
