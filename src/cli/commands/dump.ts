import { Option } from "commander";
import { UsageError } from "../../errors.ts";
import {
  addPlanKind,
  addSet,
  configOfRun,
  type GlobalFlags,
  gpuOptions,
  override,
  type PlanFlags,
  planOptions,
  type Verb,
} from "../flags.ts";

interface Flags extends GlobalFlags, PlanFlags {
  readonly out: string;
  readonly format: "npz" | "safetensors";
  readonly f16?: boolean;
  readonly checkpoint?: string;
  readonly fresh?: boolean;
  readonly iterations: string;
  readonly include?: string;
  readonly networks?: string;
  readonly conditions?: string;
  readonly rows?: string;
  readonly from?: string;
  readonly to?: string;
  readonly every?: string;
  readonly shard?: string;
  readonly set?: readonly string[];
}

function count(text: string, flag: string, least: number): number {
  const n = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(n) || n < least) {
    throw new UsageError(`${flag} ${text}: expected a whole number, ${least} or more`);
  }
  return n;
}

function rowsOf(text: string): [number, number] {
  const parts = text.split(":");
  if (parts.length !== 2) throw new UsageError(`--rows ${text}: expected FROM:TO, as in --rows 0:16`);
  return [count(parts[0] as string, "--rows", 0), count(parts[1] as string, "--rows", 0)];
}

/** Below the limit of the zip format. */
const MOST_SHARD_MIB = 3584;

function shardBytes(text: string): number {
  const mib = count(text, "--shard", 1);
  if (mib > MOST_SHARD_MIB)
    throw new UsageError(`--shard ${text}: a .npz holds less than 4 GiB: at most ${MOST_SHARD_MIB}`);
  return mib * 2 ** 20;
}

/** `reverie dump`. */
export const dump: Verb = (program, { perform, runs }) => {
  const command = program
    .command("dump")
    .description("write any tensor of a run for NumPy or PyTorch: weights, states, noise, inputs, gradients")
    .argument("<run>", "run directory")
    .requiredOption(
      "--out <file>",
      "the .npz or .safetensors to write; what is large becomes numbered files and an index",
    )
    .option("--include <names>", "arrays to write, with * for any letters, as in 'W_*,replay_*_r' (default: all)")
    .option("--networks <list>", "numbers of networks, from 0")
    .option("--conditions <list>", "names of replay conditions")
    .option("--rows <from:to>", "rows of every batch, from 0, the end left out")
    .option("--from <step>", "first time step (default: 0)")
    .option("--to <step>", "last time step (default: the end)")
    .option("--every <n>", "keep every n-th time step (default: 1)")
    .option("--iterations <n>", "training steps whose batches are written, from the checkpoint on", "1")
    .option("--checkpoint <file>", "another checkpoint than the newest")
    .option("--fresh", "the networks as initialised, at iteration 0")
    .option(
      "--shard <mib>",
      "largest file, MiB, at most 3584; what is larger becomes several (default: 256, then 3584)",
    )
    .option("--f16", "half precision: float16 in the file")
    .addOption(
      new Option("--format <format>", "safetensors: weights and moments only")
        .choices(["npz", "safetensors"])
        .default("npz"),
    )
    .addHelpText(
      "after",
      "\nExample:\n  reverie dump runs/tmaze --include 'W_*,replay_both_r' --rows 0:16 --out both.npz",
    );
  addPlanKind(addSet(command, "replay.steps=2000")).action(async (run: string) => {
    const flags = command.optsWithGlobals<Flags>();
    const { set = [] } = flags;
    const other = set.find((entry) => !/^\s*replay\./.test(entry));
    if (other !== undefined)
      throw new UsageError(`--set ${JSON.stringify(other)}: only keys of replay can change here`);
    const ending = `.${flags.format}`;
    if (!flags.out.endsWith(ending)) throw new UsageError(`--out ${flags.out}: its name must end in ${ending}`);
    const config = await configOfRun(run, { set, overrides: await override("seed", flags.seed, "--seed") });
    const names = (text: string | undefined) => text?.split(",").map((name) => name.trim());
    const number = (text: string | undefined, flag: string, least: number) =>
      text === undefined ? {} : { [flag]: count(text, `--${flag}`, least) };
    await perform((io) =>
      runs.dump(
        {
          ...gpuOptions(flags),
          ...planOptions(flags),
          run,
          config,
          out: flags.out,
          format: flags.format,
          dtype: flags.f16 === true ? "float16" : "float32",
          fresh: flags.fresh === true,
          iterations: count(flags.iterations, "--iterations", 1),
          ...(flags.checkpoint === undefined ? {} : { checkpoint: flags.checkpoint }),
          ...(flags.include === undefined ? {} : { include: flags.include }),
          ...(flags.networks === undefined
            ? {}
            : { networks: flags.networks.split(",").map((n) => count(n.trim(), "--networks", 0)) }),
          ...(flags.conditions === undefined ? {} : { conditions: names(flags.conditions) as string[] }),
          ...(flags.rows === undefined ? {} : { rows: rowsOf(flags.rows) }),
          ...(flags.shard === undefined ? {} : { shardBytes: shardBytes(flags.shard) }),
          ...number(flags.from, "from", 0),
          ...number(flags.to, "to", 0),
          ...number(flags.every, "every", 1),
        },
        io,
      ),
    );
  });
};
