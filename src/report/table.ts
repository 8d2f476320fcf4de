import type { Spread } from "../metrics/csv.ts";
import { formatSpread } from "./format.ts";
import { escapeXml } from "./svg.ts";

/** Tables of a page. Texts are escaped here; cells come from `spreadCell`, `textCell` and `verdictCell`. */

export interface Column {
  readonly title: string;
  /** A second line in grey. */
  readonly detail?: string;
  /** Its cells are sentences. */
  readonly isProse?: boolean;
}

export interface Row {
  readonly title: string;
  /** Set in monospace: a name in a file. */
  readonly isName?: boolean;
  readonly unit?: string;
  readonly meaning?: string;
  /** HTML of `<td>` elements. */
  readonly cells: readonly string[];
}

export interface RowGroup {
  readonly title?: string;
  readonly rows: readonly Row[];
}

/** A sentence: it may break into lines. */
export const proseCell = (content: string): string => `<td class="prose">${escapeXml(content)}</td>`;

export const textCell = (content: string): string => `<td>${escapeXml(content)}</td>`;

export function spreadCell(spread: Spread): string {
  const { mean, sd } = formatSpread(spread);
  return `<td>${mean}${sd === "" ? "" : `<span class="sd"> ± ${sd}</span>`}</td>`;
}

const small = (content: string | undefined): string =>
  content === undefined || content === "" ? "" : `<span class="meaning">${escapeXml(content)}</span>`;

function rowHtml(row: Row): string {
  const title = row.isName === true ? `<code>${escapeXml(row.title)}</code>` : escapeXml(row.title);
  const unit = row.unit === undefined || row.unit === "" ? "" : ` <span class="unit">${escapeXml(row.unit)}</span>`;
  return `<tr><th scope="row">${title}${unit}${small(row.meaning)}</th>${row.cells.join("")}</tr>`;
}

/** @param first title of the column of row titles */
export function table(first: string, columns: readonly Column[], groups: readonly RowGroup[]): string {
  const head = columns
    .map(
      (c) =>
        `<th scope="col"${c.isProse === true ? ' class="prose"' : ""}>${escapeXml(c.title)}${small(c.detail)}</th>`,
    )
    .join("");
  const bodies = groups.map(({ title, rows }) => {
    const heading =
      title === undefined
        ? ""
        : `<tr class="group"><th scope="rowgroup" colspan="${columns.length + 1}">${escapeXml(title)}</th></tr>`;
    return `<tbody>${heading}${rows.map(rowHtml).join("")}</tbody>`;
  });
  return `<div class="scroll" tabindex="0" role="group" aria-label="Table of ${escapeXml(first)}"><table><thead><tr><th scope="col">${escapeXml(first)}</th>${head}</tr></thead>${bodies.join("")}</table></div>`;
}

/** How a claim fared. Never by colour alone. */
export type Verdict = "holds" | "partly" | "fails" | "undecided";

const SIGNS: Readonly<Record<Verdict, string>> = { holds: "✓", partly: "◐", fails: "✗", undecided: "?" };

export const verdictCell = (verdict: Verdict, why = ""): string =>
  `<td class="verdict ${verdict}"><span class="word"><span class="sign" aria-hidden="true">${SIGNS[verdict]}</span> ${verdict}</span>${small(why)}</td>`;

export interface Claim {
  readonly claim: string;
  readonly predicted: string;
  /** With its interval. */
  readonly measured: string;
  /** "32 seeds" */
  readonly over: string;
  /** Where it holds, of all places of its grid: "33 of 36". Shown where some claim has it. */
  readonly share?: string;
  readonly verdict: Verdict;
  readonly why?: string;
}

/** Claim by claim: what was predicted, what was measured, over how many, and whether it holds. */
export function verdictTable(
  groups: readonly { readonly title?: string; readonly claims: readonly Claim[] }[],
): string {
  const hasShares = groups.some(({ claims }) => claims.some((c) => c.share !== undefined));
  return table(
    "claim",
    [
      { title: "predicted", isProse: true },
      { title: "measured", isProse: true },
      { title: "over" },
      ...(hasShares ? [{ title: "holds in" }] : []),
      { title: "verdict" },
    ],
    groups.map(({ title, claims }) => ({
      ...(title === undefined ? {} : { title }),
      rows: claims.map((c) => ({
        title: c.claim,
        cells: [
          proseCell(c.predicted),
          proseCell(c.measured),
          textCell(c.over),
          ...(hasShares ? [textCell(c.share ?? "–")] : []),
          verdictCell(c.verdict, c.why),
        ],
      })),
    })),
  );
}
