/** What the animal does: one record of options per kind of task, with units and defaults. */
import * as z from "zod";
import { PREDECESSOR, RAT_IN_A_BOX } from "../task/box.ts";
import { headDirectionTask } from "../task/head-direction.ts";
import { ouTask, tmazeTask, triangleTask } from "../task/paths.ts";
import { CODE_TASK } from "./code-schema.ts";
import { boolean, choice, integer, LARGE, listOf, metres, number, point, positive, record } from "./fields.ts";

export const maskEvery = integer(1, 2 ** 24, "Input is visible at every k-th step; 1 = always.");

export const COMMON_TASK = {
  steps: integer(1, 65536, "T: steps of an awake trajectory.").default(60),
  maskEvery: maskEvery.default(5),
  maskOffset: choice(
    ["random", "fixed"],
    "First visible step: drawn per trajectory from 0 … maskEvery − 1, or always 0.",
  ).default("random"),
  ...CODE_TASK,
};

const gait = (defaults: { stepLength?: number; speedStd: number; jitterStd: number; jitterTau: number }) => ({
  speedStd: number(0, 1, "Relative spread of a trajectory's speed, clipped to [0.5, 1.5].").default(defaults.speedStd),
  jitterStd: metres(0, "Standard deviation of the stationary jitter around the path").default(defaults.jitterStd),
  jitterTau: number(1, 1e9, "Time constant of the jitter, steps.").default(defaults.jitterTau),
});

const kind = <const K extends string>(name: K) => z.literal(name).describe("Which task this is.");

const stepLength = metres(1e-6, "Mean length of a step, which is also the scale of the input");
const tmaze = tmazeTask();
const triangle = triangleTask("twoWay");
const ou = ouTask();

/** Where null stands, the motion's own published value is taken. */
const orPublished = (value: z.ZodNumber, rat: string, predecessor: string) =>
  value
    .nullable()
    .describe(`${value.description} null: ${rat} (ratInABox), ${predecessor} (predecessor).`)
    .default(null);

const rat = RAT_IN_A_BOX.motion;
const predecessor = PREDECESSOR.motion;

const box = {
  kind: kind("box"),
  ...COMMON_TASK,
  width: metres(0.05, "Width of the box").default(1),
  height: metres(0.05, "Height of the box").default(1),
  motion: choice(
    ["ratInABox", "predecessor"],
    "ratInABox: smooth turns and speeds, walls that repel; predecessor: independent turns and speeds.",
  ).default("ratInABox"),
  dt: orPublished(number(1e-4, 60, "Time of a step, seconds."), "0.1", "0.02"),
  substeps: orPublished(integer(1, 100, "Steps of the motion within a step."), "2", "1"),
  burnIn: integer(0, 200, "Steps before the first position.").default(20),
  speed: orPublished(number(1e-4, 1e3, "Rayleigh scale of the speed, m/s."), "0.2", "0.26 π"),
  turnStd: orPublished(number(0, LARGE, "Standard deviation of the rotational velocity, degrees/s."), "120", "660"),
  turnTau: positive(LARGE, "ratInABox: time constant of the rotational velocity, seconds.").default(rat.turnTau),
  speedTau: positive(LARGE, "ratInABox: time constant of the speed, seconds.").default(rat.speedTau),
  wallDistance: orPublished(metres(1e-3, "Distance at which a wall begins to act"), "0.1", "0.03"),
  wallStrength: number(0, 1e3, "ratInABox: how strongly walls repel; 0 = they only reflect.").default(rat.wallStrength),
  thigmotaxis: number(0, 1, "ratInABox: tendency to linger at walls.").default(rat.thigmotaxis),
  wallSlowing: number(0, 1, "predecessor: factor on the speed of who faces a near wall.").default(
    predecessor.wallSlowing,
  ),
  drift: number(0, 1, 'Share of the way to the anchor that every step adds; 0.05 makes "biased" paths.').default(0),
  anchor: point("").nullable().describe("Where drift leads to, metres; null: the middle of the box.").default(null),
};

const headDirection = {
  kind: kind("headDirection"),
  ...COMMON_TASK,
  directions: choice(["oneWay", "twoWay"], 'Counter-clockwise turns only ("biased"), or both ways.').default("twoWay"),
  dt: number(1e-4, 60, "Time of a step, seconds.").default(headDirectionTask("twoWay").dt),
  turnStd: number(1e-3, LARGE, "Standard deviation of the angular velocity, degrees/s.").default(
    headDirectionTask("twoWay").turnStd,
  ),
};

function dataFile(meaning: string, endings = ".npz") {
  const error = `must be the path of a ${endings} file`;
  return z
    .string({ error })
    .min(1, { error })
    .max(4096, { error })
    .describe(`${meaning}; relative to the configuration file, or to where the command runs.`);
}

const testShare = number(0, 0.9, "Share of the trials that training never sees; 0: the test draws from all.").default(
  0.2,
);

const file = {
  kind: kind("file"),
  ...COMMON_TASK,
  path: dataFile("Recorded paths: .npz or .csv", ".npz or .csv"),
  dt: number(1e-4, 3600, "Time of a step, seconds: recordings are resampled to it.").default(RAT_IN_A_BOX.dt),
  rate: number(1e-3, LARGE, "")
    .nullable()
    .describe("Samples a second of a recording without times, hertz; null: it must have times.")
    .default(null),
  largestGap: positive(LARGE, "Longest time between two samples that is bridged, seconds.").default(0.5),
  testShare,
  shortTrials: choice(["refuse", "skip"], "What happens to a trial of fewer than steps + 1 samples.").default("refuse"),
  stepLength: metres(1e-6, "")
    .nullable()
    .describe("Scale of the input, metres; null: the mean length of a step.")
    .default(null),
};

const tensors = {
  kind: kind("tensors"),
  ...COMMON_TASK,
  steps: integer(0, 65536, "T: steps of a trial that are used, from its first; 0: all that the file has.").default(0),
  maskEvery: maskEvery.default(1),
  path: dataFile("Trials, stored .npz: u (trials, T, I), e0 (trials, E), target (trials, T, O), perhaps mask"),
  testShare,
};

const KINDS = ["tmaze", "triangle", "ou", "polyline", "box", "headDirection", "file", "tensors"];

export const taskSchema = z
  .discriminatedUnion(
    "kind",
    [
      record(
        {
          kind: kind("tmaze"),
          ...COMMON_TASK,
          stepLength: stepLength.default(tmaze.stepLength),
          ...gait(tmaze),
        },
        "T-maze: stem of 1.5 m, arms of 1 m; the animal waits at the end of an arm.",
      ),
      record(
        {
          kind: kind("triangle"),
          ...COMMON_TASK,
          directions: choice(["oneWay", "twoWay"], "Counter-clockwise only, or both ways.").default("twoWay"),
          stepLength: stepLength.default(triangle.stepLength),
          ...gait(triangle),
        },
        "Laps of an equilateral triangle of circumradius 1 m.",
      ),
      record(
        {
          kind: kind("ou"),
          ...COMMON_TASK,
          start: point("Mean of the first position, metres.").default([ou.start[0], ou.start[1]]),
          startStd: metres(0, "Standard deviation of the first position").default(ou.startStd),
          pull: number(0, 1, "θ: share of the position lost per step.").default(ou.pull),
          pathStd: metres(1e-6, "q: standard deviation of the path noise per step").default(ou.pathStd),
        },
        "Ornstein–Uhlenbeck path of the score theory.",
      ),
      record(
        {
          kind: kind("polyline"),
          ...COMMON_TASK,
          routes: listOf(
            listOf(point("Corner, metres."), 2, 8, "corners [x, y]", "Corners of a route in order, metres."),
            1,
            4,
            "routes",
            "One route is drawn per trajectory; all have the same number of corners.",
          ),
          closed: boolean("Return to the first corner and go on, rather than wait at the last.").default(false),
          starts: integer(1, 65536, "Equally spaced starting points along a closed route.").default(1),
          stepLength,
          ...gait(tmaze),
        },
        "Your own maze of straight segments.",
      ),
      record(box, "A rat in a rectangular box, from (0, 0) to (width, height)."),
      record(headDirection, "Head direction: angular velocity in, a point of the unit circle out."),
      record(file, "Paths that somebody recorded."),
      record(tensors, "Trials of tensors that mean anything."),
    ],
    {
      error: (issue) =>
        issue.code === "invalid_union"
          ? `must be one of ${KINDS.map((k) => `"${k}"`).join(", ")}`
          : "must be an object",
    },
  )
  .describe("What the animal does, and how much of it the network sees.");
