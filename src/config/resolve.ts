/** From a configuration to what the planners need. Pure. */
import { defaultInitialGain, type StepParameters } from "../model/dynamics.ts";
import type { NetworkShape } from "../model/parameters.ts";
import { type PathTask, tmazeTask, triangleTask } from "../task/paths.ts";
import type { NetworkSpec } from "../train/spec.ts";
import type { ExperimentConfig } from "./schema.ts";

export interface ReplayCondition {
  readonly name: string;
  readonly step: StepParameters;
}

/** The awake trajectories as the generator takes them. */
export function pathTask(config: ExperimentConfig): PathTask {
  const { task } = config;
  if (task.kind === "ou") {
    return {
      kind: "ou",
      start: task.start,
      startStd: task.startStd,
      pull: task.pull,
      pathStd: task.pathStd,
    };
  }
  const { stepLength, speedStd, jitterStd, jitterTau } = task;
  const gait = { stepLength, speedStd, jitterStd, jitterTau };
  if (task.kind === "tmaze") return { ...tmazeTask(), ...gait };
  if (task.kind === "triangle") return { ...triangleTask(task.directions), ...gait };
  return {
    kind: "polyline",
    routes: task.routes,
    closed: task.closed,
    starts: task.starts,
    ...gait,
  };
}

/** Every task so far is a path in the plane: displacement in, position out, encoded start position. */
export function networkShape(config: ExperimentConfig): NetworkShape {
  return { units: config.rnn.units, inputs: 2, outputs: 2, encoderInputs: 2 };
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
