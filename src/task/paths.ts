/**
 * Awake trajectories, described as plain data; `shaders/task/*.wgsl` generate them (model.md section 7).
 *
 * Draws (Philox, key = (root seed, network seed), stream = train/test/replayStarts, third word = trajectory):
 *  - step t, word-quad 0: normals (0, 1) are the jitter (polyline) or path noise (OU) of x and y at time t;
 *  - step 0, word-quad 1: normal 0 is the speed of the trajectory, word 2 modulo `starts` its start,
 *    word 3 modulo `routes.length` its route (T-maze: left, right; triangle: counter-clockwise, clockwise).
 * Mask offset: stream `masks`, step 0, quad 0, word 0 modulo k.
 */
import { type BoxTask, boxStepLength } from "./box.ts";
import { type HeadDirectionTask, meanTurn } from "./head-direction.ts";
import type { RecordedTask } from "./recorded.ts";
import type { TensorsTask } from "./tensors.ts";

export interface PolylineTask {
  readonly kind: "polyline";
  /** Each route is a list of corners in metres; all have the same number of corners (at most 8; at most 4 routes). */
  readonly routes: readonly (readonly (readonly [number, number])[])[];
  /** A closed route returns to its first corner and goes on; an open one waits at its end. */
  readonly closed: boolean;
  /** Number of equally spaced starting points along a closed route (1 = its first corner). */
  readonly starts: number;
  /** u_scale: mean step length, metres; also the scale of the input. */
  readonly stepLength: number;
  /** ς_v: relative spread of a trajectory's speed, clipped to [.5, 1.5]. */
  readonly speedStd: number;
  /** ς_j: standard deviation of the stationary jitter, metres. */
  readonly jitterStd: number;
  /** τ_j: time constant of the jitter, steps. */
  readonly jitterTau: number;
}

export interface OuTask {
  readonly kind: "ou";
  /** Mean of s_0, metres. */
  readonly start: readonly [number, number];
  /** Standard deviation of s_0. */
  readonly startStd: number;
  /** θ: pull to the origin per step. */
  readonly pull: number;
  /** q: standard deviation of the path noise per step. */
  readonly pathStd: number;
}

/** Tasks whose targets are positions. */
export type PathTask = PolylineTask | OuTask | BoxTask | HeadDirectionTask | RecordedTask;

/** What networks train on: paths, or tensors that mean anything. */
export type AwakeTask = PathTask | TensorsTask;

/** Scale of the input u_t = (s_{t+1} − s_t) / u_scale, metres; of head direction, radians of a turn. */
export function inputScale(task: PathTask): number {
  switch (task.kind) {
    case "ou":
      return task.pathStd * Math.sqrt(Math.PI / 2);
    case "polyline":
      return task.stepLength;
    case "box":
      return boxStepLength(task);
    case "headDirection":
      return meanTurn(task);
    case "recorded":
      return task.stepLength;
  }
}

/** Widths of what a network gets and gives on a task without cells: displacement (or turn) in, position out. */
export function pathShape(task: PathTask): { inputs: number; outputs: number; encoderInputs: number } {
  return { inputs: task.kind === "headDirection" ? 1 : 2, outputs: 2, encoderInputs: 2 };
}

const RADIUS_1_TRIANGLE: readonly (readonly [number, number])[] = [90, 210, 330].map((degrees) => {
  const a = (degrees * Math.PI) / 180;
  return [Math.cos(a), Math.sin(a)] as const;
});

/** Equilateral triangle, circumradius 1, 40 steps a lap; one-way (counter-clockwise) or both ways. */
export function triangleTask(directions: "oneWay" | "twoWay"): PolylineTask {
  const ccw = RADIUS_1_TRIANGLE;
  const cw = [ccw[0], ccw[2], ccw[1]] as (readonly [number, number])[];
  return {
    kind: "polyline",
    routes: directions === "oneWay" ? [ccw] : [ccw, cw],
    closed: true,
    starts: 3,
    stepLength: (3 * Math.sqrt(3)) / 40,
    speedStd: 0.15,
    jitterStd: 0.03,
    jitterTau: 10,
  };
}

/** T-maze: stem of 1.5 m, arms of 1 m, 45 steps a run, then waiting at the end. */
export function tmazeTask(): PolylineTask {
  const base = [0, -1] as const;
  const junction = [0, 0.5] as const;
  return {
    kind: "polyline",
    routes: [
      [base, junction, [-1, 0.5]],
      [base, junction, [1, 0.5]],
    ],
    closed: false,
    starts: 1,
    stepLength: 2.5 / 45,
    speedStd: 0.1,
    jitterStd: 0.03,
    jitterTau: 10,
  };
}

/** Ornstein–Uhlenbeck path of the score theory. */
export function ouTask(): OuTask {
  return { kind: "ou", start: [0.8, 0], startStd: 0.05, pull: 0.05, pathStd: 0.15 };
}
