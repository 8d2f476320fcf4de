import { join } from "node:path";
import type { Override } from "../../config/load.ts";
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

/** Flags of one condition; given any, it is the only one replayed. */
const CONDITION_FLAGS = [
  ["friction", "--friction", "friction of the momentum, in (0, 1]; 1 = none"],
  ["adaptStrength", "--adapt-strength", "strength of the adaptation; 0 = none"],
  ["adaptTau", "--adapt-tau", "time constant of the adaptation, steps"],
  ["noiseScale", "--noise-scale", "factor on the noise; √2 as configured, 1 as awake"],
  ["leak", "--leak", "share of r lost per step"],
  ["gain", "--gain", "gain of the drive per step"],
  ["noiseStd", "--noise-std", "noise, standard deviation per step and unit"],
] as const;

const REPLAY_FLAGS = [
  ["steps", "--steps", "steps of a replay"],
  ["repeats", "--repeats", "replays per network and condition"],
  ["start", "--start", "encoded: encoded start positions; awakeEnd: states at the end of test trajectories"],
  ["saveEvery", "--save-every", "keep every n-th position"],
] as const;

interface Flags extends GlobalFlags, PlanFlags, Partial<Record<string, unknown>> {
  readonly set?: readonly string[];
  readonly saveStates?: boolean;
  /** False under `--no-noise-friction`. */
  readonly noiseFriction: boolean;
  readonly out?: string;
  readonly plan?: boolean;
}

const CUSTOM = "replay.conditions.custom";

async function overridesOf(flags: Flags): Promise<Override[]> {
  const text = (key: string) => flags[key] as string | undefined;
  const overrides = [...(await override("seed", flags.seed, "--seed"))];
  for (const [key, flag] of REPLAY_FLAGS) overrides.push(...(await override(`replay.${key}`, text(key), flag)));
  if (flags.saveStates) overrides.push({ path: "replay.saveStates", value: true, origin: "--save-states" });
  const own: Override[] = [];
  for (const [key, flag] of CONDITION_FLAGS) own.push(...(await override(`${CUSTOM}.${key}`, text(key), flag)));
  if (!flags.noiseFriction) {
    own.push({ path: `${CUSTOM}.noiseFriction`, value: false, origin: "--no-noise-friction" });
  }
  if (own.length === 0) return overrides;
  return [...overrides, { path: "replay.conditions", value: { custom: {} }, origin: "a flag" }, ...own];
}

function refuseOtherKeys(set: readonly string[]): void {
  const other = set.find((entry) => !entry.trimStart().startsWith("replay."));
  if (other === undefined) return;
  throw new UsageError(`--set ${JSON.stringify(other)}: only keys of replay can change once a network is trained`);
}

/** `reverie replay`. */
export const replay: Verb = (program, { perform, runs }) => {
  const command = program
    .command("replay")
    .description("let the networks of a run replay without input")
    .argument("<run>", "run directory")
    .option("--save-states", "also keep the hidden states (large)")
    .option("--no-noise-friction", "do not scale the noise by √friction")
    .option("--out <file>", "the .npz to write (default: replay/replay.npz in the run directory)")
    .option("--plan", "print passes and bytes instead of running them")
    .addHelpText(
      "after",
      "\nWithout flags of a condition, those of the configuration are replayed.\n" +
        "\nExample:\n  reverie replay runs/tmaze --friction 0.6 --adapt-strength 0.05 --adapt-tau 200 --steps 500",
    );
  for (const [, flag, meaning] of [...REPLAY_FLAGS, ...CONDITION_FLAGS]) command.option(`${flag} <value>`, meaning);
  addPlanKind(addSet(command, `'replay.conditions.fast={"friction":0.4}'`)).action(async (run: string) => {
    const flags = command.optsWithGlobals<Flags>();
    const { set = [] } = flags;
    refuseOtherKeys(set);
    const config = await configOfRun(run, { set, overrides: await overridesOf(flags) });
    await perform((io) =>
      runs.replay(
        {
          ...gpuOptions(flags),
          ...planOptions(flags),
          run,
          config,
          out: flags.out ?? join(run, "replay", "replay.npz"),
          plan: flags.plan === true,
        },
        io,
      ),
    );
  });
};
