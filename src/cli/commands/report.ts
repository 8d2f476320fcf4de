import { join } from "node:path";
import type { GlobalFlags, Verb } from "../flags.ts";

interface Flags extends GlobalFlags {
  readonly out?: string;
}

/** `reverie report`. */
export const report: Verb = (program, { perform, runs }) => {
  const command = program
    .command("report")
    .description("measure the replays of a run and write figures and a page")
    .argument("<run>", "run directory with replays")
    .option("--out <dir>", "where to write it (default: report in the run directory)")
    .addHelpText("after", "\nExample:\n  reverie report runs/tmaze")
    .action(async (run: string) => {
      const flags = command.optsWithGlobals<Flags>();
      await perform((io) => runs.report({ run, out: flags.out ?? join(run, "report") }, io));
    });
};
