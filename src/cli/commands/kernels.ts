import type { GlobalFlags, Verb } from "../flags.ts";

interface Flags extends GlobalFlags {
  readonly wgsl?: boolean;
}

/** `reverie kernels`. */
export const kernels: Verb = (program, { perform }) => {
  const command = program
    .command("kernels")
    .description("list the kernels: bindings, layouts, workgroups, constants, static cost")
    .argument("[name]", "a kernel, or part of its name")
    .option("--wgsl", "the text that the GPU gets, imports included")
    .addHelpText(
      "after",
      "\nExamples:\n  reverie kernels\n  reverie kernels rnn/step_forward\n  reverie kernels --json",
    )
    .action(async (name: string | undefined) => {
      const flags = command.optsWithGlobals<Flags>();
      await perform(async (io) => {
        const { runKernels } = await import("../../run/kernels.ts");
        return runKernels({ wgsl: flags.wgsl === true, ...(name === undefined ? {} : { name }) }, io);
      });
    });
};
