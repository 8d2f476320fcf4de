import { mean, quantileSorted, sortInPlace } from "./statistics.ts";

/**
 * Sliced Wasserstein distance between two clouds of points: the mean over directions of the one-dimensional W_p of
 * the projections, from their quantile functions (model.md section 8).
 */
const DIRECTIONS = 64;
const QUANTILES = 512;

/** Quantiles of a cloud's projections, (direction, quantile): the part that is reused for every comparison. */
export type SlicedQuantiles = readonly Float64Array[];

/** `points`: metres, (point, 2). */
export function slicedQuantiles(points: Float32Array | Float64Array): SlicedQuantiles {
  const n = points.length / 2;
  const projection = new Float64Array(n);
  return Array.from({ length: DIRECTIONS }, (_, j) => {
    const theta = (Math.PI * (j + 0.5)) / DIRECTIONS;
    const [cx, cy] = [Math.cos(theta), Math.sin(theta)];
    for (let i = 0; i < n; i++) {
      projection[i] = cx * (points[i * 2] as number) + cy * (points[i * 2 + 1] as number);
    }
    sortInPlace(projection);
    return Float64Array.from({ length: QUANTILES }, (_, i) => quantileSorted(projection, (i + 0.5) / QUANTILES));
  });
}

/** Metres; NaN where a cloud is empty. */
export function slicedWasserstein(a: SlicedQuantiles, b: SlicedQuantiles, p = 1): number {
  return mean(
    a.map((qa, j) => {
      const qb = b[j] as Float64Array;
      return mean(qa.map((x, i) => Math.abs(x - (qb[i] as number)) ** p)) ** (1 / p);
    }),
  );
}
