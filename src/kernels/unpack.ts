/** From the device's padded rows to plain tensors on the host. */
import { type Chunk, chunkRows } from "./recurrence.ts";

/** Where a row goes: a tensor (network, time, row, width), and its row there. */
export interface Place {
  readonly out: Float32Array;
  readonly row: number;
  /** Rows of a network in `out`. */
  readonly rows: number;
}

/**
 * Copies the rows of a chunk out of a device tensor [slots][R][padded].
 * @param count rows of a network in the whole batch that are not padding
 * @param place where row `row` of a network goes
 */
export function unpackRows(
  device: Float32Array,
  c: Chunk,
  count: number,
  slots: number,
  width: number,
  padded: number,
  place: (row: number) => Place,
): void {
  const all = chunkRows(c);
  const own = Math.min(c.rowsPerNetwork, count - c.row0);
  for (let s = 0; s < c.networks; s++) {
    for (let b = 0; b < own; b++) {
      const { out, row, rows } = place(c.row0 + b);
      for (let t = 0; t < slots; t++) {
        const from = (t * all + s * c.rowsPerNetwork + b) * padded;
        const to = (((c.network0 + s) * slots + t) * rows + row) * width;
        for (let x = 0; x < width; x++) out[to + x] = device[from + x] as number;
      }
    }
  }
}
