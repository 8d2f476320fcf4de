import { reportHtml } from "./html.ts";
import type { ReportInput } from "./input.ts";
import { figuresOf } from "./run-figures.ts";
import { type WrittenReport, writePage } from "./write-page.ts";

/** @throws DiskError */
export function writeReport(
  input: ReportInput,
  directory: string,
  options: { readonly png?: boolean } = {},
): Promise<WrittenReport> {
  const figures = figuresOf(input);
  return writePage(directory, figures, reportHtml(input, figures), options);
}
