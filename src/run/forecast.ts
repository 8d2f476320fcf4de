/** How long work will take, from its arithmetic and the pace of an adapter's kind. For forecasts alone: nothing depends on them. */
import { availableParallelism } from "node:os";
import type { Pass } from "../gpu/plan.ts";
import { durationText } from "../report/format.ts";

/** FLOP/s of a software adapter, a core: what the table of the presets' costs comes to. Small networks leave lanes idle. */
const CORE = { training: { small: 1e10, large: 1.6e10 }, rollouts: { small: 5e9, large: 1e10 } } as const;
/** FLOP/s of a GPU, a guess. */
const GPU = { training: 5e11, rollouts: 1e12 } as const;
const SMALL_UNITS = 64;

export type Work = keyof typeof GPU;

export interface Pace {
  readonly flopsPerSecond: number;
  /** For people: where the number comes from. */
  readonly restsOn: string;
}

export function paceOf(software: boolean, work: Work, units: number, cores = availableParallelism()): Pace {
  if (!software) {
    return { flopsPerSecond: GPU[work], restsOn: `a guessed ${GPU[work] / 1e9} GFLOP/s: no GPU was measured yet` };
  }
  const core = CORE[work][units <= SMALL_UNITS ? "small" : "large"];
  return {
    flopsPerSecond: core * cores,
    restsOn: `${core / 1e9} GFLOP/s on each of ${cores} ${cores === 1 ? "core" : "cores"}, as measured with the presets on another machine`,
  };
}

export const flopsOf = (passes: readonly Pass[]): number =>
  passes.reduce((sum, p) => sum + (p.kind === "dispatch" ? (p.flops ?? 0) : 0), 0);

export interface Forecast extends Pace {
  readonly iterations: number;
  readonly flopsPerIteration: number;
  /** Of all iterations; compiling and the test left out. */
  readonly seconds: number;
}

export function forecastTraining(passes: readonly Pass[], iterations: number, pace: Pace): Forecast {
  const flopsPerIteration = flopsOf(passes);
  return { ...pace, iterations, flopsPerIteration, seconds: (flopsPerIteration * iterations) / pace.flopsPerSecond };
}

/** A line of `train --plan`. */
export const describeForecast = (f: Forecast): string =>
  `estimate: about ${durationText(f.seconds)} for ${f.iterations} iterations of ${(f.flopsPerIteration / 1e9).toPrecision(2)} GFLOP when nothing else runs (${f.restsOn}); progress tells the time left`;
