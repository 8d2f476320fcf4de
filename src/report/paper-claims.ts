/** The verdicts of the reproduction as tables: all claims at once, and each claim's grid, folded away. */
import type { ClaimCell, ClaimResult } from "../paper/evidence.ts";
import { formatEstimate } from "../paper/statistics.ts";
import { folded } from "./page.ts";
import { type Row, table, textCell, type Verdict, verdictCell, verdictTable } from "./table.ts";

export type Part = ClaimResult["part"];

export const PARTS: readonly { readonly part: Part; readonly short: string; readonly title: string }[] = [
  {
    part: 1,
    short: "Score and leakage",
    title: "Claim 1: the score varies in time and is hard to estimate; leakage gives its linear part",
  },
  { part: 2, short: "Adaptation", title: "Claim 2: adaptation explores, is non-Markov, and slows" },
  { part: 3, short: "Momentum", title: "Claim 3: momentum compresses time; with adaptation it is fast and explores" },
  { part: 4, short: "What reviewers asked", title: "What reviewers asked" },
];

export const ofPart = <T extends { readonly part: Part }>(all: readonly T[], part: Part): T[] =>
  all.filter((x) => x.part === part);

const held = (cells: readonly ClaimCell[]): number => cells.filter((c) => c.holds).length;

const shareText = (cells: readonly ClaimCell[]): string =>
  cells.length === 0 ? "no place to test it" : `${held(cells)}\u00a0of\u00a0${cells.length}`;

export function verdicts(claims: readonly ClaimResult[]): string {
  const groups = PARTS.map(({ part, title }) => ({
    title,
    claims: ofPart(claims, part).map((c) => ({ ...c, share: shareText(c.cells) })),
  }));
  return `<div class="claims">${verdictTable(groups.filter((g) => g.claims.length > 0))}</div>`;
}

const WORDS: Readonly<Record<Verdict, string>> = {
  holds: "hold",
  partly: "hold partly",
  fails: "fail",
  undecided: "are undecided",
};

/** "Of 31 claims 20 hold, 6 hold partly, 5 fail." */
export function tally(claims: readonly ClaimResult[]): string {
  const counts = (Object.keys(WORDS) as Verdict[])
    .map((verdict) => ({ verdict, n: claims.filter((c) => c.verdict === verdict).length }))
    .filter(({ n }) => n > 0);
  return `Of ${claims.length} claims ${counts.map(({ verdict, n }) => `${n} ${WORDS[verdict]}`).join(", ")}.`;
}

function cellRow({ where, estimate, holds }: ClaimCell): Row {
  return {
    title: where,
    cells: [textCell(formatEstimate(estimate)), textCell(String(estimate.n)), verdictCell(holds ? "holds" : "fails")],
  };
}

/** Every place where a claim was tested. */
export function grid(claim: ClaimResult): string {
  const title = `${claim.claim}: ${shareText(claim.cells)}`;
  if (claim.cells.length === 0) return "";
  const columns = [{ title: "estimate [interval]" }, { title: "networks" }, { title: "here" }];
  return folded(title, table("where", columns, [{ rows: claim.cells.map(cellRow) }]));
}
