import type { Disc, Geometry } from "./geometry.ts";
import { mean } from "./statistics.ts";
import type { Trajectories } from "./trajectories.ts";

/** Shannon entropy of counts, nats; 0 where nothing was counted. */
export function entropy(counts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] as number;
  let h = 0;
  for (let i = 0; i < counts.length; i++) {
    const p = (counts[i] as number) / total;
    if (p > 0) h -= p * Math.log(p);
  }
  return h;
}

export interface RegionSummary {
  /** Mean number of different regions that a row visits. */
  readonly distinct: number;
  /** Mean of 1 + changes of region, steps between regions ignored; 0 for a row that visits none. */
  readonly entries: number;
  /** Share of rows that visit at least two ends; NaN where the maze has fewer. */
  readonly bothArms: number;
  /** Entropy of a row's steps over regions / log(number of regions), averaged over rows. */
  readonly occupancyEntropy: number;
}

/** Visits to the discs of `geometry.regions`; where discs overlap, the nearest centre counts. */
export function regionVisits(t: Trajectories, geometry: Geometry): RegionSummary {
  const { regions, ends } = geometry;
  if (regions.length === 0 || t.rows === 0) {
    return {
      distinct: Number.NaN,
      entries: Number.NaN,
      bothArms: Number.NaN,
      occupancyEntropy: Number.NaN,
    };
  }
  const sum = { distinct: 0, entries: 0, bothArms: 0, entropy: 0 };
  for (let r = 0; r < t.rows; r++) {
    const counts = new Float64Array(regions.length);
    let before = -1;
    for (let i = 0; i < t.steps; i++) {
      const at = (r * t.steps + i) * 2;
      const [x, y] = [t.positions[at] as number, t.positions[at + 1] as number];
      let label = -1;
      let nearest = Number.POSITIVE_INFINITY;
      for (let k = 0; k < regions.length; k++) {
        const d = regions[k] as Disc;
        const squared = (x - d.x) ** 2 + (y - d.y) ** 2;
        if (squared < d.radius ** 2 && squared < nearest) {
          nearest = squared;
          label = k;
        }
      }
      if (label < 0) continue;
      counts[label] = (counts[label] as number) + 1;
      if (label !== before) sum.entries++;
      before = label;
    }
    sum.distinct += counts.filter((c) => c > 0).length;
    if (ends.filter((k) => (counts[k] as number) > 0).length >= 2) sum.bothArms++;
    sum.entropy += entropy(counts);
  }
  return {
    distinct: sum.distinct / t.rows,
    entries: sum.entries / t.rows,
    bothArms: ends.length >= 2 ? sum.bothArms / t.rows : Number.NaN,
    occupancyEntropy: sum.entropy / t.rows / Math.log(regions.length),
  };
}

export interface CoverageSummary {
  /** Mean number of different cells that a row visits. */
  readonly cells: number;
  /** Entropy of all rows' steps over cells / log(number of cells). */
  readonly entropy: number;
  /** Steps per cell, row-major from the box's lower left corner: the occupancy map. */
  readonly counts: Float64Array;
}

/** Coverage of the box's grid; positions outside the box count nowhere. */
export function coverage(t: Trajectories, geometry: Geometry): CoverageSummary {
  const { x: x0, y: y0, side, cells } = geometry.box;
  const counts = new Float64Array(cells * cells);
  const lastRow = new Int32Array(cells * cells).fill(-1);
  let visited = 0;
  for (let r = 0; r < t.rows; r++) {
    for (let i = 0; i < t.steps; i++) {
      const at = (r * t.steps + i) * 2;
      const column = Math.floor((((t.positions[at] as number) - x0) / side) * cells);
      const line = Math.floor((((t.positions[at + 1] as number) - y0) / side) * cells);
      if (!(column >= 0 && column < cells && line >= 0 && line < cells)) continue;
      const cell = line * cells + column;
      counts[cell] = (counts[cell] as number) + 1;
      if (lastRow[cell] !== r) visited++;
      lastRow[cell] = r;
    }
  }
  return {
    cells: visited / t.rows,
    entropy: entropy(counts) / Math.log(cells * cells),
    counts,
  };
}

/** Share of the track's bins that each row comes close to: the exploration that does not reward leaving the maze. */
export function trackCoverage(t: Trajectories, geometry: Geometry): Float64Array {
  const { bins, binRadius } = geometry;
  const shares = new Float64Array(t.rows);
  for (let r = 0; r < t.rows; r++) {
    const seen = new Uint8Array(bins.length);
    for (let i = 0; i < t.steps; i++) {
      const at = (r * t.steps + i) * 2;
      const [x, y] = [t.positions[at] as number, t.positions[at + 1] as number];
      for (let b = 0; b < bins.length; b++) {
        const [bx, by] = bins[b] as readonly [number, number];
        if (seen[b] === 0 && (x - bx) ** 2 + (y - by) ** 2 < binRadius ** 2) seen[b] = 1;
      }
    }
    shares[r] = mean(seen);
  }
  return shares;
}

/** Mean distance to the nearest point of the maze, metres; NaN where there is no maze. */
export function offPathDistance(t: Trajectories, geometry: Geometry): number {
  const { segments } = geometry;
  if (segments.length === 0) return Number.NaN;
  let sum = 0;
  for (let i = 0; i < t.rows * t.steps; i++) {
    const [x, y] = [t.positions[i * 2] as number, t.positions[i * 2 + 1] as number];
    let nearest = Number.POSITIVE_INFINITY;
    for (const [[ax, ay], [bx, by]] of segments) {
      const [ex, ey] = [bx - ax, by - ay];
      // A corner that stands twice in a route makes an edge of no length.
      const f = ((x - ax) * ex + (y - ay) * ey) / (ex * ex + ey * ey || 1);
      const g = Math.min(1, Math.max(0, f));
      nearest = Math.min(nearest, (x - ax - g * ex) ** 2 + (y - ay - g * ey) ** 2);
    }
    sum += Math.sqrt(nearest);
  }
  return sum / (t.rows * t.steps);
}
