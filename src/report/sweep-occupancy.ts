import type { Geometry } from "../metrics/geometry.ts";
import { panelHeight } from "./paths.ts";
import { type Figure, px, text } from "./svg.ts";
import { sequentialScale } from "./sweep-colours.ts";
import { fixedNote, type PanelLayout, sheet } from "./sweep-panels.ts";
import { isDiverged } from "./sweep-table.ts";
import { CENTRELINE, MUTED } from "./theme.ts";

/** Share of all steps in each cell of the geometry's grid, row-major from the lower left; networks together. */
export type Occupancy = ReadonlyMap<string, Float64Array>;

/** Where the rollouts of each condition of a layout were, all networks together. */
export function figureOccupancy(layout: PanelLayout, geometry: Geometry, occupancy: Occupancy): Figure {
  const s = sheet(layout, geometry);
  const { box } = geometry;
  const side = box.side / box.cells;
  const unit = s.panelWidth / s.view.width;
  const height = panelHeight(s.view, s.panelWidth);
  const shown = layout.cells.flatMap(({ condition }) =>
    isDiverged(condition) ? [] : [...(occupancy.get(condition.name) ?? [])],
  );
  // A square root: what is rare is what differs between conditions.
  const colours = sequentialScale([0, ...shown.filter((p) => p > 0).map(Math.sqrt)]);
  const outline = geometry.segments
    .map(([a, b]) => {
      const [ax, ay] = [(a[0] - s.view.x) * unit, (s.view.y + s.view.height - a[1]) * unit];
      const [bx, by] = [(b[0] - s.view.x) * unit, (s.view.y + s.view.height - b[1]) * unit];
      return `M${px(ax)} ${px(ay)}L${px(bx)} ${px(by)}`;
    })
    .join("");
  const panels = s.placed.map(({ condition, x, y }) => {
    const shares = occupancy.get(condition.name);
    if (shares === undefined) return "";
    const byColour = new Map<string, string[]>();
    shares.forEach((share, cell) => {
      if (share === 0) return;
      const [column, line] = [cell % box.cells, Math.floor(cell / box.cells)];
      const l = (box.x + column * side - s.view.x) * unit;
      const t = (s.view.y + s.view.height - box.y - (line + 1) * side) * unit;
      const colour = colours.colour(Math.sqrt(share));
      const size = px(side * unit);
      byColour.set(colour, [...(byColour.get(colour) ?? []), `M${px(l)} ${px(t)}h${size}v${size}h-${size}z`]);
    });
    const cells = [...byColour].map(([colour, d]) => `<path d="${d.join("")}" fill="${colour}"/>`);
    return (
      `<svg x="${px(x)}" y="${px(y)}" width="${px(s.panelWidth)}" height="${px(height)}" overflow="hidden">` +
      `<g shape-rendering="crispEdges">${cells.join("")}</g>` +
      `<path d="${outline}" fill="none" stroke="${CENTRELINE}" stroke-width="1" stroke-dasharray="3 3"/></svg>`
    );
  });
  const [keyWidth, steps] = [200, 48];
  const [keyX, keyY] = [s.width - keyWidth - 12, s.bottom + 18];
  const [low, high] = colours.domain;
  const key = Array.from({ length: steps }, (_, i) => {
    const w = keyWidth / steps;
    const fill = colours.colour(low + ((i + 0.5) / steps) * (high - low));
    return `<rect x="${px(keyX + i * w)}" y="${px(keyY)}" width="${px(w + 0.5)}" height="6" fill="${fill}"/>`;
  });
  const most = high ** 2;
  const ticks = [0, most / 4, most].map((p) => {
    const at = keyX + (Math.sqrt(p) / high) * keyWidth;
    return text(at, keyY + 20, `${Number((100 * p).toPrecision(2))} %`, { size: 10, fill: MUTED, anchor: "middle" });
  });
  return {
    name: "occupancy",
    width: s.width,
    height: s.bottom + 44,
    body:
      panels.join("") +
      s.body +
      fixedNote(layout, s.bottom + 26) +
      key.join("") +
      ticks.join("") +
      text(keyX - 8, keyY + 7, "share of all steps in a cell (square-root scale)", { size: 11, anchor: "end" }),
    description: `Occupancy of a grid by all rollouts, one panel for each of ${layout.cells.length} conditions.`,
  };
}
