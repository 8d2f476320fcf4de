/** Every experiment of the reproduction, in the order in which it runs: what others build on comes first. */
import type { Experiment } from "../experiment.ts";
import { activations } from "./activations.ts";
import { adaptation } from "./adaptation.ts";
import { balance } from "./balance.ts";
import { leakage } from "./leakage.ts";

export const EXPERIMENTS: readonly Experiment<unknown>[] = [leakage, adaptation, balance, activations];
