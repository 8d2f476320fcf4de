import { darkOf, darkRules, INK, PAPER, SANS } from "./theme.ts";

/** A drawing: markup inside a coordinate system of width × height pixels, and what it shows, in words. */
export interface Figure {
  /** File stem. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly body: string;
  /** What a screen reader says. */
  readonly description: string;
}

/** Without the characters that no XML may hold, escaped or not: controls are dropped, lone surrogates replaced. */
export function validXml(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
      .replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd")
  );
}

/** Text or attribute value of HTML or SVG. */
export function escapeXml(text: string): string {
  return validXml(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** Two decimals of a pixel are finer than any printer. */
export const px = (x: number): string => String(Math.round(x * 100) / 100);

export interface TextStyle {
  readonly size?: number;
  readonly fill?: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly weight?: number;
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 11, fill = INK, anchor = "start", weight = 400 } = style;
  return (
    `<text x="${px(x)}" y="${px(y)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"` +
    `${weight === 400 ? "" : ` font-weight="${weight}"`}>${escapeXml(content)}</text>`
  );
}

/** Rough width of a text in pixels: nothing measures fonts here, and labels only need not to touch. */
export function textWidth(content: string, size: number): number {
  let width = 0;
  for (const c of content)
    width += /[ijlt.,:;'|()[\] ]/.test(c) ? 0.31 : /[mwMW@%]/.test(c) ? 0.86 : /[A-Z]/.test(c) ? 0.68 : 0.57;
  return width * size;
}

/** The text, or as much of its beginning as fits into `width` pixels. */
export function fitText(content: string, size: number, width: number): string {
  if (textWidth(content, size) <= width) return content;
  const letters = [...content];
  while (letters.length > 1 && textWidth(`${letters.join("")}…`, size) > width) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}

const attributes = (f: Figure): string =>
  `viewBox="0 0 ${px(f.width)} ${px(f.height)}" font-family="${SANS}" color="${INK}" role="img" ` +
  `aria-label="${escapeXml(f.description)}"`;

/** For a page, which brings the dark colours for all figures at once. */
export function inlineSvg(f: Figure): string {
  return `<svg class="figure" ${attributes(f)}>${f.body}</svg>`;
}

/** Room around a figure that stands alone, pixels. */
const MARGIN = 24;

/** A file of its own: with a background, a margin, and its own dark colours. */
export function standaloneSvg(f: Figure): string {
  const whole = { ...f, width: f.width + 2 * MARGIN, height: f.height + 2 * MARGIN };
  const size = `width="${px(whole.width)}" height="${px(whole.height)}"`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" class="figure" ${size} ${attributes(whole)}>` +
    `<style>@media (prefers-color-scheme: dark){${darkRules(".figure")}.figure{color:${darkOf(INK)}}}</style>` +
    `<rect ${size} fill="${PAPER}"/><g transform="translate(${MARGIN} ${MARGIN})">${f.body}</g></svg>\n`
  );
}
