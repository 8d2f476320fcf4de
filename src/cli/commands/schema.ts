import { EXIT } from "../../errors.ts";
import type { Verb } from "../flags.ts";

/** `reverie schema`. */
export const schema: Verb = (program, { perform }) => {
  program
    .command("schema")
    .description("print the JSON Schema of a configuration: every key, its meaning, range and default")
    .addHelpText("after", "\nExample:\n  reverie schema > reverie.schema.json")
    .action(async () => {
      await perform(async (io) => {
        const { configJsonSchema } = await import("../../config/schema.ts");
        io.out(JSON.stringify(configJsonSchema(), null, 2));
        return EXIT.ok;
      });
    });
};
