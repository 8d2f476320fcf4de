import { join } from "node:path";
import type { GlobalFlags, Verb } from "../flags.ts";

interface Flags extends GlobalFlags {
  readonly out?: string;
  readonly metrics?: string;
}

/** `reverie report`. */
export const report: Verb = (program, { perform, runs }) => {
  const command = program
    .command("report")
    .description("write figures and a page of a run or a sweep")
    .argument("<run>", "directory of a run, or of a sweep")
    .option("--out <dir>", "where to write it (default: report in the run directory)")
    .option("--metrics <names>", "of a sweep: what to draw, as in reach_rmean,track,offpath (default: the main ones)")
    .addHelpText("after", "\nExample:\n  reverie report runs/tmaze")
    .action(async (run: string) => {
      const flags = command.optsWithGlobals<Flags>();
      const metrics =
        flags.metrics === undefined ? {} : { metrics: flags.metrics.split(",").map((name) => name.trim()) };
      await perform((io) => runs.report({ run, out: flags.out ?? join(run, "report"), ...metrics }, io));
    });
};
