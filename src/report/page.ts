import { CLIENT_SCRIPT, CONTENT_SECURITY_POLICY } from "./client.ts";
import type { Fact } from "./headline.ts";
import { STYLE } from "./style.ts";
import { escapeXml, type Figure, inlineSvg } from "./svg.ts";

/** One self-contained page, made of sections: what reports of a run, a sweep and a reproduction share. */

export interface PageFigure {
  readonly figure: Figure;
  readonly title: string;
  /** Plain text. */
  readonly caption: string;
  /** What is drawn, as a table, in a file beside the page. */
  readonly data?: { readonly name: string; readonly csv: string };
}

export interface Page {
  /** "replay report" */
  readonly kind: string;
  readonly title: string;
  readonly facts: readonly Fact[];
  /** Sentences that a reader must not miss. */
  readonly notices: readonly string[];
  /** HTML made by `section` and its like; empty ones are left out. */
  readonly sections: readonly string[];
  /** Shown as JSON, folded away. */
  readonly provenance: readonly { readonly title: string; readonly value: unknown }[];
}

/** @param body HTML */
export const section = (id: string, title: string, body: string): string =>
  `<section id="${escapeXml(id)}"><h2>${escapeXml(title)}</h2>\n${body}</section>`;

/** Wider figures scroll on a narrow screen instead of shrinking to nothing. */
const WIDE = 700;

export const figureSection = (f: PageFigure): string => section(f.figure.name, f.title, figureHtml(f));

/** The figure alone, without its title. */
export function figureHtml({ figure, title, caption, data }: PageFigure): string {
  const link = data === undefined ? "" : ` Data: <a href="${escapeXml(data.name)}">${escapeXml(data.name)}</a>.`;
  return `<figure><div class="drawing${figure.width > WIDE ? " wide" : ""}" style="max-width:${Math.round(figure.width)}px"${figure.width > WIDE ? ` tabindex="0" role="group" aria-label="${escapeXml(title)}"` : ""}>${inlineSvg(figure)}</div>
<figcaption>${escapeXml(caption)}${link}</figcaption></figure>`;
}

/** Sections beside each other where there is room. */
export function pair(...sections: readonly string[]): string {
  const there = sections.filter((s) => s !== "");
  return there.length === 0 ? "" : `<div class="pair">${there.join("\n")}</div>`;
}

/** @param body HTML */
export const folded = (title: string, body: string): string =>
  `<details><summary>${escapeXml(title)}</summary>${body}</details>`;

/** Nothing of a value may end the element that shows it, hence the escape; NaN is not JSON but may be there. */
const json = (value: unknown): string =>
  escapeXml(JSON.stringify(value, (_, v) => (typeof v === "bigint" ? String(v) : v), 2) ?? "");

const factList = (facts: readonly Fact[]): string =>
  facts
    .map(
      (f) =>
        `<div><dt>${escapeXml(f.name)}</dt><dd${f.isWarning === true ? ' class="warning"' : ""}>${escapeXml(f.value)}</dd></div>`,
    )
    .join("");

const noticeList = (notices: readonly string[]): string =>
  notices.length === 0 ? "" : `<ul class="notices">${notices.map((n) => `<li>${escapeXml(n)}</li>`).join("")}</ul>`;

/** The page as one HTML document that refers to nothing outside itself but the tables beside it. */
export function pageHtml(page: Page): string {
  const provenance = page.provenance.map(({ title, value }) => folded(title, `<pre tabindex="0">${json(value)}</pre>`));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(page.title)} · reverie</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><p class="kicker">reverie · ${escapeXml(page.kind)}</p><button type="button" class="theme" title="Light or dark">Dark</button><h1>${escapeXml(page.title)}</h1>
<dl class="facts">${factList(page.facts)}</dl>${noticeList(page.notices)}</header>
${page.sections.filter((s) => s !== "").join("\n")}
${section("provenance", "Provenance", provenance.join("\n"))}
</main>
<script>${CLIENT_SCRIPT}</script>
</body>
</html>
`;
}
