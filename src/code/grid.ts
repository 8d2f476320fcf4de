/** A fine grid of positions whose codes stand for all valid ones. Pure. */
import type { Extent } from "../task/extent.ts";

/** Points along the longer side. */
const GRID_SIDE = 64;

/** x, y of each point, metres, the borders of the extent included. */
export function gridPositions(extent: Extent, side = GRID_SIDE): Float32Array<ArrayBuffer> {
  const longer = Math.max(extent.width, extent.height);
  const [columns, lines] = [extent.width, extent.height].map((s) => Math.max(2, Math.round((side * s) / longer))) as [
    number,
    number,
  ];
  const out = new Float32Array(2 * columns * lines);
  for (let i = 0; i < columns * lines; i++) {
    out[2 * i] = extent.x + (extent.width * (i % columns)) / (columns - 1);
    out[2 * i + 1] = extent.y + (extent.height * Math.floor(i / columns)) / (lines - 1);
  }
  return out;
}
