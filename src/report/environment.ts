import type { Disc, Geometry, Point } from "../metrics/geometry.ts";

/** Where paths run, as every drawing needs it: the static figures, the maps and the animation. Lengths in metres. */

export interface View {
  /** Lower left corner and size, metres. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Environment {
  /** What a panel shows. */
  readonly view: View;
  /** Centre lines of corridors. */
  readonly tracks: readonly (readonly [Point, Point])[];
  readonly trackWidth: number;
  /** Closed outlines that nothing crosses: a box. */
  readonly walls: readonly (readonly Point[])[];
  /** Goals. */
  readonly discs: readonly Disc[];
  /** Centres of place cells. */
  readonly centres: readonly Point[];
  /** A length to show beside a drawing. */
  readonly scale: number;
  /** What captions call it. */
  readonly word: "maze" | "box" | "circle" | "plane";
}

export interface Surroundings {
  readonly centres?: readonly Point[];
}

/** Room for a stray step beside a corridor, of the maze's scale. */
const MARGIN = 0.36;
/** Room outside a wall, of the box's width. */
const WALL_MARGIN = 0.06;
const TRACK_WIDTH = 0.3;
const RING_WIDTH = 0.1;

const WORDS: Readonly<Record<Geometry["kind"], Environment["word"]>> = {
  open: "maze",
  closed: "maze",
  box: "box",
  ring: "circle",
  free: "plane",
};

function around(points: readonly Point[], margin: number): View {
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [x, y] = [Math.min(...xs) - margin, Math.min(...ys) - margin];
  return { x, y, width: Math.max(...xs) + margin - x, height: Math.max(...ys) + margin - y };
}

function viewOf(geometry: Geometry): View {
  const { walls } = geometry;
  if (walls.length > 0) return around(walls.flat(), WALL_MARGIN * geometry.box.side);
  if (geometry.segments.length > 0) return around(geometry.segments.flat(), MARGIN * geometry.scale);
  const { x, y, side } = geometry.box;
  return { x, y, width: side, height: side };
}

export function environmentOf(geometry: Geometry, { centres = [] }: Surroundings = {}): Environment {
  const { walls } = geometry;
  return {
    view: viewOf(geometry),
    tracks: geometry.segments,
    trackWidth: (geometry.kind === "ring" ? RING_WIDTH : TRACK_WIDTH) * geometry.scale,
    walls,
    discs: geometry.goals,
    centres,
    scale: geometry.scale,
    word: WORDS[geometry.kind],
  };
}
