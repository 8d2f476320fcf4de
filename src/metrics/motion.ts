import type { Geometry } from "./geometry.ts";
import { mean } from "./statistics.ts";
import { lagInSamples, someRows, type Trajectories } from "./trajectories.ts";

/** Math.hypot guards against overflow at twenty times the price. */
const distance = (dx: number, dy: number): number => Math.sqrt(dx * dx + dy * dy);

/** Σ_t |x_{t+1} − x_t| of a row, metres, averaged over rows. Readout noise dominates it: prefer `speedAtLag`. */
export function pathLength(t: Trajectories): number {
  return t.steps < 2 ? 0 : meanStep(t, 1, distance) * (t.steps - 1);
}

/** Mean |x_{t+ℓ} − x_t| / ℓ over rows and time, metres per step. NaN where ℓ is not a whole number of samples. */
export function speedAtLag(t: Trajectories, lag = 5): number {
  return meanStep(t, lagInSamples(t, lag), distance) / lag;
}

/** Slope of log mean-squared displacement against log lag by least squares: 1 = diffusion, 2 = straight runs. */
export function msdExponent(t: Trajectories, lags: readonly number[] = [1, 2, 4, 8, 16]): number {
  const points = lags
    .map((lag) => [lag, meanStep(t, lagInSamples(t, lag), (dx, dy) => dx * dx + dy * dy)] as const)
    .filter(([, msd]) => msd > 0)
    .map(([lag, msd]) => [Math.log(lag), Math.log(msd)] as const);
  if (points.length < 2) return Number.NaN;
  const mx = mean(points.map((p) => p[0]));
  const my = mean(points.map((p) => p[1]));
  let xy = 0;
  let xx = 0;
  for (const [x, y] of points) {
    xy += (x - mx) * (y - my);
    xx += (x - mx) ** 2;
  }
  return xy / xx;
}

/** Mean over rows and time of a function of the displacement over `samples` samples; NaN where there is none. */
function meanStep(t: Trajectories, samples: number, of: (dx: number, dy: number) => number): number {
  if (samples < 1) return Number.NaN;
  let sum = 0;
  for (let r = 0; r < t.rows; r++) {
    for (let i = 0; i + samples < t.steps; i++) {
      const a = (r * t.steps + i) * 2;
      const b = a + samples * 2;
      const dx = (t.positions[b] as number) - (t.positions[a] as number);
      const dy = (t.positions[b + 1] as number) - (t.positions[a + 1] as number);
      sum += of(dx, dy);
    }
  }
  return sum / (t.rows * Math.max(0, t.steps - samples));
}

/** Rows without their own mean over time. */
function centred(t: Trajectories): Float64Array {
  const out = Float64Array.from(t.positions);
  for (let r = 0; r < t.rows; r++) {
    for (let k = 0; k < 2; k++) {
      let m = 0;
      for (let i = 0; i < t.steps; i++) m += out[(r * t.steps + i) * 2 + k] as number;
      m /= t.steps;
      for (let i = 0; i < t.steps; i++) {
        const at = (r * t.steps + i) * 2 + k;
        out[at] = (out[at] as number) - m;
      }
    }
  }
  return out;
}

/** Variance of a row over time (n − 1), x and y added, averaged over rows, m². NaN for a single sample. */
export function outputVariance(t: Trajectories): number {
  if (t.steps < 2) return Number.NaN;
  let sum = 0;
  for (const x of centred(t)) sum += x * x;
  return sum / ((t.steps - 1) * t.rows);
}

/** Σ x̃_{t+ℓ}·x̃_t / Σ |x̃_t|² over rows and time, each row's mean removed. NaN for rows that never move. */
export function autocorrelation(t: Trajectories, lag: number): number {
  const samples = lagInSamples(t, lag);
  if (samples < 1) return Number.NaN;
  const x = centred(t);
  let product = 0;
  let square = 0;
  for (let r = 0; r < t.rows; r++) {
    for (let i = 0; i < t.steps; i++) {
      for (let k = 0; k < 2; k++) {
        const at = (r * t.steps + i) * 2 + k;
        const value = x[at] as number;
        square += value * value;
        if (i + samples < t.steps) product += value * (x[at + samples * 2] as number);
      }
    }
  }
  return product / square;
}

/** Laps of each row about the centre: unwrapped angle / 2π, positive counter-clockwise. */
export function lapsPerRow(t: Trajectories, geometry: Geometry): Float64Array {
  const [cx, cy] = geometry.centre;
  const laps = new Float64Array(t.rows);
  for (let r = 0; r < t.rows; r++) {
    let turned = 0;
    let before = Number.NaN;
    for (let i = 0; i < t.steps; i++) {
      const at = (r * t.steps + i) * 2;
      const angle = Math.atan2((t.positions[at + 1] as number) - cy, (t.positions[at] as number) - cx) / (2 * Math.PI);
      if (i > 0) turned += angle - before - Math.round(angle - before);
      before = angle;
    }
    laps[r] = turned;
  }
  return laps;
}

/** A row has diverged beyond this many scales from the maze's centre; the same for sweeps (`limit` of path_stats.wgsl). */
const DIVERGED_SCALES = 10;

/** Whether a row leaves ten scales around the maze's centre, or the finite numbers, at any time. */
export function hasDiverged(t: Trajectories, row: number, geometry: Geometry): boolean {
  const limit = DIVERGED_SCALES * geometry.scale;
  for (let i = 0; i < t.steps; i++) {
    const at = (row * t.steps + i) * 2;
    const dx = (t.positions[at] as number) - geometry.centre[0];
    const dy = (t.positions[at + 1] as number) - geometry.centre[1];
    // Written so that NaN counts as outside.
    if (!(distance(dx, dy) <= limit)) return true;
  }
  return false;
}

/** The rows that did not diverge: a single one at 10³⁰ m would be all that the others' mean is about. */
export function soundRows(t: Trajectories, geometry: Geometry): Trajectories {
  return someRows(t, (row) => !hasDiverged(t, row, geometry));
}

/** Share of rows that diverged. */
export function divergedFraction(t: Trajectories, geometry: Geometry): number {
  return (t.rows - soundRows(t, geometry).rows) / t.rows;
}
