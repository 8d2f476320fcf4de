import { join } from "node:path";
import { makeDirectory, writeFileAtomically } from "../io/disk.ts";
import { reportHtml } from "./html.ts";
import type { ReportInput } from "./input.ts";
import { renderPngs } from "./png.ts";
import { figuresOf } from "./run-figures.ts";
import { standaloneSvg } from "./svg.ts";

export interface WrittenReport {
  /** Path of index.html. */
  readonly html: string;
  /** Paths of the figures: SVG, and PNG where it was possible. */
  readonly figures: readonly string[];
  /** Why there are no PNG files, or null. */
  readonly pngSkipped: string | null;
}

/**
 * Writes index.html (self-contained), and every figure as SVG and, where the optional rasteriser is installed, PNG.
 * @throws DiskError
 */
export async function writeReport(
  input: ReportInput,
  directory: string,
  options: { readonly png?: boolean } = {},
): Promise<WrittenReport> {
  makeDirectory(directory);
  const figures = figuresOf(input);
  const html = join(directory, "index.html");
  writeFileAtomically(html, reportHtml(input, figures));
  const written: string[] = [];
  const write = (name: string, content: string | Uint8Array): void => {
    const path = join(directory, name);
    writeFileAtomically(path, content);
    written.push(path);
  };
  for (const { figure } of figures) write(`${figure.name}.svg`, standaloneSvg(figure));
  if (options.png === false) return { html, figures: written, pngSkipped: null };
  const pngs = await renderPngs(figures.map((f) => f.figure));
  pngs.forEach(({ png }, i) => {
    if (png !== null) write(`${(figures[i] as (typeof figures)[number]).figure.name}.png`, png);
  });
  return { html, figures: written, pngSkipped: pngs.find((p) => p.reason !== null)?.reason ?? null };
}
