/** Flags that several verbs share, and what they mean to the layers below. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import type { ConfigSources, LoadedConfig, Override } from "../config/load.ts";
import { presets } from "../config/presets/index.ts";
import { DataError, type ExitCode, UsageError } from "../errors.ts";
import { PLAN_KINDS, type PlanKind } from "../gpu/plan.ts";
import { STORED_AS } from "../model/stored.ts";
import type { GpuOptions, Io, PlanOptions } from "../run/types.ts";
import type { Runs } from "./runs.ts";

/** Before or after the verb. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color: boolean;
  readonly debug?: boolean;
  readonly adapter?: string;
  readonly requireGpu?: boolean;
  readonly seed?: string;
}

export interface ConfigFlags extends GlobalFlags {
  readonly preset?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly precision?: string;
}

export interface PlanFlags {
  readonly planKind?: PlanKind;
}

/** What a verb does once its flags are understood. */
export type Work = (io: Io) => Promise<ExitCode>;

/** What a verb is given: the work of others, and the way to run it. */
export interface Shell {
  readonly perform: (work: Work) => Promise<void>;
  readonly runs: Runs;
}

/** Adds a verb to the program. */
export type Verb = (program: Command, shell: Shell) => void;

const DEFAULT_PRESET = "tmaze";

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export function addSet(command: Command, example: string): Command {
  return command.addOption(
    new Option("--set <key=value>", `change one value, as in --set ${example}; may be repeated`).argParser(collect),
  );
}

export function addConfigFlags(command: Command, example = "rnn.leak=0.2"): Command {
  const names = presets().map((preset) => preset.name);
  command
    .option("--preset <name>", `experiment to start from: ${names.join(", ")} (${DEFAULT_PRESET} without --config)`)
    .option("--config <file>", "JSON file; its values win over the preset's");
  return addSet(command, example);
}

export function addPrecision(command: Command): Command {
  return command.addOption(
    new Option("--precision <kind>", "how training stores activations; f16 halves them, and its error is told").choices(
      STORED_AS,
    ),
  );
}

export function addPlanKind(command: Command): Command {
  return command.addOption(
    new Option("--plan-kind <kind>", "how work is laid out on the adapter; the results are the same").choices(
      PLAN_KINDS,
    ),
  );
}

export function gpuOptions(flags: GlobalFlags): GpuOptions {
  return {
    requireGpu: flags.requireGpu === true,
    ...(flags.adapter === undefined ? {} : { adapter: flags.adapter }),
  };
}

export function planOptions(flags: PlanFlags): PlanOptions {
  return flags.planKind === undefined ? {} : { planKind: flags.planKind };
}

/** A flag's text as a value for a key of the configuration; nothing where the flag was not given. */
export async function override(path: string, text: string | undefined, flag: string): Promise<Override[]> {
  if (text === undefined) return [];
  const { parseValue } = await import("../config/load.ts");
  return [{ path, value: parseValue(text), origin: flag }];
}

/** The configuration that `--preset`, `--config`, `--set` and `--seed` ask for, the T-maze without the first two. */
export async function configOf(flags: ConfigFlags, more: readonly Override[] = []): Promise<LoadedConfig> {
  const { loadConfig } = await import("../config/load.ts");
  const preset = flags.preset ?? (flags.config === undefined ? DEFAULT_PRESET : undefined);
  const sources: ConfigSources = {
    ...(preset === undefined ? {} : { preset }),
    ...(flags.config === undefined ? {} : { file: flags.config }),
    ...(flags.set === undefined ? {} : { set: flags.set }),
    overrides: [
      ...(await override("seed", flags.seed, "--seed")),
      ...(await override("train.precision", flags.precision, "--precision")),
      ...more,
    ],
  };
  return loadConfig(sources);
}

/**
 * The configuration of the run in a directory, with changes.
 * Throws DataError where the directory holds none, UsageError where a change is wrong.
 */
export async function configOfRun(
  run: string,
  changes: { readonly set?: readonly string[]; readonly overrides: readonly Override[] },
): Promise<LoadedConfig> {
  const { loadConfig } = await import("../config/load.ts");
  const file = join(run, "config.json");
  if (!existsSync(file)) throw new DataError(`${run}: no run here (config.json is missing); check the path`);
  try {
    loadConfig({ file });
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new DataError(`${run}: its config.json cannot be used: ${cause.message}`, { cause });
  }
  return loadConfig({ file, ...changes });
}

/** `runs/tmaze-20260131-142500`, by the local clock. */
export function newRunDirectory(name: string, now = new Date()): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const date = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return join("runs", `${name}-${date}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`);
}
