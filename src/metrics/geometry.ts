import type { PathTask, PolylineTask } from "../task/paths.ts";

/** The places of a task that the metrics ask about (model.md section 8). All lengths in metres. */

export type Point = readonly [number, number];

export interface Disc {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export interface Geometry {
  /**
   * open: mazes with ends; closed: laps; free: no maze (OU paths), so no goals, regions or track; box: a walled field
   * without a track; ring: directions, as points of the unit circle.
   */
  readonly kind: "open" | "closed" | "free" | "box" | "ring";
  /** Middle of the maze: laps turn about it. */
  readonly centre: Point;
  /** Half the maze's extent; every radius below is in proportion to it. */
  readonly scale: number;
  /** The polylines' pieces, each once, whichever route and direction they belong to. */
  readonly segments: readonly (readonly [Point, Point])[];
  /** Open: the ends, any of which may be reached. Closed: the corners in the order of the first route. */
  readonly goals: readonly Disc[];
  /** A row arrives where it leaves the disc of this radius around its first position; null where there are goals. */
  readonly leave: number | null;
  /** Closed polygons that nobody leaves, for pictures. */
  readonly walls: readonly (readonly Point[])[];
  /** Where routes part, open mazes only. */
  readonly junction: Disc | null;
  /** Discs whose visits are counted. */
  readonly regions: readonly Disc[];
  /** Indices into `regions` of the ends of an open maze. */
  readonly ends: readonly number[];
  /** Centres of the pieces of about 0.1 m that the track is cut into. */
  readonly bins: readonly Point[];
  /** A bin is visited by a position closer than this. */
  readonly binRadius: number;
  /** Square of `cells` × `cells` cells for coverage. */
  readonly box: {
    readonly x: number;
    readonly y: number;
    readonly side: number;
    readonly cells: number;
  };
}

const END_RADIUS = 0.3;
const CORNER_RADIUS = 0.35;
const REGION_RADIUS = 0.35;
const BIN_LENGTH = 0.1;
const BIN_RADIUS = 0.15;
const BOX_HALF_SIDE = 1.3;
const BOX_CELLS = 20;
const FIELD_CELLS = 4;
const LEAVE_SHARE = 0.4;
const RING_EDGES = 32;
const RING_REGIONS = 8;

const same = (a: Point, b: Point): boolean => Math.hypot(a[0] - b[0], a[1] - b[1]) < 1e-9;

function distinct(points: readonly Point[]): Point[] {
  return points.filter((p, i) => points.findIndex((q) => same(p, q)) === i);
}

function distinctSegments(task: PolylineTask): [Point, Point][] {
  const out: [Point, Point][] = [];
  for (const route of task.routes) {
    const corners = task.closed ? [...route, route[0] as Point] : route;
    for (let i = 0; i + 1 < corners.length; i++) {
      const [a, b] = [corners[i] as Point, corners[i + 1] as Point];
      if (!out.some(([c, d]) => (same(a, c) && same(b, d)) || (same(a, d) && same(b, c)))) out.push([a, b]);
    }
  }
  return out;
}

/** The last corner that all routes share, where it is neither their start nor an end. */
function junctionOf(routes: readonly (readonly Point[])[]): Point | null {
  const [first] = routes;
  if (first === undefined || routes.length < 2) return null;
  let shared = 0;
  while (routes.every((r) => r.length > shared && same(r[shared] as Point, first[shared] as Point))) shared++;
  const isInside = shared >= 2 && routes.every((r) => r.length > shared);
  return isInside ? (first[shared - 1] as Point) : null;
}

/**
 * A maze of about unit size around the origin, as the T-maze and the triangle are, is measured with model.md's own
 * radii and box; any other with the same in proportion to its bounding box.
 */
function placement(corners: readonly Point[]): {
  centre: Point;
  scale: number;
} {
  const largest = Math.max(...corners.flat().map(Math.abs));
  if (largest >= 0.5 && largest <= BOX_HALF_SIDE) return { centre: [0, 0], scale: 1 };
  const range = (axis: 0 | 1): [number, number] => {
    const values = corners.map((c) => c[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [x0, x1] = range(0);
  const [y0, y1] = range(1);
  return {
    centre: [(x0 + x1) / 2, (y0 + y1) / 2],
    scale: Math.max(x1 - x0, y1 - y0) / 2 || 1,
  };
}

function cutIntoBins(segments: readonly (readonly [Point, Point])[], binLength: number): Point[] {
  return segments.flatMap(([a, b]) => {
    const count = Math.max(1, Math.round(Math.hypot(b[0] - a[0], b[1] - a[1]) / binLength));
    return Array.from({ length: count }, (_, i): Point => {
      const f = (i + 0.5) / count;
      return [a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1])];
    });
  });
}

const boxAround = (centre: Point, scale: number): Geometry["box"] => ({
  x: centre[0] - BOX_HALF_SIDE * scale,
  y: centre[1] - BOX_HALF_SIDE * scale,
  side: 2 * BOX_HALF_SIDE * scale,
  cells: BOX_CELLS,
});

/** Whether rows go round something. */
export const hasLaps = (g: Geometry): boolean => g.kind === "closed" || g.kind === "ring";

/** Whether there is anything to arrive at. */
export const hasArrivals = (g: Geometry): boolean => g.goals.length > 0 || g.leave !== null;

/** What metrics need of an environment: its track, goals and regions, metres. */
export function geometryOf(task: PathTask): Geometry {
  switch (task.kind) {
    case "ou":
      return freeGeometry();
    case "box":
      return fieldGeometry({ x: 0, y: 0, width: task.width, height: task.height });
    case "headDirection":
      return ringGeometry();
    case "recorded":
      return fieldGeometry(task.bounds);
    case "polyline":
      return mazeGeometry(task);
  }
}

/** No maze: goals, regions and a track are missing. */
function freeGeometry(): Geometry {
  const centre: Point = [0, 0];
  return {
    kind: "free",
    centre,
    scale: 1,
    segments: [],
    goals: [],
    leave: null,
    walls: [],
    junction: null,
    regions: [],
    ends: [],
    bins: [],
    binRadius: BIN_RADIUS,
    box: boxAround(centre, 1),
  };
}

/** A rectangular field, metres. */
export interface Field {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * A walled field (model.md section 8): arrival is leaving a disc of 0.4 of the shorter side; regions are 4 × 4 cells, each
 * the points nearest to its centre, no farther from it than its corners.
 */
export function fieldGeometry({ x, y, width, height }: Field): Geometry {
  const side = Math.max(width, height);
  const [w, h] = [width / FIELD_CELLS, height / FIELD_CELLS];
  // A little more than half the diagonal, so that the corners belong to somebody.
  const radius = (1.001 * Math.hypot(w, h)) / 2;
  return {
    ...freeGeometry(),
    kind: "box",
    centre: [x + width / 2, y + height / 2],
    scale: side / 2,
    leave: LEAVE_SHARE * Math.min(width, height),
    walls: [
      [
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
      ],
    ],
    regions: Array.from({ length: FIELD_CELLS ** 2 }, (_, i) => {
      const [column, line] = [i % FIELD_CELLS, Math.floor(i / FIELD_CELLS)];
      return { name: `cell ${i + 1}`, x: x + (column + 0.5) * w, y: y + (line + 0.5) * h, radius };
    }),
    binRadius: BIN_RADIUS * (side / 2),
    box: { x, y, side, cells: BOX_CELLS },
  };
}

/** Directions: the track is a polygon within 5 mm of the circle, regions its eighths; arrival is a quarter turn. */
function ringGeometry(): Geometry {
  const at = (i: number, of: number): Point => [Math.cos((2 * Math.PI * i) / of), Math.sin((2 * Math.PI * i) / of)];
  const segments = Array.from({ length: RING_EDGES }, (_, i) => [at(i, RING_EDGES), at(i + 1, RING_EDGES)] as const);
  return {
    ...freeGeometry(),
    kind: "ring",
    segments,
    bins: cutIntoBins(segments, BIN_LENGTH),
    leave: Math.SQRT2,
    regions: Array.from({ length: RING_REGIONS }, (_, i) => {
      const [x, y] = at(i, RING_REGIONS);
      return { name: `direction ${(360 / RING_REGIONS) * i}°`, x, y, radius: REGION_RADIUS };
    }),
  };
}

function mazeGeometry(task: PolylineTask): Geometry {
  const corners = distinct(task.routes.flat());
  const { centre, scale } = placement(corners);
  const segments = distinctSegments(task);
  const disc = (name: string, [x, y]: Point, radius: number): Disc => ({
    name,
    x,
    y,
    radius: radius * scale,
  });
  const common = {
    leave: null,
    walls: [],
    centre,
    scale,
    segments,
    bins: cutIntoBins(segments, BIN_LENGTH * scale),
    binRadius: BIN_RADIUS * scale,
    box: boxAround(centre, scale),
  };
  if (task.closed) {
    const route = distinct(task.routes[0] ?? []);
    const middles = segments.map(([a, b]): Point => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
    return {
      kind: "closed",
      ...common,
      goals: route.map((p, i) => disc(`corner ${i + 1}`, p, CORNER_RADIUS)),
      junction: null,
      regions: [
        ...corners.map((p, i) => disc(`corner ${i + 1}`, p, REGION_RADIUS)),
        ...middles.map((p, i) => disc(`edge ${i + 1}`, p, REGION_RADIUS)),
      ],
      ends: [],
    };
  }
  const ends = distinct(task.routes.map((r) => r[r.length - 1] as Point));
  const inner = corners.filter((p) => !ends.some((e) => same(e, p)));
  const junction = junctionOf(task.routes);
  return {
    kind: "open",
    ...common,
    goals: ends.map((p, i) => disc(`end ${i + 1}`, p, END_RADIUS)),
    junction: junction === null ? null : disc("junction", junction, END_RADIUS),
    regions: [
      ...inner.map((p, i) => disc(`corner ${i + 1}`, p, REGION_RADIUS)),
      ...ends.map((p, i) => disc(`end ${i + 1}`, p, REGION_RADIUS)),
    ],
    ends: ends.map((_, i) => inner.length + i),
  };
}
