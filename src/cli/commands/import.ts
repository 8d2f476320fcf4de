import { UsageError } from "../../errors.ts";
import { addConfigFlags, type ConfigFlags, configOf, newRunDirectory, type Verb } from "../flags.ts";

interface Flags extends ConfigFlags {
  readonly map?: string;
  readonly uniformNoise?: string;
  readonly out?: string;
  readonly force?: boolean;
}

function positive(text: string): number {
  const sigma = Number(text);
  if (!(sigma > 0 && Number.isFinite(sigma)))
    throw new UsageError(`--uniform-noise ${text}: expected a number above 0`);
  return sigma;
}

/** `reverie import`. */
export const importWeights: Verb = (program, { perform, runs }) => {
  const command = program
    .command("import")
    .description("make a run of networks that another program trained: it trains on, replays and sweeps")
    .argument("<files...>", ".npz or .safetensors, one network or several stacked in each")
    .option("--map <file>", "JSON: where each tensor comes from, where the names are not known ones")
    .option(
      "--uniform-noise <sigma>",
      "their noise was sigma times a uniform number from 0 to 1: its mean becomes biases",
    )
    .option("--out <dir>", "run directory (default: runs/NAME-DATE)")
    .option("--force", "delete the run that is there")
    .addHelpText(
      "after",
      "\nExample:\n  reverie import weights.npz --preset tmaze --set rnn.units=128 --set 'seeds=[0]' --out runs/mine",
    );
  addConfigFlags(command, "rnn.units=128").action(async (files: string[]) => {
    const flags = command.optsWithGlobals<Flags>();
    const config = await configOf(flags);
    const out = flags.out ?? newRunDirectory(config.config.name);
    const options = {
      files,
      config,
      out,
      force: flags.force === true,
      ...(flags.map === undefined ? {} : { map: flags.map }),
      ...(flags.uniformNoise === undefined ? {} : { uniformNoise: positive(flags.uniformNoise) }),
    };
    await perform((io) => runs.import(options, io));
  });
};
