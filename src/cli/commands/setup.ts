import type { Verb } from "../flags.ts";

/** `reverie setup`. */
export const setup: Verb = (program, { perform }) => {
  program
    .command("setup")
    .description("where no GPU has a working driver, unpack a software driver for this user")
    .addHelpText(
      "after",
      `
Leaves a machine whose own adapter works as it is. Otherwise mesa's software driver comes from the distribution's archive
(Debian and its derivatives) or SwiftShader from npm, into XDG_CACHE_HOME/reverie, or into the folder of a clone.
Exit code 3: no adapter was to be had; the reasons are printed.

Example:
  npx reverie setup`,
    )
    .action(async () => {
      await perform(async (io) => (await import("../../run/setup.ts")).runSetup(io));
    });
};
