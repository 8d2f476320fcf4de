/** Whole training iterations put together from the twins, for tiny sizes; witness of the training plan. */
import type { CodeSpec } from "../code/population.ts";
import { type Activation, cellParams, type StepParameters } from "../model/dynamics.ts";
import type { NetworkShape } from "../model/parameters.ts";
import { STREAM } from "../model/streams.ts";
import { inputScale, type PathTask } from "../task/paths.ts";
import { adjointReference } from "./adjoint.ts";
import { boxPathReference } from "./box-path.ts";
import { clipAndAdamReference, learningRateReference, type Moments } from "./clip-and-adam.ts";
import { type CodedPaths, codedPathsReference } from "./coded-paths.ts";
import { headDirectionPathReference } from "./head-direction-path.ts";
import { initialiseReference } from "./initialise.ts";
import type { AwakePaths, PathRequest } from "./masked-inputs.ts";
import { ouPathReference } from "./ou-path.ts";
import { polylinePathsReference } from "./polyline-paths.ts";
import { recordedPathsReference } from "./recorded-paths.ts";
import { DEFAULT_ROUNDS, type Key } from "./rng.ts";
import { philoxNoise, rolloutReference } from "./rollout.ts";
import { type ReferenceTensors, referenceTensors } from "./tensors.ts";

/** What the training of one network depends on. */
export interface ReferenceTraining {
  readonly shape: NetworkShape;
  readonly activation: Activation;
  readonly leakySlope: number;
  readonly step: StepParameters;
  readonly initialGain: number;
  readonly key: Key;
  readonly task: PathTask;
  readonly code?: CodeSpec | null;
  /** T. */
  readonly steps: number;
  /** B. */
  readonly batch: number;
  readonly maskEvery: number;
  readonly maskOffset: "random" | "fixed";
  /** Length of the learning-rate schedule. */
  readonly iterations: number;
  readonly learningRate: number;
  readonly finalLearningRate: number;
  readonly clipNorm: number;
  readonly l2Activity: number;
  readonly rounds?: number;
}

/** A network in training: changed in place by each iteration. */
export interface TrainingState {
  readonly weights: ReferenceTensors;
  readonly moments: Moments;
}

export interface IterationRecord {
  /** Loss before the update. */
  readonly loss: number;
  /** Global norm before the clip. */
  readonly gradNorm: number;
}

export function initialTrainingState(training: ReferenceTraining): TrainingState {
  const { shape } = training;
  return {
    weights: initialiseReference(shape, training),
    moments: { m: referenceTensors(shape), v: referenceTensors(shape) },
  };
}

/** Trajectories of any task. */
export function awakePathsReference(task: PathTask, request: PathRequest): AwakePaths {
  switch (task.kind) {
    case "ou":
      return ouPathReference(task, request);
    case "polyline":
      return polylinePathsReference(task, request);
    case "box":
      return boxPathReference(task, request);
    case "headDirection":
      return headDirectionPathReference(task, request);
    case "recorded":
      return recordedPathsReference(task, request);
  }
}

/** What the network is shown and asked for on a task's paths, with place cells or without. */
export function experienceReference(
  { task, code }: Pick<ReferenceTraining, "task" | "code">,
  request: PathRequest,
): CodedPaths & { readonly positions: Float64Array } {
  const paths = awakePathsReference(task, request);
  if (code) return { ...codedPathsReference(paths, code, inputScale(task), request), positions: paths.positions };
  return { ...paths, target: paths.positions.subarray(request.B * 2) };
}

/** Draws the batch of `iteration`, runs it, and updates `state` in place. */
export function trainStepReference(
  training: ReferenceTraining,
  state: TrainingState,
  iteration: number,
): IterationRecord {
  const { shape, key, steps: T, batch: B, rounds = DEFAULT_ROUNDS } = training;
  const draw = { T, B, key, epoch: iteration, trajectory0: 0, rounds };
  const { maskEvery, maskOffset } = training;
  const paths = experienceReference(training, { ...draw, stream: STREAM.trainPaths, maskEvery, maskOffset });
  const params = Array.from({ length: B }, () => cellParams(training.step));
  const input = {
    shape,
    weights: state.weights,
    activation: training.activation,
    leakySlope: training.leakySlope,
    params,
    e0: paths.e0,
    u: paths.u,
    noise: philoxNoise({ ...draw, N: shape.units, stream: STREAM.awakeNoise, params }),
    T,
    B,
  };
  const { loss, grads } = adjointReference(input, rolloutReference(input), paths.target, training);
  const { gradNorm } = clipAndAdamReference(state.weights, grads, state.moments, {
    iteration,
    learningRate: learningRateReference(
      iteration,
      training.iterations,
      training.learningRate,
      training.finalLearningRate,
    ),
    clipNorm: training.clipNorm,
  });
  return { loss, gradNorm };
}

/** The first `iterations` iterations from freshly initialised weights. */
export function trainReference(
  training: ReferenceTraining,
  iterations: number = training.iterations,
): TrainingState & { readonly history: readonly IterationRecord[] } {
  const state = initialTrainingState(training);
  const history = Array.from({ length: iterations }, (_, i) => trainStepReference(training, state, i));
  return { ...state, history };
}
