/** Draws what the learners see, for every dimension and number of samples, and measures their errors at every time. */
import type { PathTask } from "../../task/paths.ts";
import { bestConstantGain, excessOfConstantGain, excessOfConstantWithoutLeak } from "../../theory/constant-gain.ts";
import { Draws } from "../../theory/draws.ts";
import { type Moments, ouPath, pathMoments } from "../../theory/gaussian-path.ts";
import { type Matrix, trace, zeros } from "../../theory/matrix.ts";
import { gain } from "../../theory/noisy-states.ts";
import { scatterFactor } from "../../theory/wishart.ts";
import type { Protocol } from "../protocol.ts";
import { type Errors, errorsOf, whiteDraw } from "./learners.ts";
import { columnsOf, type EstimationCell, type EstimationResult } from "./result.ts";

/** g along d of H axes. */
function readoutAlongAxes(d: number, H: number, g: number): Matrix {
  const out = zeros(d, H);
  for (let i = 0; i < d; i++) out.data[i * H + i] = g;
  return out;
}

export interface SampleOptions {
  readonly seed: number;
  readonly task: Extract<PathTask, { kind: "ou" }>;
  /** T of the task. */
  readonly steps: number;
  readonly protocol: Protocol["estimation"];
  /** After each draw, between which others may run: how many are done. */
  readonly onDraw: (done: number) => Promise<void>;
}

export async function sampleEstimates(o: SampleOptions): Promise<EstimationResult> {
  const { dimensions, samples, times, repeats, noiseStd, readoutScale } = o.protocol;
  const path = pathMoments(ouPath(o.task), o.steps);
  const d = o.task.start.length;
  const variance = (t: number): number => (path[t] as Moments).covariance.data[0] as number;
  const sizes = dimensions.flatMap((dimension) => samples.map((n) => ({ dimension, samples: n })));
  const cells: EstimationCell[] = [];
  let done = 0;
  for (const [s, size] of sizes.entries()) {
    const errors: Errors[][] = times.map(() => []);
    for (let i = 0; i < repeats; i++) {
      if (size.samples > size.dimension + d) {
        const factor = scatterFactor(size.dimension + d, size.samples, new Draws(o.seed, s * 65536 + i));
        const white = whiteDraw(factor, d, size.samples);
        times.forEach((t, at) => {
          const setting = {
            pathDimension: d,
            dimension: size.dimension,
            variance: variance(t),
            noiseStd,
            readoutScale,
          };
          errors[at]?.push(errorsOf(white, setting));
        });
      }
      await o.onDraw(++done);
    }
    times.forEach((time, at) => {
      cells.push({ ...size, time, errors: columnsOf(errors[at] as Errors[]) });
    });
  }
  const plane = { matrix: readoutAlongAxes(d, d, readoutScale), noiseStd };
  return {
    pathDimension: d,
    cells,
    gains: path.map((m) => trace(gain(m, plane)) / d),
    constant: o.protocol.horizons.map((steps) => {
      const times = path.slice(0, steps);
      return {
        steps,
        gain: trace(bestConstantGain(times, plane)) / d,
        excess: excessOfConstantGain(times, plane),
        withoutLeak: dimensions.map((dimension) => {
          const states = { matrix: readoutAlongAxes(d, dimension, readoutScale), noiseStd };
          return { dimension, excess: excessOfConstantWithoutLeak(times, states, d) };
        }),
      };
    }),
  };
}
