/** What training is asked to do. Plain data. */
import type { PlanKind } from "../gpu/plan.ts";
import type { AdapterSpec, ModelSpec } from "../kernels/spec.ts";
import type { StepParameters } from "../model/dynamics.ts";
import type { PathTask } from "../task/paths.ts";

export interface NetworkSpec {
  readonly seed: number;
  readonly step: StepParameters;
  readonly maskEvery: number;
  readonly learningRate: number;
  readonly finalLearningRate: number;
  readonly initialGain: number;
}

export interface TrainSpec {
  readonly model: ModelSpec;
  readonly networks: readonly NetworkSpec[];
  readonly task: PathTask;
  readonly maskRandom: boolean;
  /** T */
  readonly steps: number;
  /** B */
  readonly batch: number;
  readonly iterations: number;
  readonly clipNorm: number;
  readonly l2Activity: number;
  readonly kind: PlanKind;
  /** Tighter limits than the adapter's own (tests). */
  readonly adapter?: AdapterSpec;
}
