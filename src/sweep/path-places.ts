/** Constant tables of the metrics kernels: the places of a maze, and the cells' order along each sliced direction. */
import { UsageError } from "../errors.ts";
import type { Disc, Geometry, Point } from "../metrics/geometry.ts";

export interface Upload {
  readonly buffer: string;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly axes: string;
}

/** Directions of the sliced distance (model.md section 8). */
export const DIRECTIONS = 64;

/** A segment or a part of one, and the number of bins that it is cut into: at most 32, one word of bits. */
export interface TrackPiece {
  readonly start: Point;
  readonly edge: Point;
  readonly bins: number;
}

const WORD = 32;

/** The track in pieces. `geometry.bins` are the middles of equal parts of each segment, in the segments' order. */
export function trackPieces(g: Geometry): TrackPiece[] {
  let at = 0;
  return g.segments.flatMap(([a, b]) => {
    const edge: Point = [b[0] - a[0], b[1] - a[1]];
    const [x, y] = g.bins[at] as Point;
    // The first middle lies half a bin from the start. A corner may stand twice: one bin, and no length.
    const half = Math.hypot(x - a[0], y - a[1]);
    const bins = half === 0 ? 1 : Math.round(Math.hypot(...edge) / (2 * half));
    at += bins;
    return Array.from({ length: Math.ceil(bins / WORD) }, (_, k): TrackPiece => {
      const own = Math.min(WORD, bins - k * WORD);
      const part = (f: number): Point => [(f / bins) * edge[0], (f / bins) * edge[1]];
      const [dx, dy] = part(k * WORD);
      return { start: [a[0] + dx, a[1] + dy], edge: part(own), bins: own };
    });
  });
}

/** (n / length)² of a piece without length: its only bin is then near wherever the piece is. */
const NO_LENGTH = 1e30;

function pieceQuads({ start, edge, bins }: TrackPiece): number[] {
  const square = edge[0] ** 2 + edge[1] ** 2;
  if (square === 0) return [...start, 0, 0, 0, 0, bins, NO_LENGTH];
  return [...start, ...edge, edge[0] / square, edge[1] / square, bins, bins ** 2 / square];
}

/** Centre, squared radius, and 1 for an end of the maze. */
const discQuad = (d: Disc, isEnd: boolean): number[] => [d.x, d.y, d.radius ** 2, isEnd ? 1 : 0];

/** Quads of the table in `lib/path_places.wgsl`. */
const MOST_QUADS = 1024;

/**
 * The table of `lib/path_places.wgsl`: pieces of track (two quads each), goals, junction, regions.
 * @throws UsageError where a maze has more places than the table holds
 */
export function packPlaces(g: Geometry): number[] {
  const quads = [
    ...trackPieces(g).flatMap(pieceQuads),
    ...g.goals.flatMap((d) => discQuad(d, false)),
    ...(g.junction === null ? [] : discQuad(g.junction, false)),
    ...g.regions.flatMap((d, i) => discQuad(d, g.ends.includes(i))),
  ];
  if (quads.length > 4 * MOST_QUADS) {
    throw new UsageError(
      `task.routes: ${g.segments.length} segments and ${g.regions.length} regions need ${quads.length / 4} entries, and metrics on the GPU hold ${MOST_QUADS}: give the maze fewer routes or corners`,
    );
  }
  return quads;
}

/** Projection of a cell's centre on direction j, metres, from the box's corner. */
export function projection(box: Geometry["box"], j: number, cell: number): number {
  const theta = (Math.PI * (j + 0.5)) / DIRECTIONS;
  const size = box.side / box.cells;
  const [column, line] = [cell % box.cells, Math.floor(cell / box.cells)];
  return size * ((column + 0.5) * Math.cos(theta) + (line + 0.5) * Math.sin(theta));
}

/** [direction][cell]: cells by their projection, and the way to the next one; 0 after the last. */
export function slicedOrder(box: Geometry["box"]): Upload[] {
  const cells = box.cells ** 2;
  const order = new Uint32Array(DIRECTIONS * cells);
  const gaps = new Float32Array(DIRECTIONS * cells);
  for (let j = 0; j < DIRECTIONS; j++) {
    const at = Float64Array.from({ length: cells }, (_, cell) => projection(box, j, cell));
    // The index decides between equals, so that the table is the same everywhere.
    const sorted = Array.from(at.keys()).sort((a, b) => (at[a] as number) - (at[b] as number) || a - b);
    sorted.forEach((cell, i) => {
      const next = sorted[i + 1];
      order[j * cells + i] = cell;
      gaps[j * cells + i] = next === undefined ? 0 : (at[next] as number) - (at[cell] as number);
    });
  }
  return [
    { buffer: "cell_order", data: new Uint8Array(order.buffer), axes: "[64][cells], cells by projection" },
    { buffer: "cell_gaps", data: new Uint8Array(gaps.buffer), axes: "[64][cells], metres" },
  ];
}
