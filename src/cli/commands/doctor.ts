import { type GlobalFlags, gpuOptions, type Verb } from "../flags.ts";

interface Flags extends GlobalFlags {
  readonly gradcheck?: boolean;
}

/** `reverie doctor`. */
export const doctor: Verb = (program, { perform, runs }) => {
  const command = program
    .command("doctor")
    .description("show adapter, limits and what is missing, and check that the GPU computes")
    .option("--gradcheck", "compare every gradient with the float64 reference, and name the term that is wrong")
    .addHelpText("after", "\nExample:\n  reverie doctor --gradcheck --json")
    .action(async () => {
      const flags = command.optsWithGlobals<Flags>();
      await perform((io) => runs.doctor({ ...gpuOptions(flags), gradcheck: flags.gradcheck === true }, io));
    });
};
