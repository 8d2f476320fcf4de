import type { Geometry } from "../metrics/geometry.ts";
import type { Environment } from "./environment.ts";
import { type Grid, heatKey, heatPanel, shareHeat } from "./heat.ts";
import type { Figure } from "./svg.ts";
import { fixedNote, type PanelLayout, sheet } from "./sweep-panels.ts";
import { isDiverged } from "./sweep-table.ts";

/** Share of all steps in each cell of the geometry's grid, row-major from the lower left; networks together. */
export type Occupancy = ReadonlyMap<string, Float64Array>;

const KEY_WIDTH = 200;

/** The grid that a sweep counts on. */
export const coverageGrid = ({ box }: Geometry): Grid => ({
  x: box.x,
  y: box.y,
  width: box.side,
  height: box.side,
  columns: box.cells,
  lines: box.cells,
});

/** Where the rollouts of each condition of a layout were, all networks together. */
export function figureOccupancy(
  layout: PanelLayout,
  environment: Environment,
  grid: Grid,
  occupancy: Occupancy,
): Figure {
  const s = sheet(layout, environment);
  const shown = layout.cells.flatMap(({ condition }) =>
    isDiverged(condition) ? [] : [...(occupancy.get(condition.name) ?? [])],
  );
  const scale = shareHeat(shown, "share of all steps in a cell");
  const panels = s.placed.map(({ condition, x, y }) => {
    const values = occupancy.get(condition.name);
    return values === undefined ? "" : heatPanel({ environment, grid, values, scale, x, y, width: s.panelWidth });
  });
  return {
    name: "occupancy",
    width: s.width,
    height: s.bottom + 44,
    body:
      panels.join("") +
      s.body +
      fixedNote(layout, s.bottom + 26) +
      heatKey(scale, s.width - KEY_WIDTH - 16, s.bottom + 18, KEY_WIDTH),
    description: `Occupancy of a grid by all rollouts, one panel for each of ${layout.cells.length} conditions.`,
  };
}
