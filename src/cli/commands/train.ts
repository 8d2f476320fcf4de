import { dirname } from "node:path";
import { UsageError } from "../../errors.ts";
import {
  addConfigFlags,
  addPlanKind,
  addPrecision,
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
  readonly fork?: string;
  readonly plan?: boolean;
}

/**
 * A fork has the configuration of the run that it comes from, with the changes that the user asks for, or the one named.
 * A resumed run keeps its own configuration unless the user names another, which its checkpoint must then fit.
 */
async function configFor(flags: Flags) {
  const named = flags.preset !== undefined || flags.config !== undefined;
  if (flags.fork !== undefined) {
    if (flags.resume) throw new UsageError("--resume and --fork exclude each other; a fork is a new run");
    if (named) return configOf(flags);
    const run = flags.fork.endsWith(".npz") ? dirname(dirname(flags.fork)) : flags.fork;
    return changedConfigOf(run, flags);
  }
  if (!flags.resume) return configOf(flags);
  if (flags.force) throw new UsageError("--resume and --force exclude each other; give one of them");
  if (flags.out === undefined) throw new UsageError("--resume needs --out DIR, the run to go on with");
  if (named) return configOf(flags);
  return changedConfigOf(flags.out, flags);
}

async function changedConfigOf(run: string, { seed, set, precision }: Flags) {
  const overrides = [
    ...(await override("seed", seed, "--seed")),
    ...(await override("train.precision", precision, "--precision")),
  ];
  return configOfRun(run, { overrides, ...(set === undefined ? {} : { set }) });
}

/** `reverie train`. */
export const train: Verb = (program, { perform, runs }) => {
  const command = program
    .command("train")
    .description("train networks; checkpoints and losses go to the run directory")
    .option("--out <dir>", "run directory (default: runs/<name>-<time>)")
    .option("--force", "delete the run that is there")
    .option("--resume", "go on with the run in --out")
    .option("--fork <run>", "a new run that begins with the networks of another run or checkpoint")
    .option("--plan", "print passes, bytes and an estimate of the time instead of running them")
    .addHelpText(
      "after",
      "\nExamples:\n  reverie train --preset triangle --set rnn.leak=0.2 --out runs/triangle\n" +
        "  reverie train --resume --out runs/triangle\n" +
        "  reverie train --fork runs/triangle --set train.l2Activity=0.01 --out runs/sparse",
    );
  addPrecision(addPlanKind(addConfigFlags(command))).action(async () => {
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
          ...(flags.fork === undefined ? {} : { fork: flags.fork }),
          plan: flags.plan === true,
        },
        io,
      ),
    );
  });
};
