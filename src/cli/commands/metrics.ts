import { Option } from "commander";
import { UsageError } from "../../errors.ts";
import type { GlobalFlags, Verb } from "../flags.ts";

const TASKS = ["tmaze", "triangle", "ou", "place", "head-direction"];

interface Flags extends GlobalFlags {
  readonly task?: string;
  readonly config?: string;
  readonly every?: string;
  readonly out?: string;
}

function stepsBetween(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`--every ${text}: must be a whole number of steps, 1 or more`);
  return Number(text);
}

/** `reverie metrics`. */
export const metrics: Verb = (program, { perform, runs }) => {
  const command = program
    .command("metrics")
    .description("measure positions of your own: speed, exploration, reach times, distance to awake paths")
    .argument(
      "<file...>",
      ".npz with positions (rows, T, 2) and, perhaps, awake (rows, T, 2), states (rows, T, N), activity and awake_activity (rows, T, cells); or of `reverie replay`",
    )
    .addOption(new Option("--task <name>", "maze that the positions lie in").choices(TASKS))
    .option("--config <file>", "configuration with a maze of your own, instead of --task")
    .option("--every <n>", "steps between two positions or states of a replay (default: 1)")
    .option("--out <file>", "the .csv to write")
    .addHelpText(
      "after",
      "\nPositions are metres, float32 or float64, from step 1 on; a row with NaN or infinity counts as diverged.\n" +
        "Activity of place cells is measured too; distances to codes of positions need their cells in the configuration.\n" +
        "Without awake paths nothing is compared with them; of several files the first is the reference.\n" +
        "\nExample:\n  reverie metrics mine.npz --task tmaze --out mine.csv",
    )
    .action(async (files: string[]) => {
      const flags = command.optsWithGlobals<Flags>();
      if ((flags.task === undefined) === (flags.config === undefined)) {
        throw new UsageError(`give either --task (${TASKS.join(", ")}) or --config with a maze of your own`);
      }
      const { loadConfig } = await import("../../config/load.ts");
      const source = flags.task === undefined ? { file: flags.config as string } : { preset: flags.task };
      const { config } = loadConfig(source);
      const every = stepsBetween(flags.every ?? "1");
      const out = flags.out === undefined ? {} : { out: flags.out };
      await perform((io) => runs.metrics({ files, config, every, ...out }, io));
    });
};
