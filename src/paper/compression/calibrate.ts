/**
 * What the best scale means: awake paths that were held out are passed off as replays at known factors, and the line
 *
 *     log(scale found) = a + b log(factor)
 *
 * through what is found is inverted. Without it the scale is too small, by a tenth on mazes and a quarter in a box: short
 * pieces of path lie closer together than long ones, so that the nearest piece is more often a shorter one. Pure.
 */
import { mean, spreadIndices } from "../../metrics/statistics.ts";
import { type AwakeLibrary, movingPieces, type Paths, piecesOf, type TimeScale, timeScale } from "./time-scale.ts";

/** The paths as they would be `factor` times as fast, straight lines between their samples. */
export function spedUp(p: Paths, factor: number): Paths {
  const steps = Math.floor((p.steps - 1) / factor + 1e-9) + 1;
  const D = p.dimensions;
  const values = new Float64Array(p.rows * steps * D);
  for (let r = 0; r < p.rows; r++) {
    for (let t = 0; t < steps; t++) {
      const whole = Math.min(p.steps - 1, Math.floor(t * factor + 1e-9));
      const part = whole === p.steps - 1 ? 0 : Math.max(0, t * factor - whole);
      const at = (r * p.steps + whole) * D;
      for (let d = 0; d < D; d++) {
        const a = p.values[at + d] as number;
        const b = part > 0 ? (p.values[at + D + d] as number) : a;
        values[(r * steps + t) * D + d] = a + part * (b - a);
      }
    }
  }
  const until = p.until && Array.from(p.until, (end) => Math.min(steps, Math.ceil(end / factor)));
  return { values, rows: p.rows, steps, dimensions: D, ...(until ? { until } : {}) };
}

/** Steps of `error` in their own order on top of the paths, over and over: what a decoder adds does not run faster with them. */
export function withErrors(p: Paths, error: Paths): Paths {
  const D = p.dimensions;
  const values = Float64Array.from(p.values, (v, i) => {
    const [row, rest] = [Math.floor(i / (p.steps * D)), i % (p.steps * D)];
    const [t, d] = [Math.floor(rest / D), rest % D];
    const at = ((row % error.rows) * error.steps + (t % error.steps)) * D + d;
    return v + (error.values[at] as number);
  });
  return { ...p, values };
}

export interface FitSpec {
  /** Pieces that are laid along awake paths, at most. */
  readonly pieces: number;
  /** Share of an awake walk below which a piece stands. */
  readonly standing: number;
}

export interface Fit extends TimeScale {
  /** Share of the pieces that move. */
  readonly moving: number;
}

/** Steps between two pieces of a replay. */
const EVERY = 2;

/** The scale at which replays lie along awake paths, not calibrated. */
export function fitScale(replay: Paths, library: AwakeLibrary, { pieces, standing }: FitSpec): Fit {
  const all = piecesOf(replay, library.length, EVERY);
  const moving = movingPieces(replay, all, library.length, standing * library.walk);
  const some = Array.from(spreadIndices(moving.length, pieces), (i) => moving[i] as (typeof moving)[number]);
  return { ...timeScale(replay, some, library), moving: moving.length / all.length };
}

export interface Calibration {
  readonly factors: readonly number[];
  /** The scale found at each. */
  readonly found: readonly number[];
  readonly intercept: number;
  readonly slope: number;
}

/** @param error of the decoder, step by step; null where it is part of `heldOut` */
export function calibrate(
  heldOut: Paths,
  error: Paths | null,
  library: AwakeLibrary,
  spec: FitSpec,
  factors: readonly number[],
): Calibration {
  const found = factors.map((factor) => {
    const faster = spedUp(heldOut, factor);
    return fitScale(error === null ? faster : withErrors(faster, error), library, spec).scale;
  });
  const [x, y] = [factors.map(Math.log), found.map(Math.log)];
  const [mx, my] = [mean(x), mean(y)];
  const slope =
    x.reduce((s, v, i) => s + (v - mx) * ((y[i] as number) - my), 0) / x.reduce((s, v) => s + (v - mx) ** 2, 0);
  return { factors, found, intercept: my - slope * mx, slope };
}

/** Below it twice the speed looks less than √2 times as fast: the paths are too noisy to tell. */
export const LEAST_SLOPE = 0.5;

/** The factor that a scale stands for; NaN where the scale tells nothing. */
export const calibrated = (scale: number, { intercept, slope }: Calibration): number =>
  slope >= LEAST_SLOPE ? Math.exp((Math.log(scale) - intercept) / slope) : Number.NaN;
