import { join } from "node:path";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { makeDirectory } from "../io/disk.ts";
import type { PageFigure } from "./page.ts";
import { renderPngs } from "./png.ts";
import { standaloneSvg } from "./svg.ts";

export interface WrittenReport {
  /** Path of index.html. */
  readonly html: string;
  /** Paths of the figures, SVG and, where it was possible, PNG, and of the data behind them, CSV. */
  readonly figures: readonly string[];
  /** Why there are no PNG files, or null. */
  readonly pngSkipped: string | null;
}

/**
 * Writes every figure as SVG, the data behind it as CSV, PNG where the optional rasteriser is installed, and index.html.
 * @param options `folder`: where figures go, beside the page unless given; tables have it in their names
 * @throws DiskError
 */
export async function writePage(
  directory: string,
  figures: readonly PageFigure[],
  page: string,
  options: { readonly png?: boolean; readonly folder?: string } = {},
): Promise<WrittenReport> {
  const { folder = "" } = options;
  makeDirectory(join(directory, folder));
  const written: string[] = [];
  const write = (name: string, content: string | Uint8Array): void => {
    const path = join(directory, name);
    writeFileAtomically(path, content);
    written.push(path);
  };
  for (const { figure } of figures) write(join(folder, `${figure.name}.svg`), standaloneSvg(figure));
  // Several figures may show one table.
  const tables = new Map(figures.flatMap(({ data }) => (data === undefined ? [] : [[data.name, data.csv] as const])));
  for (const [name, csv] of tables) write(name, csv);
  const pngs = options.png === false ? [] : await renderPngs(figures.map((f) => f.figure));
  pngs.forEach(({ png }, i) => {
    if (png !== null) write(join(folder, `${figures[i]?.figure.name}.png`), png);
  });
  // Last: whoever finds the page finds its files.
  const html = join(directory, "index.html");
  writeFileAtomically(html, page);
  return { html, figures: written, pngSkipped: pngs.find((p) => p.reason !== null)?.reason ?? null };
}
