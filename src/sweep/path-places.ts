/** Constant tables of the metrics kernels: the places of a maze, and the cells' order along each sliced direction. */
import type { Disc, Geometry, Point } from "../metrics/geometry.ts";

export interface Upload {
  readonly buffer: string;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly axes: string;
}

/** Directions of the sliced distance (model.md section 8). */
export const DIRECTIONS = 64;

/** Start, edge, and edge over its square: the nearest point then costs one product and a clamp. A corner may stand twice. */
function segmentQuads([a, b]: readonly [Point, Point]): number[] {
  const [ex, ey] = [b[0] - a[0], b[1] - a[1]];
  const square = ex * ex + ey * ey || 1;
  return [a[0], a[1], ex, ey, ex / square, ey / square, 0, 0];
}

/** Centre, squared radius, and 1 for an end of the maze. */
const discQuad = (d: Disc, isEnd: boolean): number[] => [d.x, d.y, d.radius ** 2, isEnd ? 1 : 0];

/** `path_places`: segments (two quads each), goals, junction, regions, centres of bins; see `lib/path_places.wgsl`. */
export function packPlaces(g: Geometry): Uint8Array<ArrayBuffer> {
  const quads = [
    ...g.segments.flatMap(segmentQuads),
    ...g.goals.flatMap((d) => discQuad(d, false)),
    ...(g.junction === null ? [] : discQuad(g.junction, false)),
    ...g.regions.flatMap((d, i) => discQuad(d, g.ends.includes(i))),
    ...g.bins.flatMap(([x, y]) => [x, y, 0, 0]),
  ];
  return new Uint8Array(Float32Array.from(quads.length > 0 ? quads : [0, 0, 0, 0]).buffer);
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
