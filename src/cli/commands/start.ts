import {
  addConfigFlags,
  addPlanKind,
  addPrecision,
  type ConfigFlags,
  configOf,
  gpuOptions,
  newRunDirectory,
  type PlanFlags,
  planOptions,
  type Verb,
} from "../flags.ts";

interface Flags extends ConfigFlags, PlanFlags {
  readonly out?: string;
  readonly force?: boolean;
}

/** `reverie start`: the whole experiment, from nothing to a report. */
export const start: Verb = (program, { perform, runs }) => {
  const command = program
    .command("start")
    .description("train networks, replay every condition, measure, and write a report")
    .option("--out <dir>", "run directory (default: runs/<name>-<time>)")
    .option("--force", "delete the run that is there")
    .addHelpText("after", "\nExample:\n  reverie start --preset tmaze --set 'seeds=[0,1,2,3]'");
  addPrecision(addPlanKind(addConfigFlags(command))).action(async () => {
    const flags = command.optsWithGlobals<Flags>();
    const config = await configOf(flags);
    const out = flags.out ?? newRunDirectory(config.config.name);
    await perform((io) =>
      runs.start({ ...gpuOptions(flags), ...planOptions(flags), config, out, force: flags.force === true }, io),
    );
  });
};
