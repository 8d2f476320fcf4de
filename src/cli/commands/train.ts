import { UsageError } from "../../errors.ts";
import {
  addConfigFlags,
  addPlanKind,
  type ConfigFlags,
  configOf,
  configOfRun,
  gpuOptions,
  newRunDirectory,
  override,
  type PlanFlags,
  planOptions,
  type Verb,
} from "../flags.ts";

interface Flags extends ConfigFlags, PlanFlags {
  readonly out?: string;
  readonly force?: boolean;
  readonly resume?: boolean;
  readonly plan?: boolean;
}

/** A resumed run keeps its own configuration unless the user names another, which its checkpoint must then fit. */
async function configFor(flags: Flags) {
  if (!flags.resume) return configOf(flags);
  if (flags.force) throw new UsageError("--resume and --force exclude each other; give one of them");
  if (flags.out === undefined) throw new UsageError("--resume needs --out DIR, the run to go on with");
  if (flags.preset !== undefined || flags.config !== undefined) return configOf(flags);
  const overrides = await override("seed", flags.seed, "--seed");
  return configOfRun(flags.out, { overrides, ...(flags.set === undefined ? {} : { set: flags.set }) });
}

/** `reverie train`. */
export const train: Verb = (program, { perform, runs }) => {
  const command = program
    .command("train")
    .description("train networks; checkpoints and losses go to the run directory")
    .option("--out <dir>", "run directory (default: runs/<name>-<time>)")
    .option("--force", "delete the run that is there")
    .option("--resume", "go on with the run in --out")
    .option("--plan", "print passes and bytes instead of running them")
    .addHelpText(
      "after",
      "\nExamples:\n  reverie train --preset triangle --set rnn.leak=0.2 --out runs/triangle\n" +
        "  reverie train --resume --out runs/triangle",
    );
  addPlanKind(addConfigFlags(command)).action(async () => {
    const flags = command.optsWithGlobals<Flags>();
    const config = await configFor(flags);
    const out = flags.out ?? newRunDirectory(config.config.name);
    await perform((io) =>
      runs.train(
        {
          ...gpuOptions(flags),
          ...planOptions(flags),
          config,
          out,
          force: flags.force === true,
          resume: flags.resume === true,
          plan: flags.plan === true,
        },
        io,
      ),
    );
  });
};
