import { Option } from "commander";
import { addConfigFlags, type ConfigFlags, configOf, gpuOptions, override, type Verb } from "../flags.ts";

interface Flags extends ConfigFlags {
  readonly batch?: string;
  readonly stream: "train" | "test";
  readonly out: string;
}

/** `reverie paths`. */
export const paths: Verb = (program, { perform, runs }) => {
  const command = program
    .command("paths")
    .description("write awake trajectories, inputs and masks as the networks see them")
    .requiredOption("--out <file>", "the .npz to write")
    .option("--batch <n>", "trajectories per network (default: as configured for the stream)")
    .addOption(
      new Option("--stream <name>", "those of the first training iteration, or of the test")
        .choices(["train", "test"])
        .default("train"),
    )
    .addHelpText("after", "\nExample:\n  reverie paths --preset triangle --batch 256 --out paths.npz");
  addConfigFlags(command, "task.jitterStd=0").action(async () => {
    const flags = command.optsWithGlobals<Flags>();
    const key = flags.stream === "train" ? "train.batch" : "test.trajectories";
    const config = await configOf(flags, await override(key, flags.batch, "--batch"));
    const { train, test } = config.config;
    const batch = flags.stream === "train" ? train.batch : test.trajectories;
    await perform((io) =>
      runs.paths({ ...gpuOptions(flags), config, batch, stream: flags.stream, out: flags.out }, io),
    );
  });
};
