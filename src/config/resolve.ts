/** From a configuration to what the planners need. Pure, but for reading recorded paths once. */
import { centresOf } from "../code/centres.ts";
import type { CodeSpec } from "../code/population.ts";
import { UsageError } from "../errors.ts";
import { loadRecording } from "../io/recorded-task.ts";
import { type LoadedTrials, loadTrials } from "../io/trial-file.ts";
import { defaultInitialGain, type StepParameters } from "../model/dynamics.ts";
import type { NetworkShape } from "../model/parameters.ts";
import { type BoxTask, PREDECESSOR, RAT_IN_A_BOX } from "../task/box.ts";
import { extentOf } from "../task/extent.ts";
import { type AwakeTask, type PathTask, pathShape, tmazeTask, triangleTask } from "../task/paths.ts";
import type { NetworkSpec } from "../train/spec.ts";
import type { ExperimentConfig, TaskConfig } from "./schema.ts";

export interface ReplayCondition {
  readonly name: string;
  readonly step: StepParameters;
}

type BoxConfig = Extract<TaskConfig, { kind: "box" }>;

function boxTaskOf(task: BoxConfig): BoxTask {
  const published = task.motion === "ratInABox" ? RAT_IN_A_BOX : PREDECESSOR;
  const own = published.motion;
  const shared = {
    speed: task.speed ?? own.speed,
    turnStd: task.turnStd ?? own.turnStd,
    wallDistance: task.wallDistance ?? own.wallDistance,
  };
  const { turnTau, speedTau, wallStrength, thigmotaxis, wallSlowing } = task;
  return {
    kind: "box",
    width: task.width,
    height: task.height,
    motion:
      task.motion === "ratInABox"
        ? { kind: "ratInABox", ...shared, turnTau, speedTau, wallStrength, thigmotaxis }
        : { kind: "predecessor", ...shared, wallSlowing },
    dt: task.dt ?? published.dt,
    substeps: task.substeps ?? published.substeps,
    burnIn: task.burnIn,
    drift: task.drift,
    anchor: task.anchor ?? [task.width / 2, task.height / 2],
  };
}

/** The open file of given tensors; null for other tasks. @throws DataError */
export function trialsOfTask({ task }: Pick<ExperimentConfig, "task">): LoadedTrials | null {
  if (task.kind !== "tensors") return null;
  return loadTrials({ path: task.path, steps: task.steps === 0 ? null : task.steps, testShare: task.testShare });
}

/** What the networks train on. */
export function awakeTask(config: ExperimentConfig): AwakeTask {
  return trialsOfTask(config)?.task ?? pathTask(config);
}

/** The awake trajectories as the generator takes them. @throws UsageError where the task has no paths */
export function pathTask(config: ExperimentConfig): PathTask {
  const { task } = config;
  switch (task.kind) {
    case "ou": {
      const { kind, start, startStd, pull, pathStd } = task;
      return { kind, start, startStd, pull, pathStd };
    }
    case "box":
      return boxTaskOf(task);
    case "file":
      return loadRecording(task).task;
    case "tensors":
      throw new UsageError(
        "task.kind tensors has no positions to generate, map or measure: list what to compare as replay.conditions, and use train, replay, report and dump",
      );
    case "headDirection": {
      const { kind, dt, turnStd, directions } = task;
      return { kind, dt, turnStd, directions };
    }
  }
  const { stepLength, speedStd, jitterStd, jitterTau } = task;
  const gait = { stepLength, speedStd, jitterStd, jitterTau };
  if (task.kind === "tmaze") return { ...tmazeTask(), ...gait };
  if (task.kind === "triangle") return { ...triangleTask(task.directions), ...gait };
  const { routes, closed, starts } = task;
  return { kind: "polyline", routes, closed, starts, ...gait };
}

/** What was done to somebody's file before anybody trains on it, in a sentence; null for other tasks. */
export function taskNote(config: ExperimentConfig): string | null {
  const { task } = config;
  return task.kind === "file" ? loadRecording(task).note : (trialsOfTask(config)?.note ?? null);
}

/** Place cells, where the position is not itself what the network reads out. */
export function codeSpec(config: ExperimentConfig): CodeSpec | null {
  const { cells, input, decode } = config.task;
  if (cells === null) return null;
  return {
    population: {
      centres: centresOf(cells, extentOf(pathTask(config)), config.seed),
      width: cells.width,
      tuning: cells.tuning,
    },
    decoder: decode,
    deltaInput: input === "codeDelta",
  };
}

/** Displacement or turn in, position out, encoded start position; with place cells, rates; of tensors, as they are. */
export function networkShape(config: ExperimentConfig): NetworkShape {
  const { units } = config.rnn;
  const trials = trialsOfTask(config)?.task;
  if (trials) {
    const { inputs, outputs, encoderInputs } = trials;
    return { units, inputs, outputs, encoderInputs };
  }
  const path = pathShape(pathTask(config));
  const cells = config.task.cells?.count;
  if (cells === undefined) return { units, ...path };
  const inputs = config.task.input === "codeDelta" ? cells : path.inputs;
  return { units, inputs, outputs: cells, encoderInputs: cells };
}

/** One entry per seed, in order. */
export function networkSettings(config: ExperimentConfig): NetworkSpec[] {
  const { rnn, task, train } = config;
  return config.seeds.map((seed, i) => {
    const own = {
      ...rnn,
      maskEvery: task.maskEvery,
      ...train,
      ...config.networks[i],
    };
    return {
      seed,
      step: {
        leak: own.leak,
        gain: own.gain,
        noiseStd: own.noiseStd,
        noiseScale: 1,
        friction: own.friction,
        noiseFriction: false,
        adaptStrength: own.adaptStrength,
        adaptTau: own.adaptTau,
      },
      maskEvery: own.maskEvery,
      learningRate: own.learningRate,
      finalLearningRate: own.finalLearningRate,
      initialGain: own.initialGain ?? defaultInitialGain(own.leak, own.gain),
    };
  });
}

/**
 * `[network][condition]`, conditions in the order of the configuration. A replay without overrides is the network as
 * it was trained, friction and adaptation included, but for the noise of replay.
 */
export function replayConditions(config: ExperimentConfig): ReplayCondition[][] {
  const { noiseScale, noiseFriction, conditions } = config.replay;
  return networkSettings(config).map(({ step }) =>
    Object.entries(conditions).map(([name, own]) => ({
      name,
      step: { ...step, noiseScale, noiseFriction, ...own },
    })),
  );
}
