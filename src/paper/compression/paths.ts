/** What comes back from the GPU as paths: positions, and the activity of place cells on its principal components. Pure. */
import { symmetricEigen } from "../../metrics/linear-algebra.ts";
import { spreadIndices } from "../../metrics/statistics.ts";
import type { Trajectories } from "../../metrics/trajectories.ts";
import type { Paths } from "./time-scale.ts";

export const pathsOf = (t: Trajectories): Paths => ({
  values: t.positions,
  rows: t.rows,
  steps: t.steps,
  dimensions: 2,
});

/** Rows [from, to) of one network of a (network, time, row, dimension) tensor; `skip` leading time slots are left out. */
export function rowsOf(
  tensor: Float32Array,
  shape: { readonly network: number; readonly steps: number; readonly rows: number; readonly dimensions: number },
  from: number,
  to: number,
  skip = 0,
): Paths {
  const { network, steps, rows, dimensions: D } = shape;
  const kept = steps - skip;
  const values = new Float64Array((to - from) * kept * D);
  for (let r = from; r < to; r++) {
    for (let t = 0; t < kept; t++) {
      const at = ((network * steps + t + skip) * rows + r) * D;
      values.set(tensor.subarray(at, at + D), ((r - from) * kept + t) * D);
    }
  }
  return { values, rows: to - from, steps: kept, dimensions: D };
}

export const minus = (a: Paths, b: Paths): Paths => ({
  ...a,
  values: Float64Array.from(a.values, (x, i) => x - (b.values[i] as number)),
});

/** Samples that the covariance is made of. */
const SAMPLES = 1024;

/** (component, dimension): directions in which the activity varies most. */
export function components(p: Paths, count: number): Float64Array {
  const D = p.dimensions;
  const chosen = spreadIndices(p.rows * p.steps, SAMPLES);
  const centre = new Float64Array(D);
  for (const i of chosen)
    for (let d = 0; d < D; d++) centre[d] = (centre[d] as number) + (p.values[i * D + d] as number) / chosen.length;
  const covariance = new Float64Array(D * D);
  for (const i of chosen) {
    for (let a = 0; a < D; a++) {
      const x = ((p.values[i * D + a] as number) - (centre[a] as number)) / chosen.length;
      for (let b = 0; b < D; b++) {
        covariance[a * D + b] =
          (covariance[a * D + b] as number) + x * ((p.values[i * D + b] as number) - (centre[b] as number));
      }
    }
  }
  return symmetricEigen(covariance, D).vectors.slice(0, Math.min(count, D) * D);
}

/** Coordinates along the components. Distances between them are distances in activity, but for what is left out. */
export function projected(p: Paths, directions: Float64Array): Paths {
  const [D, C] = [p.dimensions, directions.length / p.dimensions];
  const values = new Float64Array(p.rows * p.steps * C);
  for (let i = 0; i < p.rows * p.steps; i++) {
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let d = 0; d < D; d++) sum += (directions[c * D + d] as number) * (p.values[i * D + d] as number);
      values[i * C + c] = sum;
    }
  }
  return { ...p, values, dimensions: C };
}
