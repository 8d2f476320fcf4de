/** Seconds, not science: two networks of 8 units, so that a whole run fits into a test. */
import type { ConfigInput } from "../schema.ts";
import { network, training } from "./common.ts";
import { tmaze } from "./tmaze.ts";

export const tiny = {
  ...tmaze,
  name: "tiny",
  seeds: [0, 1],
  rnn: { ...network, units: 8 },
  // Nine steps reach the end of an arm, so that even twelve steps show the whole maze.
  task: { ...tmaze.task, steps: 12, stepLength: 2.5 / 9 },
  train: { ...training, batch: 8, iterations: 20 },
  test: { trajectories: 32 },
  replay: { ...tmaze.replay, steps: 24, repeats: 4 },
} satisfies ConfigInput;
