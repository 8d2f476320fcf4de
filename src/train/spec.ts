/** What training is asked to do. Plain data. */
import type { CodeSpec } from "../code/population.ts";
import type { PlanKind } from "../gpu/plan.ts";
import type { AdapterSpec, ModelSpec } from "../kernels/spec.ts";
import type { StepParameters } from "../model/dynamics.ts";
import type { StoredAs } from "../model/stored.ts";
import type { AwakeTask } from "../task/paths.ts";

/** One network of the experiment. */
export interface NetworkSpec {
  readonly seed: number;
  /** Awake and in training. */
  readonly step: StepParameters;
  /** k: input visible at every k-th step. */
  readonly maskEvery: number;
  /** Adam's learning rate at the first and last iteration, linear in between. */
  readonly learningRate: number;
  readonly finalLearningRate: number;
  /** g of W_rec ~ N(0, g²/N). */
  readonly initialGain: number;
}

/** Networks, task, sizes and optimiser of a {@link Trainer}. */
export interface TrainSpec {
  readonly model: ModelSpec;
  readonly networks: readonly NetworkSpec[];
  readonly task: AwakeTask;
  /** Place cells on the path, if any. */
  readonly code?: CodeSpec | null;
  readonly maskRandom: boolean;
  /** T */
  readonly steps: number;
  /** B */
  readonly batch: number;
  readonly iterations: number;
  readonly clipNorm: number;
  readonly l2Activity: number;
  readonly kind: PlanKind;
  /** How activations lie in memory between passes of a training iteration; tests and replays have float32. */
  readonly stored?: StoredAs;
  /** Tighter limits than the adapter's own (tests). */
  readonly adapter?: AdapterSpec;
}
