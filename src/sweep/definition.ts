/** What a sweep is, as sweep.json holds it: everything that its results depend on, and nothing else. Plain data. */

import type { Activation, StepParameters } from "../model/dynamics.ts";
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
