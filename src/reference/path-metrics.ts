/** Metrics of decoded paths in float64, straight from their definitions; witness of `shaders/metrics/*.wgsl`. */
import type { Disc, Geometry, Point } from "../metrics/geometry.ts";
import type { RowMetricValues, SummaryMetricValues } from "../sweep/path-records.ts";

/** Directions of the sliced distance, points that a density stands for at most, its floor in m⁻². */
const DIRECTIONS = 64;
const MOST_POINTS = 2000;
const FLOOR = 1e-12;
const DIVERGED_SCALES = 10;

const away = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);
const isInside = (p: Point, d: Disc): boolean => away(p, [d.x, d.y]) < d.radius;
const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
/** Step (from 1 on) of the first position that is so; Infinity = never. */
const firstStep = (path: readonly Point[], is: (p: Point) => boolean): number =>
  path.findIndex(is) + 1 || Number.POSITIVE_INFINITY;

function goalsOf(start: Point, g: Geometry): readonly Disc[] {
  if (g.kind !== "closed") return g.goals;
  const distances = g.goals.map((d) => away(start, [d.x, d.y]));
  const nearest = distances.indexOf(Math.min(...distances));
  return nearest < 0 ? [] : [g.goals[(nearest + 1) % g.goals.length] as Disc];
}

/** Index of the nearest region that holds p, −1 for none. */
function regionAt(p: Point, regions: readonly Disc[]): number {
  const holding = regions.map((d, k) => ({ k, distance: away(p, [d.x, d.y]), inside: isInside(p, d) }));
  const found = holding.filter((h) => h.inside).sort((a, b) => a.distance - b.distance || a.k - b.k)[0];
  return found?.k ?? -1;
}

function distanceToMaze(p: Point, g: Geometry): number {
  const distances = g.segments.map(([a, b]) => {
    const edge: Point = [b[0] - a[0], b[1] - a[1]];
    // A corner that stands twice in a route makes an edge of no length.
    const square = edge[0] ** 2 + edge[1] ** 2 || 1;
    const f = ((p[0] - a[0]) * edge[0] + (p[1] - a[1]) * edge[1]) / square;
    const along = Math.min(1, Math.max(0, f));
    return away(p, [a[0] + along * edge[0], a[1] + along * edge[1]]);
  });
  return Math.min(...distances);
}

/** Cell of the coverage grid, −1 outside. */
export function cellAt(p: Point, { x, y, side, cells }: Geometry["box"]): number {
  const column = Math.floor(((p[0] - x) / side) * cells);
  const line = Math.floor(((p[1] - y) / side) * cells);
  return column >= 0 && column < cells && line >= 0 && line < cells ? line * cells + column : -1;
}

function lapsOf(path: readonly Point[], [cx, cy]: Point): number {
  // + 0 makes −0 of it 0: the angle of the centre itself is 0.
  const turns = path.map(([x, y]) => Math.atan2(y - cy + 0, x - cx + 0) / (2 * Math.PI));
  let sum = 0;
  for (let i = 1; i < turns.length; i++) {
    const change = (turns[i] as number) - (turns[i - 1] as number);
    sum += change - Math.floor(change + 0.5);
  }
  return sum;
}

export function entropyReference(counts: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.reduce((h, c) => (c > 0 ? h - (c / total) * Math.log(c / total) : h), 0);
}

/** Metrics of the path x_1 … x_T, metres; `ROW_METRICS` defines them. */
export function rowMetricsReference(path: readonly Point[], g: Geometry): RowMetricValues {
  const T = path.length;
  const limit = DIVERGED_SCALES * g.scale;
  // Not ">": a position that is not a number has diverged, too.
  const divergedAt = firstStep(path, (p) => !(away(p, g.centre) <= limit));
  const goals = goalsOf(path[0] as Point, g);
  const { junction } = g;
  const { leave } = g;
  const reach =
    leave === null
      ? firstStep(path, (p) => goals.some((d) => isInside(p, d)))
      : // Infinity has left, but it is no arrival.
        firstStep(path, (p) => Number.isFinite(away(p, g.centre)) && away(p, path[0] as Point) > leave);
  const arrivals = {
    reach: g.goals.length === 0 && leave === null ? Number.NaN : reach,
    junction: junction === null ? Number.NaN : firstStep(path, (p) => isInside(p, junction)),
    diverged: Number.isFinite(divergedAt) ? 1 : 0,
    diverged_at: divergedAt,
  };
  const lagged = (lag: number, power: number): number =>
    average(path.slice(lag).map((p, i) => away(p, path[i] as Point) ** power));
  const middle: Point = [average(path.map((p) => p[0])), average(path.map((p) => p[1]))];
  const centred = path.map((p): Point => [p[0] - middle[0], p[1] - middle[1]]);
  const covariance = (lag: number): number =>
    centred.slice(lag).reduce((sum, p, i) => {
      const q = centred[i] as Point;
      return sum + p[0] * q[0] + p[1] * q[1];
    }, 0) /
    (T - 1);
  const labels = path.map((p) => regionAt(p, g.regions)).filter((k) => k >= 0);
  const has = { regions: g.regions.length > 0, arms: g.ends.length >= 2, track: g.bins.length > 0 };
  const laps = g.kind === "closed" || g.kind === "ring" ? lapsOf(path, g.centre) : Number.NaN;
  const moves = {
    speed5: lagged(5, 1) / 5,
    path_length: T < 2 ? 0 : lagged(1, 1) * (T - 1),
    msd1: lagged(1, 2),
    msd2: lagged(2, 2),
    msd4: lagged(4, 2),
    msd8: lagged(8, 2),
    msd16: lagged(16, 2),
    autocovariance10: T > 10 ? covariance(10) : Number.NaN,
    output_variance: T > 1 ? covariance(0) : Number.NaN,
    laps,
    abs_laps: Math.abs(laps),
    track: has.track ? average(g.bins.map((b) => Number(path.some((p) => away(p, b) < g.binRadius)))) : Number.NaN,
    cells: new Set(path.map((p) => cellAt(p, g.box)).filter((c) => c >= 0)).size,
    regions: has.regions ? new Set(labels).size : Number.NaN,
    entries: has.regions ? labels.filter((k, i) => k !== labels[i - 1]).length : Number.NaN,
    both_arms: has.arms ? Number(g.ends.filter((k) => labels.includes(k)).length >= 2) : Number.NaN,
    occupancy_entropy: has.regions
      ? entropyReference(g.regions.map((_, k) => labels.filter((l) => l === k).length)) / Math.log(g.regions.length)
      : Number.NaN,
    offpath: g.segments.length > 0 ? average(path.map((p) => distanceToMaze(p, g))) : Number.NaN,
  };
  const lost = Object.fromEntries(Object.keys(moves).map((name) => [name, Number.NaN])) as typeof moves;
  return { ...arrivals, ...(arrivals.diverged === 1 ? lost : moves) };
}

/** Steps per cell, line by line, of the paths that did not diverge. */
export function occupancyReference(paths: readonly (readonly Point[])[], g: Geometry): number[] {
  const counts = Array.from({ length: g.box.cells ** 2 }, () => 0);
  for (const path of paths) {
    if (rowMetricsReference(path, g).diverged === 1) continue;
    for (const p of path) {
      const cell = cellAt(p, g.box);
      if (cell >= 0) counts[cell] = (counts[cell] as number) + 1;
    }
  }
  return counts;
}

/** A cloud of cells: the centres with steps, metres from the corner of the grid, and their shares. */
interface BinnedCloud {
  readonly steps: number;
  readonly points: readonly { readonly x: number; readonly y: number; readonly share: number }[];
}

function binnedCloud(counts: readonly number[], box: Geometry["box"]): BinnedCloud {
  const steps = counts.reduce((a, b) => a + b, 0);
  const width = box.side / box.cells;
  const points = counts.map((c, i) => ({
    x: ((i % box.cells) + 0.5) * width,
    y: (Math.floor(i / box.cells) + 0.5) * width,
    share: c / steps,
  }));
  return { steps, points: points.filter((p) => p.share > 0) };
}

/** W₁ of two weighted sets of numbers: ∫ |F − G|. */
function distanceOnLine(a: readonly [number, number][], b: readonly [number, number][]): number {
  const all = [...a.map(([at, share]) => ({ at, share })), ...b.map(([at, share]) => ({ at, share: -share }))];
  all.sort((p, q) => p.at - q.at);
  let difference = 0;
  return all.reduce((sum, p, i) => {
    difference += p.share;
    return sum + Math.abs(difference) * ((all[i + 1]?.at ?? p.at) - p.at);
  }, 0);
}

/** Metres; NaN where a cloud is empty. */
export function slicedReference(replay: readonly number[], awake: readonly number[], box: Geometry["box"]): number {
  const [p, q] = [binnedCloud(replay, box), binnedCloud(awake, box)];
  if (p.steps === 0 || q.steps === 0) return Number.NaN;
  const distances = Array.from({ length: DIRECTIONS }, (_, j) => {
    const theta = (Math.PI * (j + 0.5)) / DIRECTIONS;
    const project = (c: BinnedCloud): [number, number][] =>
      c.points.map((z) => [z.x * Math.cos(theta) + z.y * Math.sin(theta), z.share]);
    return distanceOnLine(project(p), project(q));
  });
  return average(distances);
}

/** Log of the smoothed density of a binned cloud, floored; see `shaders/metrics/binned_kl.wgsl`. */
function logDensityOf(cloud: BinnedCloud, width: number): (x: number, y: number) => number {
  const moment = (of: (p: { x: number; y: number }) => number): number =>
    cloud.points.reduce((sum, p) => sum + p.share * of(p), 0);
  const [mx, my] = [moment((p) => p.x), moment((p) => p.y)];
  const scott = Math.min(cloud.steps, MOST_POINTS) ** (-1 / 3);
  const within = width ** 2 / 12;
  const xx = scott * (moment((p) => (p.x - mx) ** 2) + within);
  const xy = scott * moment((p) => (p.x - mx) * (p.y - my));
  const yy = scott * (moment((p) => (p.y - my) ** 2) + within);
  const determinant = xx * yy - xy * xy;
  return (x, y) => {
    const sum = cloud.points.reduce((acc, p) => {
      const [dx, dy] = [x - p.x, y - p.y];
      return acc + p.share * Math.exp(-(yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / (2 * determinant));
    }, 0);
    return Math.log(Math.max(sum / (2 * Math.PI * Math.sqrt(determinant)), FLOOR));
  };
}

/** Nats; NaN where a cloud is empty. */
export function klReference(replay: readonly number[], awake: readonly number[], box: Geometry["box"]): number {
  const [p, q] = [binnedCloud(replay, box), binnedCloud(awake, box)];
  if (p.steps === 0 || q.steps === 0) return Number.NaN;
  const width = box.side / box.cells;
  const [logP, logQ] = [logDensityOf(p, width), logDensityOf(q, width)];
  return p.points.reduce((sum, z) => sum + z.share * (logP(z.x, z.y) - logQ(z.x, z.y)), 0);
}

/** Metrics of the pooled paths of a (network, condition); `awake` are steps per cell, or null. */
export function summaryReference(
  paths: readonly (readonly Point[])[],
  awake: readonly number[] | null,
  g: Geometry,
): SummaryMetricValues {
  const live = paths.filter((path) => rowMetricsReference(path, g).diverged === 0);
  const counts = occupancyReference(live, g);
  const steps = live.reduce((sum, path) => sum + path.length, 0);
  const none = live.length === 0;
  return {
    coverage_entropy: none ? Number.NaN : entropyReference(counts) / Math.log(counts.length),
    sw_binned: awake === null ? Number.NaN : slicedReference(counts, awake, g.box),
    kl_binned: awake === null ? Number.NaN : klReference(counts, awake, g.box),
    inside: none ? Number.NaN : counts.reduce((a, b) => a + b, 0) / steps,
  };
}
