import type { GlobalFlags, Verb } from "../flags.ts";

interface Flags extends GlobalFlags {
  readonly out: string;
  readonly force?: boolean;
}

/** `reverie merge`. */
export const merge: Verb = (program, { perform, runs }) => {
  const command = program
    .command("merge")
    .description("put the parts of a sweep together that ran with --shard")
    .argument("<part...>", "directories of all parts, in any order")
    .requiredOption("--out <dir>", "directory to write")
    .option("--force", "delete the sweep that is there")
    .addHelpText("after", "\nExample:\n  reverie merge runs/phase-0 runs/phase-1 --out runs/phase");
  command.action(async (parts: string[]) => {
    const flags = command.optsWithGlobals<Flags>();
    await perform((io) => runs.merge({ parts, out: flags.out, force: flags.force === true }, io));
  });
};
