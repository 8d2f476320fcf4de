import { join } from "node:path";
import { makeDirectory, writeFileAtomically } from "../io/disk.ts";
import { renderPngs } from "./png.ts";
import { standaloneSvg } from "./svg.ts";
import { type SweepReportInput, sweepFigures, sweepHtml } from "./sweep-html.ts";
import type { WrittenReport } from "./write.ts";

/**
 * Writes index.html, every figure as SVG and, where the optional rasteriser is installed, PNG, and the data behind
 * each as CSV.
 * @throws DiskError
 */
export async function writeSweepReport(input: SweepReportInput, directory: string): Promise<WrittenReport> {
  makeDirectory(directory);
  const figures = sweepFigures(input);
  const html = join(directory, "index.html");
  const written: string[] = [];
  const write = (name: string, content: string | Uint8Array): void => {
    const path = join(directory, name);
    writeFileAtomically(path, content);
    written.push(path);
  };
  for (const { figure } of figures) write(`${figure.name}.svg`, standaloneSvg(figure));
  // Several figures may show one table.
  const tables = new Map(figures.flatMap(({ data }) => (data === undefined ? [] : [[data.name, data.csv] as const])));
  for (const [name, csv] of tables) write(name, csv);
  const pngs = await renderPngs(figures.map((f) => f.figure));
  pngs.forEach(({ png }, i) => {
    if (png !== null) write(`${figures[i]?.figure.name}.png`, png);
  });
  // Last: whoever finds the page finds its files.
  writeFileAtomically(html, sweepHtml(input, figures));
  return { html, figures: written, pngSkipped: pngs.find((p) => p.reason !== null)?.reason ?? null };
}
