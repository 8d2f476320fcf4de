/** Where place cells lie: a layout within the extent of a task, drawn once for all networks. Pure. */
import { UsageError } from "../errors.ts";
import { drawWords, uniform } from "../model/philox.ts";
import { STREAM } from "../model/streams.ts";
import type { Extent } from "../task/extent.ts";

export const LAYOUTS = ["jitteredGrid", "grid", "uniform", "ring", "list", "file"] as const;

export interface Layout {
  readonly count: number;
  readonly layout: (typeof LAYOUTS)[number];
  /** Of `list`. */
  readonly centres: readonly (readonly [number, number])[];
  readonly seed: number;
}

/** Share of a tile, on either side of its middle, in which a jittered centre lies (RatInABox: 0.45). */
const JITTER = 0.45;

export type Centre = readonly [number, number];

/** Two uniforms in (0, 1) per cell. */
const draws = (rootSeed: number, seed: number, cell: number): [number, number] => {
  const words = drawWords(cell, 0, 0, STREAM.cells, 0, [rootSeed, seed]);
  return [uniform(words[0]), uniform(words[1])];
};

/** Lines of tiles that are as square as their number allows; a line may have one tile more than another. */
function tiles(count: number, e: Extent): { x: number; y: number; width: number; height: number }[] {
  const lines = Math.min(count, Math.max(1, Math.round(Math.sqrt((count * e.height) / e.width))));
  return Array.from({ length: lines }, (_, j) => {
    const own = Math.floor(((j + 1) * count) / lines) - Math.floor((j * count) / lines);
    const [width, height] = [e.width / own, e.height / lines];
    return Array.from({ length: own }, (_, i) => ({ x: e.x + i * width, y: e.y + j * height, width, height }));
  }).flat();
}

/** x, y of each cell, metres. */
export function centresOf(own: Layout, extent: Extent, rootSeed: number): Centre[] {
  const cell = Array.from({ length: own.count }, (_, i) => i);
  switch (own.layout) {
    case "list":
      return own.centres.map(([x, y]) => [x, y]);
    case "uniform":
      return cell.map((i) => {
        const [u, v] = draws(rootSeed, own.seed, i);
        return [extent.x + u * extent.width, extent.y + v * extent.height];
      });
    case "ring": {
      const radius = Math.min(extent.width, extent.height) / 2;
      const [x, y] = [extent.x + extent.width / 2, extent.y + extent.height / 2];
      return cell.map((i) => {
        const angle = (2 * Math.PI * i) / own.count;
        return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
      });
    }
    case "grid":
    case "jitteredGrid": {
      const share = own.layout === "grid" ? 0 : 2 * JITTER;
      return tiles(own.count, extent).map((t, i) => {
        const [u, v] = draws(rootSeed, own.seed, i);
        return [t.x + t.width * (0.5 + share * (u - 0.5)), t.y + t.height * (0.5 + share * (v - 0.5))];
      });
    }
    case "file":
      // Loading the configuration puts a file's centres into its list.
      throw new UsageError("task.cells.file was not read; load the configuration with loadConfig");
  }
}
