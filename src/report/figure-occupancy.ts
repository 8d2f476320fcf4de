import { AWAKE } from "../metrics/measure.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import type { Environment, View } from "./environment.ts";
import { panelHeight } from "./ground.ts";
import { type Grid, heatKey, heatPanel, shareHeat } from "./heat.ts";
import { environmentIn, type ReportInput } from "./input.ts";
import { type Figure, fitText, text } from "./svg.ts";
import { conditionColour, INK, MUTED } from "./theme.ts";

/** Cells along the longer side of a panel. */
const CELLS = 44;
const [WIDTH, GAP, HEAD, KEY] = [1000, 14, 44, 40];
export const MAX_OCCUPANCIES = 6;

function gridOf(view: View): Grid {
  const cell = Math.max(view.width, view.height) / CELLS;
  const [columns, lines] = [Math.ceil(view.width / cell - 1e-9), Math.ceil(view.height / cell - 1e-9)];
  return { x: view.x, y: view.y, width: columns * cell, height: lines * cell, columns, lines };
}

/** Share of all positions in each cell, networks and rows together; positions outside the panel count as well. */
export function occupancyShares(tensor: Tensor, grid: Grid): Float64Array {
  const shares = new Float64Array(grid.columns * grid.lines);
  const { data } = tensor;
  let all = 0;
  for (let i = 0; i + 1 < data.length; i += 2) {
    const column = Math.floor((((data[i] as number) - grid.x) / grid.width) * grid.columns);
    const line = Math.floor((((data[i + 1] as number) - grid.y) / grid.height) * grid.lines);
    all++;
    if (column < 0 || column >= grid.columns || line < 0 || line >= grid.lines) continue;
    // A position that is not finite has no cell: NaN passes every comparison above.
    if (!Number.isFinite(column + line)) continue;
    const cell = line * grid.columns + column;
    shares[cell] = (shares[cell] as number) + 1;
  }
  return all === 0 ? shares : shares.map((n) => n / all);
}

export interface OccupancyMaps {
  readonly grid: Grid;
  readonly maps: readonly {
    /** As in metrics.csv. */
    readonly name: string;
    readonly label: string;
    readonly detail: string;
    readonly colour: string;
    readonly shares: Float64Array;
  }[];
}

/** Awake, then the conditions in their order. */
export function occupancyMaps(input: ReportInput): OccupancyMaps {
  const grid = gridOf(environmentIn(input).view);
  const awake =
    input.awake === undefined
      ? []
      : [{ name: AWAKE, label: "Awake", detail: "decoded, with input", colour: INK, tensor: input.awake.readout }];
  const replays = input.conditions.map((c, i) => ({
    name: c.name,
    label: c.label,
    detail: c.detail ?? "",
    colour: conditionColour(i),
    tensor: c.positions,
  }));
  const maps = [...awake, ...replays].slice(0, MAX_OCCUPANCIES);
  return { grid, maps: maps.map(({ tensor, ...rest }) => ({ ...rest, shares: occupancyShares(tensor, grid) })) };
}

/** Where the networks were awake, and where they are in replay: one panel each, one scale for all. */
export function figureOccupancy(environment: Environment, { grid, maps: shown }: OccupancyMaps): Figure {
  const width = Math.min(240, (WIDTH - GAP * (shown.length - 1)) / Math.max(1, shown.length));
  const height = panelHeight(environment.view, width);
  const scale = shareHeat(
    shown.flatMap((s) => [...s.shares]),
    "share of all steps in a cell",
  );
  const panels = shown.map(({ label, detail, colour, shares }, i) => {
    const x = i * (width + GAP);
    return (
      `<rect x="${x}" y="3" width="14" height="4" fill="${colour}"/>` +
      text(x + 20, 11, fitText(label, 14, width - 24), { size: 14, weight: 600 }) +
      text(x, 29, fitText(detail, 11, width), { size: 11, fill: MUTED }) +
      heatPanel({ environment, grid, values: shares, scale, x, y: HEAD, width })
    );
  });
  const total = shown.length * width + (shown.length - 1) * GAP;
  const key = Math.min(220, total * 0.5);
  const cell = Number((grid.width / grid.columns).toPrecision(2));
  return {
    name: "occupancy",
    width: total,
    height: HEAD + height + KEY,
    body:
      panels.join("") +
      text(0, HEAD + height + 19, `cells of ${cell} m × ${cell} m`, { size: 11, fill: MUTED }) +
      heatKey(scale, total - key - 16, HEAD + height + 12, key),
    description: `Two-dimensional histograms of decoded positions on one scale: ${shown.map((s) => s.label).join(", ")}.`,
  };
}
