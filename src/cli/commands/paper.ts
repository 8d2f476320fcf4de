import { join } from "node:path";
import { UsageError } from "../../errors.ts";
import { type GlobalFlags, gpuOptions, type Verb } from "../flags.ts";

interface Flags extends GlobalFlags {
  readonly quick?: boolean;
  readonly out?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly only?: string;
  readonly plan?: boolean;
}

/** Names between commas. */
function namesOf(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.every((name) => name !== "")) return names;
  throw new UsageError(`--only ${text}: names of experiments with commas between, as in leakage,momentum`);
}

/** `reverie paper`. */
export const paper: Verb = (program, { perform, runs }) => {
  const command = program
    .command("paper")
    .description("reproduce the paper: train, replay, measure and judge every claim, in one report")
    .option("--quick", "few seeds and a small grid, within minutes on a CPU: that it works, not what is true")
    .option("--out <dir>", "directory of the reproduction (default: runs/paper, with --quick runs/paper-quick)")
    .option("--resume", "go on with the reproduction in --out; what is measured already is kept")
    .option("--force", "delete the reproduction that is there")
    .option("--only <names>", "run only these experiments, as in leakage,momentum; the report says which were not run")
    .option("--plan", "print networks, rollouts and estimated time instead of running them")
    .addHelpText(
      "after",
      "\nThe protocol (networks, grid, seeds, thresholds) is fixed in src/paper/protocol.json; nothing of it is a flag.\n" +
        "\nExamples:\n  reverie paper --plan\n  reverie paper --quick\n  reverie paper --resume --out runs/paper",
    );
  command.action(async () => {
    const flags = command.optsWithGlobals<Flags>();
    if (flags.seed !== undefined) throw new UsageError("--seed: the protocol fixes the seeds of a reproduction");
    const quick = flags.quick === true;
    const out = flags.out ?? join("runs", quick ? "paper-quick" : "paper");
    const options = {
      ...gpuOptions(flags),
      quick,
      out,
      resume: flags.resume === true,
      force: flags.force === true,
      only: flags.only === undefined ? null : namesOf(flags.only),
      plan: flags.plan === true,
    };
    await perform((io) => runs.paper(options, io));
  });
};
