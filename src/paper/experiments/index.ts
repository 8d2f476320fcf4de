/** Every experiment of the reproduction, in the order in which it runs: what others build on comes first. */
import type { Experiment } from "../experiment.ts";
import { activations } from "./activations.ts";
import { adaptation } from "./adaptation.ts";
import { balance } from "./balance.ts";
import { compression } from "./compression.ts";
import { estimation } from "./estimation.ts";
import { leakage } from "./leakage.ts";
import { markov } from "./markov.ts";
import { momentum } from "./momentum.ts";
import { score } from "./score.ts";
import { stability } from "./stability.ts";

export const EXPERIMENTS: readonly Experiment<unknown>[] = [
  score,
  estimation,
  leakage,
  adaptation,
  markov,
  momentum,
  stability,
  compression,
  balance,
  activations,
];
