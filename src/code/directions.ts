/** Fixed directions in the space of activities, along which clouds of activities are compared. Pure. */

import { drawWords, normals4 } from "../model/philox.ts";
import { STREAM } from "../model/streams.ts";

/** Directions of the sliced distance in activity space. */
export const CODE_DIRECTIONS = 128;

/**
 * (directions, cells), each of length 1, uniform on the sphere: the same for all networks, seeds and runs, so that
 * distances can be compared.
 */
export function codeDirections(cells: number, count = CODE_DIRECTIONS): Float64Array {
  const out = new Float64Array(count * cells);
  for (let j = 0; j < count; j++) {
    const own = out.subarray(j * cells, (j + 1) * cells);
    for (let i = 0; i < cells; i += 4) {
      const four = normals4(drawWords(j, i >> 2, 1, STREAM.cells, 0, [0, 0]));
      for (let lane = 0; lane < 4 && i + lane < cells; lane++) own[i + lane] = four[lane] as number;
    }
    const length = Math.hypot(...own);
    for (let i = 0; i < cells; i++) own[i] = (own[i] as number) / length;
  }
  return out;
}
