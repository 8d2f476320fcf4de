import type { Disc, Geometry } from "./geometry.ts";
import { hasDiverged } from "./motion.ts";
import { mean, median } from "./statistics.ts";
import { duration, stepsBetweenSamples, type Trajectories } from "./trajectories.ts";

const isInside = (d: Disc, x: number, y: number): boolean => (x - d.x) ** 2 + (y - d.y) ** 2 < d.radius ** 2;

/** First step at which each row has arrived; Infinity = never. */
function firstStep(t: Trajectories, arrivedOf: (row: number) => (x: number, y: number) => boolean): Float64Array {
  const times = new Float64Array(t.rows).fill(Number.POSITIVE_INFINITY);
  for (let r = 0; r < t.rows; r++) {
    const arrived = arrivedOf(r);
    for (let i = 0; i < t.steps; i++) {
      const at = (r * t.steps + i) * 2;
      const [x, y] = [t.positions[at] as number, t.positions[at + 1] as number];
      if (arrived(x, y)) {
        times[r] = (i + 1) * stepsBetweenSamples(t);
        break;
      }
    }
  }
  return times;
}

/** First step at which each row lies in any of its goals. */
const firstStepInside = (t: Trajectories, goalsOf: (row: number) => readonly Disc[]): Float64Array =>
  firstStep(t, (row) => {
    const goals = goalsOf(row);
    return (x, y) => goals.some((d) => isInside(d, x, y));
  });

/** First step at which each row is farther than `radius` from its first position. */
const firstStepAway = (t: Trajectories, radius: number): Float64Array =>
  firstStep(t, (row) => {
    const at = row * t.steps * 2;
    const [x0, y0] = [t.positions[at] as number, t.positions[at + 1] as number];
    // Infinity has left, but it is no arrival.
    return (x, y) => Number.isFinite(x + y) && (x - x0) ** 2 + (y - y0) ** 2 > radius ** 2;
  });

/** The corner after the one nearest to a row's first position, in the direction of the first route. */
function nextCorner(t: Trajectories, row: number, corners: readonly Disc[]): Disc[] {
  const at = row * t.steps * 2;
  const distances = corners.map((c) =>
    Math.hypot((t.positions[at] as number) - c.x, (t.positions[at + 1] as number) - c.y),
  );
  const nearest = distances.indexOf(Math.min(...distances));
  const next = corners[(nearest + 1) % corners.length];
  return nearest < 0 || next === undefined ? [] : [next];
}

/**
 * Reach time of each row, steps; Infinity = never. Open mazes: any end. Closed: the next corner of the first route
 * (counter-clockwise on the triangle) after the one a row starts at. Boxes and rings: `leave` away from where it starts.
 */
export function reachTimes(t: Trajectories, geometry: Geometry): Float64Array {
  if (geometry.leave !== null) return firstStepAway(t, geometry.leave);
  return geometry.kind === "closed"
    ? firstStepInside(t, (row) => nextCorner(t, row, geometry.goals))
    : firstStepInside(t, () => geometry.goals);
}

/**
 * Reach times of replays, steps: a row that diverges never arrives. On its way out it passes goals, and leaves wherever it
 * started, sooner than any replay does.
 */
export const arrivalTimes = (t: Trajectories, geometry: Geometry): Float64Array =>
  neverWhereDiverged(reachTimes(t, geometry), t, geometry);

const neverWhereDiverged = (times: Float64Array, t: Trajectories, geometry: Geometry): Float64Array =>
  times.map((time, row) => (hasDiverged(t, row, geometry) ? Number.POSITIVE_INFINITY : time));

/** First step in the junction's disc, steps; Infinity = never, no junction, or a row that diverges. */
export function junctionTimes(t: Trajectories, geometry: Geometry): Float64Array {
  const goals = geometry.junction === null ? [] : [geometry.junction];
  return neverWhereDiverged(
    firstStepInside(t, () => goals),
    t,
    geometry,
  );
}

export interface ReachSummary {
  /** Steps; Infinity where half of the rows or more never arrive. */
  readonly median: number;
  /** Share of rows that arrive. */
  readonly fraction: number;
  /** E[min(t, T)], steps: never counts as T. */
  readonly restrictedMean: number;
}

export function summariseReach(times: Float64Array, t: Pick<Trajectories, "steps" | "every">): ReachSummary {
  const limit = duration(t);
  return {
    median: median(times),
    fraction: mean(times.map((x) => (Number.isFinite(x) ? 1 : 0))),
    restrictedMean: mean(times.map((x) => Math.min(x, limit))),
  };
}
