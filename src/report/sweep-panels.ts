import type { Geometry } from "../metrics/geometry.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { choosePaths, panelHeight, pathPanel, type TimeScale, timeKey, type View, viewOf } from "./paths.ts";
import { type Figure, fitText, px, text } from "./svg.ts";
import { axisValueText, type SweepAxis, spreadOut } from "./sweep-axes.ts";
import { sequentialScale } from "./sweep-colours.ts";
import { isDiverged, type SweepCondition, type SweepTable } from "./sweep-table.ts";
import { CENTRELINE, HAIRLINE, MUTED } from "./theme.ts";

/** Small multiples: a maze for each of some conditions, laid out as the parameters are. */

export interface PanelLayout {
  /** Values of the axis across, "" where panels are only numbered off; empty where each has a title of its own. */
  readonly columns: readonly string[];
  /** From the top. */
  readonly lines: readonly string[];
  readonly cells: readonly {
    readonly condition: SweepCondition;
    readonly column: number;
    readonly line: number;
    /** Above the panel, where columns and lines have none. */
    readonly title: string;
  }[];
  /** What all panels share: "τₐ 100"; "" for nothing. */
  readonly fixed: string;
}

const [COLUMNS, LINES] = [6, 5];
const LOOSE = 12;

/** Some conditions, evenly spread over the first two axes; of the others the first value. */
export function panelLayout(table: SweepTable): PanelLayout {
  const [x, y] = table.axes;
  if (!table.isGrid || x === undefined || y === undefined) return looseLayout(table);
  const fixed = table.axes.slice(2).map((axis) => axis.values[0] as number);
  const columns = spreadOut(x.values.length, COLUMNS).map((i) => x.values[i] as number);
  // Upwards, as on the axis of a map.
  const lines = spreadOut(y.values.length, LINES)
    .map((i) => y.values[i] as number)
    .reverse();
  const cells = table.conditions.flatMap((condition) => {
    const [a, b, ...rest] = condition.at;
    const [column, line] = [columns.indexOf(a as number), lines.indexOf(b as number)];
    const isShown = column >= 0 && line >= 0 && rest.every((v, i) => v === fixed[i]);
    return isShown ? [{ condition, column, line, title: "" }] : [];
  });
  return {
    columns: columns.map((v) => axisValueText(x, v)),
    lines: lines.map((v) => axisValueText(y, v)),
    cells,
    fixed: fixed.map((v, i) => axisValueText(table.axes[i + 2] as SweepAxis, v)).join(", "),
  };
}

/** One axis, a list or a random sample: one panel after the other, each with its own title. */
function looseLayout(table: SweepTable): PanelLayout {
  const sorted =
    table.axes.length === 1
      ? [...table.conditions].sort((a, b) => (a.at[0] as number) - (b.at[0] as number))
      : table.conditions;
  const chosen = spreadOut(sorted.length, LOOSE).map((i) => sorted[i] as SweepCondition);
  const columns = Math.min(chosen.length, chosen.length > 4 ? Math.min(COLUMNS, Math.ceil(chosen.length / 2)) : 4);
  return {
    columns: Array.from({ length: columns }, () => ""),
    lines: Array.from({ length: Math.ceil(chosen.length / Math.max(1, columns)) }, () => ""),
    cells: chosen.map((condition, i) => ({
      condition,
      column: i % columns,
      line: Math.floor(i / columns),
      title: table.axes.map((axis, k) => axisValueText(axis, condition.at[k] as number)).join(", ") || condition.name,
    })),
    fixed: "",
  };
}

interface Placed {
  readonly condition: SweepCondition;
  readonly x: number;
  readonly y: number;
}

interface Sheet {
  readonly width: number;
  /** Where the panels end. */
  readonly bottom: number;
  readonly panelWidth: number;
  readonly view: View;
  readonly body: string;
  readonly placed: readonly Placed[];
}

const [WIDTH, GAP, HEAD] = [1000, 10, 22];

function sheet(layout: PanelLayout, geometry: Geometry): Sheet {
  const view = viewOf(geometry);
  const isLoose = layout.lines.every((l) => l === "");
  const left = isLoose ? 0 : 74;
  const columns = Math.max(1, layout.columns.length);
  const panelWidth = Math.min(230, (WIDTH - left - GAP * (columns - 1)) / columns);
  const height = panelHeight(view, panelWidth);
  const pitch = height + GAP + (isLoose ? HEAD : 0);
  const at = (column: number, line: number): [number, number] => [
    left + column * (panelWidth + GAP),
    HEAD + line * pitch,
  ];
  const heads = layout.columns.map((label, column) =>
    text(at(column, 0)[0] + panelWidth / 2, 12, label, { size: 12, anchor: "middle", weight: 600 }),
  );
  const sides = layout.lines.map((label, line) =>
    text(left - 12, at(0, line)[1] + height / 2 + 4, label, { size: 12, anchor: "end", weight: 600 }),
  );
  const frames = layout.cells.map(({ column, line, title, condition }) => {
    const [x, y] = at(column, line);
    return [
      title === "" ? "" : text(x, y - 7, fitText(title, 12, panelWidth), { size: 12, weight: 600 }),
      `<rect x="${px(x)}" y="${px(y)}" width="${px(panelWidth)}" height="${px(height)}" fill="none" stroke="${HAIRLINE}" stroke-width="0.8"/>`,
      isDiverged(condition) ? text(x + 6, y + height - 7, "diverged", { size: 10.5, fill: MUTED }) : "",
    ].join("");
  });
  return {
    width: left + columns * panelWidth + (columns - 1) * GAP,
    bottom: HEAD + layout.lines.length * pitch - GAP,
    panelWidth,
    view,
    body: [...(isLoose ? [] : [...heads, ...sides]), ...frames].join(""),
    placed: layout.cells.map(({ condition, column, line }) => {
      const [x, y] = at(column, line);
      return { condition, x, y };
    }),
  };
}

const fixedNote = (layout: PanelLayout, y: number): string =>
  layout.fixed === "" ? "" : text(0, y, layout.fixed, { size: 12 });

/** A drawn path is thinned to about this many positions; the CSV beside the figure has the same ones. */
export const MAX_SAMPLES = 240;
export const PATHS_PER_PANEL = 12;

/** Decoded rollouts of the conditions of a layout, coloured by time. */
export function figureTrajectories(
  layout: PanelLayout,
  geometry: Geometry,
  positions: ReadonlyMap<string, Tensor>,
  every: number,
): Figure {
  const s = sheet(layout, geometry);
  const slots = Math.max(1, ...[...positions.values()].map((t) => t.shape[1] ?? 0));
  const time: TimeScale = { end: slots * every, kind: "squareRoot" };
  const panels = s.placed.map(({ condition, x, y }) => {
    const tensor = positions.get(condition.name);
    if (tensor === undefined) return "";
    return pathPanel({
      geometry,
      view: s.view,
      paths: choosePaths(tensor, PATHS_PER_PANEL),
      time,
      firstStep: every,
      every,
      x,
      y,
      width: s.panelWidth,
      lineWidth: 0.7,
      maxSamples: MAX_SAMPLES,
    });
  });
  const keyWidth = Math.min(220, s.width * 0.5);
  return {
    name: "trajectories",
    width: s.width,
    height: s.bottom + 44,
    body:
      panels.join("") +
      s.body +
      fixedNote(layout, s.bottom + 26) +
      timeKey(time, s.width - keyWidth - 12, s.bottom + 18, keyWidth),
    description: `Decoded rollouts in the maze, coloured by time, one panel for each of ${layout.cells.length} conditions.`,
  };
}

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
