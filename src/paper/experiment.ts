/** What every experiment of the reproduction is, and what it may use. */
import type { ExperimentConfig } from "../config/schema.ts";
import type { Gpu } from "../gpu/context.ts";
import type { NetworkTensors } from "../model/parameters.ts";
import type { Io } from "../run/types.ts";
import type { Condition } from "../sweep/definition.ts";
import type { ResultRecord } from "../sweep/results.ts";
import type { ClaimResult, PaperFigure } from "./evidence.ts";
import type { FamilyName, Protocol } from "./protocol.ts";

/** A trained network's place in its family. */
export interface FamilyMember {
  /** Index on the network axis of the run. */
  readonly index: number;
  /** Networks of the same seed begin alike and see the same paths and noise, whatever their leak and mask. */
  readonly seed: number;
  /** κ */
  readonly leak: number;
  /** k: one input in k is visible. */
  readonly maskEvery: number;
}

/** Trained networks of one task: the only ones that its claims rest on. */
export interface Family {
  readonly name: FamilyName;
  /** Run directory. */
  readonly run: string;
  readonly config: ExperimentConfig;
  readonly members: readonly FamilyMember[];
  /** Of each member; a network that diverged in training has its last weights. */
  readonly weights: readonly NetworkTensors[];
  readonly diverged: readonly boolean[];
  /** Mean squared error on fresh trajectories, of each member. */
  readonly testError: readonly number[];
  /** (iteration, member): training loss. */
  readonly losses: readonly (readonly number[])[];
}

/** Replays of a family under every condition, measured on the GPU; one record for each member and condition. */
export interface FamilySweep {
  readonly family: Family;
  /** Whose replays these are: all of the family, but for a sweep that asked for some. */
  readonly members: readonly FamilyMember[];
  readonly conditions: readonly Condition[];
  /** [member][condition] */
  readonly records: readonly (readonly ResultRecord[])[];
  /** Of each member's awake test paths, with input. */
  readonly awake: readonly ResultRecord[];
  /** T of a rollout. */
  readonly steps: number;
}

export interface Lab {
  readonly gpu: Gpu;
  readonly protocol: Protocol;
  /** The reproduction's directory. */
  readonly out: string;
  readonly io: Io;
  /** Trains the family, goes on with it, or reads it. @throws Interrupted where Ctrl-C stopped it */
  family(name: FamilyName): Promise<Family>;
  /** The protocol's common grid (λ × b_a × τ_a) over the whole family of a task; made once, shared by experiments. */
  grid(name: FamilyName): Promise<FamilySweep>;
  /** Other conditions of a family, kept under `name`. */
  sweep(
    name: string,
    family: FamilyName,
    conditions: readonly Condition[],
    repeats?: number,
    /** All of the family where nothing is said. */
    of?: (member: FamilyMember) => boolean,
  ): Promise<FamilySweep>;
}

/** What an experiment will ask of the lab, so that its price is known before it runs. */
export interface Needs {
  readonly families: readonly FamilyName[];
  /** Common grids. */
  readonly grids?: readonly FamilyName[];
  readonly sweeps?: readonly {
    readonly name: string;
    readonly family: FamilyName;
    readonly conditions: number;
    readonly repeats?: number;
    /** All of the family where nothing is said. */
    readonly networks?: number;
  }[];
}

/**
 * One experiment. `measure` does all work on the GPU and all long work; its result is kept as JSON, so that verdicts
 * and figures can be made again without it.
 */
export interface Experiment<R> {
  /** Of its files: "leakage". */
  readonly name: string;
  /** What is under way, for people. */
  readonly title: string;
  /** Left out, nothing but its own time is foreseen, which is that of the host. */
  needs?(protocol: Protocol): Needs;
  measure(lab: Lab): Promise<R>;
  /** Pure. */
  judge(result: R, protocol: Protocol): readonly ClaimResult[];
  /** Pure. */
  figures(result: R, protocol: Protocol): readonly PaperFigure[];
}
