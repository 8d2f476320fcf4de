import { Option } from "commander";
import { UsageError } from "../../errors.ts";
import type { SweepFlags, SweepOptions } from "../../run/sweep.ts";
import {
  addPlanKind,
  type GlobalFlags,
  gpuOptions,
  newRunDirectory,
  type PlanFlags,
  planOptions,
  type Verb,
} from "../flags.ts";

interface Flags extends GlobalFlags, PlanFlags {
  readonly grid?: readonly string[];
  readonly list?: string;
  readonly random?: string;
  readonly repeats?: string;
  readonly steps?: string;
  readonly start?: "encoded" | "awakeEnd";
  readonly pairedNoise?: boolean;
  readonly activity?: boolean;
  readonly save?: "summary" | "decoded" | "states";
  readonly saveEvery?: string;
  readonly stateRepeats?: string;
  readonly budget?: string;
  readonly shard?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly plan?: boolean;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function whole(text: string, flag: string, least = 1): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`${flag} ${text}: must be a whole number from ${least} on`);
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** `8GiB`, `512 MB` or plain bytes. */
export function parseBytes(text: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  const bytes = Number(digits) * (factor ?? Number.NaN);
  if (digits !== "" && bytes >= 1) return Math.floor(bytes);
  throw new UsageError(`--budget ${text}: must be a number of bytes, as in 8GiB or 512MiB`);
}

function parseShard(text: string): { index: number; of: number } {
  const [, index = "", of = ""] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  // Parts are counted from 1, as test runners count their shards.
  const shard = { index: Number(index) - 1, of: Number(of) };
  if (of !== "" && shard.of <= 1e6 && shard.index >= 0 && shard.index < shard.of) return shard;
  throw new UsageError(`--shard ${text}: must be i/n with i from 1 to n, as in 1/4`);
}

function requestOf(f: Flags): SweepFlags {
  return {
    grid: f.grid ?? [],
    list: f.list ?? null,
    random: f.random === undefined ? null : whole(f.random, "--random"),
    save: f.save ?? "summary",
    saveEvery: f.saveEvery === undefined ? 1 : whole(f.saveEvery, "--save-every"),
    stateRepeats: f.stateRepeats === undefined ? 8 : whole(f.stateRepeats, "--state-repeats"),
    ...(f.seed === undefined ? {} : { seed: whole(f.seed, "--seed", 0) }),
    ...(f.repeats === undefined ? {} : { repeats: whole(f.repeats, "--repeats") }),
    ...(f.steps === undefined ? {} : { steps: whole(f.steps, "--steps") }),
    ...(f.start === undefined ? {} : { start: f.start }),
    ...(f.pairedNoise === undefined ? {} : { pairedNoise: f.pairedNoise }),
    ...(f.activity === true ? { activity: true } : {}),
  };
}

/** Flags that say which sweep it is: a resumed one needs none of them. */
const DEFINING = [
  "grid",
  "list",
  "random",
  "repeats",
  "steps",
  "start",
  "pairedNoise",
  "activity",
  "save",
  "saveEvery",
  "stateRepeats",
  "seed",
] as const;

function optionsOf(sources: readonly string[], f: Flags): SweepOptions {
  if (f.resume && f.out === undefined) throw new UsageError("--resume needs --out DIR, the sweep to go on with");
  if (f.seed !== undefined && whole(f.seed, "--seed", 0) >= 2 ** 32)
    throw new UsageError(`--seed ${f.seed}: must be below 2³²`);
  const defines = DEFINING.some((key) => f[key] !== undefined);
  if (!f.resume && sources.length === 0)
    throw new UsageError("whose networks? Name at least one run directory or checkpoint");
  return {
    ...gpuOptions(f),
    ...planOptions(f),
    sources,
    request: f.resume && !defines ? null : requestOf(f),
    budget: f.budget === undefined ? null : parseBytes(f.budget),
    shard: f.shard === undefined ? null : parseShard(f.shard),
    out: f.out ?? newRunDirectory("sweep"),
    resume: f.resume === true,
    force: f.force === true,
    plan: f.plan === true,
  };
}

/** `reverie sweep`. */
export const sweep: Verb = (program, { perform, runs }) => {
  const command = program
    .command("sweep")
    .description("replay networks under a grid of conditions; metrics are made on the GPU meanwhile")
    .argument("[run...]", "run directories or checkpoints; their networks are swept together")
    .addOption(
      new Option(
        "--grid <parameter=values>",
        "a,b,c or start:stop:count or log:start:stop:count; may be repeated",
      ).argParser(collect),
    )
    .option("--list <file>", "JSON list of conditions, instead of a grid")
    .option("--random <n>", "draw n conditions from the grid's values or start:stop ranges (with --seed)")
    .option("--repeats <n>", "replays per network and condition (default: as the run's configuration has it)")
    .option("--steps <n>", "steps of a replay (default: likewise)")
    .addOption(
      new Option("--start <where>", "where replays start (default: likewise)").choices(["encoded", "awakeEnd"]),
    )
    .option("--paired-noise", "conditions share their noise and starts (default: likewise)")
    .option("--no-paired-noise", "each condition draws its own")
    .option("--activity", "also measure in the activity space of place cells: slower, for each network and condition")
    .addOption(
      new Option(
        "--save <what>",
        "also keep decoded positions, or those and some hidden states (default: summary)",
      ).choices(["summary", "decoded", "states"]),
    )
    .option("--save-every <n>", "keep every n-th step of what is kept (default: 1)")
    .option("--state-repeats <n>", "replays per network and condition whose states are kept (default: 8)")
    .option("--budget <bytes>", "memory to use on the device, as in 8GiB (default: 1GiB)")
    .option("--shard <i/n>", "run only part i of n; `reverie merge` puts the parts together")
    .option("--out <dir>", "directory of the sweep (default: runs/sweep-<time>)")
    .option("--resume", "go on with the sweep in --out")
    .option("--force", "delete the sweep that is there")
    .option("--plan", "print launches, bytes and estimated time instead of running them")
    .addHelpText(
      "after",
      "\nStep parameters: leak, gain, noiseStd, noiseScale, noiseFriction, friction, adaptStrength, adaptTau.\n" +
        "\nExamples:\n  reverie sweep runs/tmaze --grid friction=1,0.6,0.3 --grid adaptStrength=0:0.2:11 --out runs/phase\n" +
        "  reverie sweep --resume --out runs/phase",
    );
  addPlanKind(command).action(async (sources: string[]) => {
    const options = optionsOf(sources, command.optsWithGlobals<Flags>());
    await perform((io) => runs.sweep(options, io));
  });
};
