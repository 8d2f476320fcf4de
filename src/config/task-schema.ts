/** What the animal does: one record of options per kind of task, with units and defaults. */
import * as z from "zod";
import { ouTask, tmazeTask, triangleTask } from "../task/paths.ts";
import { boolean, choice, integer, listOf, metres, number, point, record } from "./fields.ts";

export const maskEvery = integer(1, 2 ** 24, "Input is visible at every k-th step; 1 = always.");

export const COMMON_TASK = {
  steps: integer(1, 65536, "T: steps of an awake trajectory.").default(60),
  maskEvery: maskEvery.default(5),
  maskOffset: choice(
    ["random", "fixed"],
    "First visible step: drawn per trajectory from 0 … maskEvery − 1, or always 0.",
  ).default("random"),
};

const gait = (defaults: { stepLength?: number; speedStd: number; jitterStd: number; jitterTau: number }) => ({
  speedStd: number(0, 1, "Relative spread of a trajectory's speed, clipped to [0.5, 1.5].").default(defaults.speedStd),
  jitterStd: metres(0, "Standard deviation of the stationary jitter around the path").default(defaults.jitterStd),
  jitterTau: number(1, 1e9, "Time constant of the jitter, steps.").default(defaults.jitterTau),
});

const stepLength = metres(1e-6, "Mean length of a step, which is also the scale of the input");
const tmaze = tmazeTask();
const triangle = triangleTask("twoWay");
const ou = ouTask();

export const taskSchema = z
  .discriminatedUnion(
    "kind",
    [
      record(
        {
          kind: z.literal("tmaze"),
          ...COMMON_TASK,
          stepLength: stepLength.default(tmaze.stepLength),
          ...gait(tmaze),
        },
        "T-maze: stem of 1.5 m, arms of 1 m; the animal waits at the end of an arm.",
      ),
      record(
        {
          kind: z.literal("triangle"),
          ...COMMON_TASK,
          directions: choice(["oneWay", "twoWay"], "Counter-clockwise only, or both ways.").default("twoWay"),
          stepLength: stepLength.default(triangle.stepLength),
          ...gait(triangle),
        },
        "Laps of an equilateral triangle of circumradius 1 m.",
      ),
      record(
        {
          kind: z.literal("ou"),
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
          kind: z.literal("polyline"),
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
    ],
    {
      error: (issue) =>
        issue.code === "invalid_union" ? 'must be one of "tmaze", "triangle", "ou", "polyline"' : "must be an object",
    },
  )
  .describe("What the animal does, and how much of it the network sees.");
