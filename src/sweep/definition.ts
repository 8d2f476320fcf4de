/** What a sweep is, as sweep.json holds it: everything that its results depend on, and nothing else. Plain data. */

import * as z from "zod";
import type { CodeSpec } from "../code/population.ts";
import { DataError } from "../errors.ts";
import { ACTIVATIONS, type Activation, type StepParameters } from "../model/dynamics.ts";
import type { NetworkShape } from "../model/parameters.ts";
import type { PathTask } from "../task/paths.ts";

export const FORMAT_VERSION = 1;

/** Every step parameter can be swept. */
export const PARAMETERS = [
  "leak",
  "gain",
  "noiseStd",
  "noiseScale",
  "noiseFriction",
  "friction",
  "adaptStrength",
  "adaptTau",
] as const satisfies readonly (keyof StepParameters)[];
export type Parameter = (typeof PARAMETERS)[number];

/** What a condition sets; every other parameter stays as the network's own replay has it. */
export type Condition = Partial<StepParameters>;

/** `summary`: metrics; `decoded`: positions too; `states`: and the hidden states of some rollouts, with their memory. */
export const SAVES = ["summary", "decoded", "states"] as const;
export type Save = (typeof SAVES)[number];

export interface SweepNetwork {
  /** The run's name, for people. */
  readonly run: string;
  readonly seed: number;
  /** SHA-256 of the weights, hexadecimal: the same file elsewhere is the same network. */
  readonly weights: string;
  /** In replay, where a condition says nothing else. */
  readonly step: StepParameters;
  /** Awake, for the trajectories that replays are compared with. */
  readonly awake: StepParameters;
  readonly maskEvery: number;
}

export interface SweepDefinition {
  readonly formatVersion: typeof FORMAT_VERSION;
  readonly rootSeed: number;
  readonly shape: NetworkShape;
  readonly activation: Activation;
  readonly leakySlope: number;
  readonly noiseRounds: number;
  readonly task: PathTask;
  /** Place cells on its paths; not there where the position itself is read out. */
  readonly code?: CodeSpec;
  /** Also measure in the activity space of the place cells; not there where it is not asked for. */
  readonly activity?: true;
  /** T of an awake trajectory. */
  readonly awakeSteps: number;
  readonly awakeTrajectories: number;
  readonly maskRandom: boolean;
  readonly networks: readonly SweepNetwork[];
  /** The grid, first axis slowest; empty for a list or a random sample. */
  readonly axes: readonly { readonly parameter: Parameter; readonly values: readonly (number | boolean)[] }[];
  readonly conditions: readonly Condition[];
  /** Rollouts per network and condition. */
  readonly repeats: number;
  /** T of a rollout. */
  readonly steps: number;
  readonly start: "encoded" | "awakeEnd";
  readonly pairedNoise: boolean;
  readonly save: Save;
  /** Every n-th step of what is kept. */
  readonly saveEvery: number;
  /** Rollouts per network and condition whose states are kept. */
  readonly stateRepeats: number;
  /** Conditions in one file of shards/; 0 where only the summary is kept. */
  readonly conditionsPerShard: number;
}

const count = (least: number, most: number) => z.number().int().min(least).max(most);
const seed = count(0, 2 ** 32 - 1);
const step = z.looseObject(
  Object.fromEntries(PARAMETERS.map((name) => [name, z.union([z.number(), z.boolean()])])) as Record<
    Parameter,
    z.ZodUnion<[z.ZodNumber, z.ZodBoolean]>
  >,
);

/** What our own files keep to: sizes in the configuration's ranges, so that nobody's sweep.json asks for more. */
const schema = z.looseObject({
  formatVersion: z.literal(FORMAT_VERSION),
  rootSeed: seed,
  shape: z.looseObject({
    units: count(1, 16384),
    inputs: count(1, 16384),
    outputs: count(1, 16384),
    encoderInputs: count(1, 16384),
  }),
  activation: z.enum(ACTIVATIONS),
  leakySlope: z.number(),
  noiseRounds: z.union([z.literal(7), z.literal(10)]),
  task: z.looseObject({ kind: z.string() }),
  activity: z.literal(true).optional(),
  awakeSteps: count(1, 65536),
  awakeTrajectories: count(1, 2 ** 20),
  maskRandom: z.boolean(),
  networks: z
    .array(
      z.looseObject({ run: z.string(), seed, weights: z.string(), step, awake: step, maskEvery: count(1, 2 ** 24) }),
    )
    .min(1)
    .max(2 ** 16),
  axes: z.array(
    z.looseObject({ parameter: z.enum(PARAMETERS), values: z.array(z.union([z.number(), z.boolean()])).min(1) }),
  ),
  conditions: z.array(step.partial()).min(1),
  repeats: count(1, 2 ** 20),
  steps: count(1, 10_000_000),
  start: z.enum(["encoded", "awakeEnd"]),
  pairedNoise: z.boolean(),
  save: z.enum(SAVES),
  saveEvery: count(1, 10_000_000),
  stateRepeats: count(0, 2 ** 20),
  conditionsPerShard: count(0, 2 ** 32),
});

/** A definition from a file. @throws DataError naming `where` and the first key that no sweep of ours can hold */
export function parseDefinition(value: unknown, where: string): SweepDefinition {
  const version = (value as { formatVersion?: unknown } | null)?.formatVersion;
  if (version !== FORMAT_VERSION) {
    throw new DataError(
      `${where}: sweep format ${JSON.stringify(version)}, this version reads ${FORMAT_VERSION}; use the version that wrote it`,
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return value as SweepDefinition;
  const [issue] = result.error.issues;
  throw new DataError(
    `${where}: ${issue?.path.map(String).join(".")}: ${issue?.message}; restore the file as reverie sweep wrote it`,
  );
}
