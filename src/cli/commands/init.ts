import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { EXIT, UsageError } from "../../errors.ts";
import { addConfigFlags, type ConfigFlags, configOf, type Verb } from "../flags.ts";

const SCHEMA_FILE = "reverie.schema.json";

interface Flags extends ConfigFlags {
  readonly force?: boolean;
}

/** `reverie init`. */
export const init: Verb = (program, { perform }) => {
  const command = program
    .command("init")
    .description("write a configuration file with every key, and the schema that makes an editor explain them")
    .argument("[file]", "the file to write", "reverie.json")
    .option("--force", "replace a file that is there")
    .addHelpText("after", "\nExample:\n  reverie init triangle.json --preset triangle");
  addConfigFlags(command).action(async (file: string) => {
    const flags = command.optsWithGlobals<Flags>();
    const { config } = await configOf(flags);
    await perform(async (io) => {
      const { writeJson } = await import("../../io/json.ts");
      const { configJsonSchema } = await import("../../config/schema.ts");
      const schema = join(dirname(file), SCHEMA_FILE);
      if (existsSync(file) && !flags.force) {
        throw new UsageError(`${file}: exists already; choose another name or add --force`);
      }
      writeJson(file, { $schema: `./${SCHEMA_FILE}`, ...config });
      writeJson(schema, configJsonSchema());
      const next = `reverie train --config ${file}`;
      io.out(io.json ? JSON.stringify({ config: file, schema }) : `wrote ${file} and ${schema}; next: ${next}`);
      return EXIT.ok;
    });
  });
};
