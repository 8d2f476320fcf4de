import { type SweepReportInput, sweepFigures, sweepHtml } from "./sweep-html.ts";
import { type WrittenReport, writePage } from "./write-page.ts";

/** @throws DiskError */
export function writeSweepReport(input: SweepReportInput, directory: string): Promise<WrittenReport> {
  const figures = sweepFigures(input);
  return writePage(directory, figures, sweepHtml(input, figures));
}
