import { chart, MARGINS, xAxis, yAxis } from "./chart.ts";
import { type Figure, fitText, px, text, textWidth } from "./svg.ts";
import { type AxisLayout, axisLayout, axisValueText, type SweepAxis } from "./sweep-axes.ts";
import { COLOUR_BAR_WIDTH, colourBar } from "./sweep-colour-bar.ts";
import { type ColourScale, ratioScale, sequentialScale } from "./sweep-colours.ts";
import {
  isDiverged,
  isRatio,
  isShown,
  metricLabel,
  metricUnit,
  referenceCondition,
  type SweepCondition,
  type SweepTable,
  slice,
  spreadAt,
} from "./sweep-table.ts";
import { CORRIDOR, INK, MUTED, PAPER } from "./theme.ts";

/** Phase diagrams: a metric's mean, or its spread over networks, on the plane of two parameters. */

/** Fewer values than this on an axis are curves, not a map. */
const MIN_VALUES = 4;
const MAX_SLICES = 6;

export interface Plane {
  /** Indices into the table's axes. */
  readonly x: number;
  readonly y: number;
}

/** The two axes with most values, in the order of the table; null where a map would be a few stripes. */
export function planeOf(table: SweepTable): Plane | null {
  if (!table.isGrid) return null;
  const byValues = table.axes
    .map((axis, index) => ({ index, count: axis.values.length }))
    .sort((a, b) => b.count - a.count || a.index - b.index);
  const [first, second] = byValues;
  if (first === undefined || second === undefined || second.count < MIN_VALUES) return null;
  return { x: Math.min(first.index, second.index), y: Math.max(first.index, second.index) };
}

export interface Slice {
  /** "τₐ 100"; "" where the plane is all there is. */
  readonly label: string;
  readonly conditions: readonly SweepCondition[];
}

/** The plane once for every combination of the other axes' values, at most `MAX_SLICES` times. */
export function slicesOf(table: SweepTable, plane: Plane): { readonly slices: Slice[]; readonly left: number } {
  const others = table.axes
    .map((axis, index) => ({ axis, index }))
    .filter((a) => ![plane.x, plane.y].includes(a.index));
  let combinations: (readonly [number, number])[][] = [[]];
  for (const { axis, index } of others) {
    combinations = combinations.flatMap((c) => axis.values.map((v) => [...c, [index, v] as const]));
  }
  const slices = combinations.slice(0, MAX_SLICES).map((fixed) => ({
    label: fixed.map(([index, v]) => axisValueText(table.axes[index] as SweepAxis, v)).join(", "),
    conditions: slice(table, new Map(fixed)),
  }));
  return { slices, left: Math.max(0, combinations.length - MAX_SLICES) };
}

export type Quantity = "mean" | "sd";

/** The number that a cell shows; NaN where it has none. */
export const quantityAt = (condition: SweepCondition, metric: string, quantity: Quantity): number =>
  isShown(condition, metric) ? spreadAt(condition, metric)[quantity] : Number.NaN;

/** One scale for all slices, so that a colour means the same in each; diverged cells have no say in it. */
function scaleFor(table: SweepTable, metric: string, quantity: Quantity): ColourScale {
  const values = table.conditions.map((c) => quantityAt(c, metric, quantity)).filter(Number.isFinite);
  return quantity === "mean" && isRatio(metric) ? ratioScale(values) : sequentialScale(values);
}

const [PLOT_WIDTH, PLOT_HEIGHT] = [360, 290];
const LEFT = MARGINS.marginLeft;
const HEAD = 26;
const BAR_GAP = 14;
const PANEL = { width: LEFT + PLOT_WIDTH + BAR_GAP + COLOUR_BAR_WIDTH, height: HEAD + PLOT_HEIGHT + 48 };
const COLUMN_GAP = 32;
const ROW_GAP = 18;

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Cells {
  readonly column: (condition: SweepCondition) => number;
  readonly line: (condition: SweepCondition) => number;
  /** Left, top, right, bottom of a cell, pixels. */
  readonly box: (column: number, line: number) => readonly [number, number, number, number];
}

function cellsIn(area: Area, axes: readonly [SweepAxis, SweepAxis], plane: Plane): Cells {
  const [x, y] = axes.map(axisLayout) as [AxisLayout, AxisLayout];
  const at = (edges: readonly number[], i: number): number => edges[i] as number;
  return {
    column: (c) => axes[0].values.indexOf(c.at[plane.x] as number),
    line: (c) => axes[1].values.indexOf(c.at[plane.y] as number),
    box: (column, line) => [
      area.x + at(x.edges, column) * area.width,
      area.y + (1 - at(y.edges, line + 1)) * area.height,
      area.x + at(x.edges, column + 1) * area.width,
      area.y + (1 - at(y.edges, line)) * area.height,
    ],
  };
}

const rectangle = ([l, t, r, b]: readonly [number, number, number, number]): string =>
  `M${px(l)} ${px(t)}H${px(r)}V${px(b)}H${px(l)}z`;

/** All cells of a colour are one path: a map of 10⁴ cells stays a small file. */
function cellPaths(conditions: readonly SweepCondition[], cells: Cells, fill: (c: SweepCondition) => string): string {
  const byColour = new Map<string, string[]>();
  for (const c of conditions) {
    const colour = fill(c);
    const paths = byColour.get(colour) ?? [];
    paths.push(rectangle(cells.box(cells.column(c), cells.line(c))));
    byColour.set(colour, paths);
  }
  // Without crisp edges, renderers leave seams between neighbours.
  const paths = [...byColour].map(([colour, d]) => `<path d="${d.join("")}" fill="${colour}"/>`);
  return `<g shape-rendering="crispEdges">${paths.join("")}</g>`;
}

/** The line around the hatched region: every side of a diverged cell beyond which there is a cell that is not. */
function divergenceBorder(conditions: readonly SweepCondition[], cells: Cells): string {
  const diverged = new Set(conditions.filter(isDiverged).map((c) => `${cells.column(c)} ${cells.line(c)}`));
  const present = new Set(conditions.map((c) => `${cells.column(c)} ${cells.line(c)}`));
  const isBorder = (column: number, line: number): boolean =>
    present.has(`${column} ${line}`) && !diverged.has(`${column} ${line}`);
  const sides = [...diverged].map((key) => {
    const [column, line] = key.split(" ").map(Number) as [number, number];
    const [l, t, r, b] = cells.box(column, line).map(px) as [string, string, string, string];
    return [
      isBorder(column - 1, line) ? `M${l} ${t}V${b}` : "",
      isBorder(column + 1, line) ? `M${r} ${t}V${b}` : "",
      isBorder(column, line + 1) ? `M${l} ${t}H${r}` : "",
      isBorder(column, line - 1) ? `M${l} ${b}H${r}` : "",
    ].join("");
  });
  const d = sides.join("");
  return d === "" ? "" : `<path d="${d}" fill="none" stroke="${INK}" stroke-width="1.2" stroke-linecap="square"/>`;
}

/** Diagonal lines; the id must be the figure's own, for a page holds several. */
const hatchPattern = (id: string): string =>
  `<defs><pattern id="${id}" patternUnits="userSpaceOnUse" width="6" height="6" patternTransform="rotate(45)">` +
  `<path d="M0 3H6" stroke="${MUTED}" stroke-width="1.1"/></pattern></defs>`;

interface PanelOptions {
  readonly table: SweepTable;
  readonly plane: Plane;
  readonly conditions: readonly SweepCondition[];
  readonly metric: string;
  readonly quantity: Quantity;
  readonly colours: ColourScale;
  readonly hatch: string;
  readonly x: number;
  readonly y: number;
  readonly letter: string;
}

function panel(p: PanelOptions): string {
  const { table, plane, conditions, metric, quantity, colours } = p;
  const axes = [table.axes[plane.x], table.axes[plane.y]] as [SweepAxis, SweepAxis];
  const area: Area = { x: p.x + LEFT, y: p.y + HEAD, width: PLOT_WIDTH, height: PLOT_HEIGHT };
  const cells = cellsIn(area, axes, plane);
  const value = (c: SweepCondition): number => quantityAt(c, metric, quantity);
  const diverged = conditions.filter(isDiverged);
  const title = quantity === "mean" ? metricLabel(metric) : sdLabel(metric);
  const hatched = diverged.map((c) => rectangle(cells.box(cells.column(c), cells.line(c)))).join("");
  const [x, y] = axes.map(axisLayout) as [AxisLayout, AxisLayout];
  const axisOf = (layout: AxisLayout, axis: SweepAxis) => ({
    label: axis.title,
    ...(layout.ticks === undefined ? { ticks: 7 } : { ticks: [...layout.ticks] }),
    ...(layout.format === undefined ? {} : { format: layout.format }),
  });
  const frame = chart(
    {
      width: LEFT + PLOT_WIDTH + 8,
      height: PLOT_HEIGHT + 48,
      marginLeft: LEFT,
      marginRight: 8,
      marginTop: 0,
      marginBottom: 48,
      x: { type: x.type, domain: [...x.domain] },
      y: { type: y.type, domain: [...y.domain] },
      marks: [...xAxis(axisOf(x, axes[0])), ...yAxis({ ...axisOf(y, axes[1]), grid: false })],
    },
    p.x,
    p.y + HEAD,
  );
  return [
    text(p.x + LEFT - 34, p.y + 12, p.letter, { size: 13, weight: 600 }),
    text(p.x + LEFT, p.y + 12, fitText(title, 13, PANEL.width - LEFT), { size: 13, weight: 600 }),
    `<rect x="${area.x}" y="${area.y}" width="${area.width}" height="${area.height}" fill="${CORRIDOR}"/>`,
    cellPaths(
      conditions.filter((c) => Number.isFinite(value(c))),
      cells,
      (c) => colours.colour(value(c)),
    ),
    hatched === ""
      ? ""
      : `<path d="${hatched}" fill="${PAPER}"/><path d="${hatched}" fill="url(#${p.hatch})"/>${divergenceBorder(conditions, cells)}`,
    referenceMark(table, conditions, cells),
    `<rect x="${area.x}" y="${area.y}" width="${area.width}" height="${area.height}" fill="none" stroke="${MUTED}" stroke-width="0.8"/>`,
    frame,
    colourBar(colours, { x: area.x + area.width + BAR_GAP, y: area.y, height: area.height }),
  ].join("");
}

function sdLabel(metric: string): string {
  const unit = metricUnit(metric);
  const label = metricLabel(metric);
  const title = unit === "" || unit === metric ? label : label.slice(0, label.lastIndexOf(" ("));
  return `${title}, sd${unit === "" || unit === metric ? "" : ` (${unit})`}`;
}

const ring = (x: number, y: number): string => {
  const at = `cx="${px(x)}" cy="${px(y)}" r="4" fill="none"`;
  return `<circle ${at} stroke="rgb(255,255,255)" stroke-width="3.4"/><circle ${at} stroke="rgb(20,22,26)" stroke-width="1.4"/>`;
};

/** What the hatching, the bare ground and the ring mean, as far as the figure has them. */
function signs(
  table: SweepTable,
  conditions: readonly SweepCondition[],
  metrics: readonly string[],
  hatch: string,
  y: number,
): string {
  const reference = referenceCondition(table);
  const bare = metrics.filter((metric) => conditions.some((c) => !isDiverged(c) && !isShown(c, metric)));
  const entries: (readonly [draw: (x: number) => string, label: string])[] = [];
  if (conditions.some(isDiverged)) {
    const box = (x: number): string => `x="${x}" y="${y - 5}" width="20" height="12"`;
    entries.push([
      (x) =>
        `<rect ${box(x)} fill="${PAPER}"/><rect ${box(x)} fill="url(#${hatch})" stroke="${INK}" stroke-width="1"/>`,
      "more than half of the rollouts diverged",
    ]);
  }
  if (bare.length > 0) {
    entries.push([
      (x) =>
        `<rect x="${x}" y="${y - 5}" width="20" height="12" fill="${CORRIDOR}" stroke="${MUTED}" stroke-width="0.8"/>`,
      bare.every(isRatio) ? "a network's median rollout never arrives" : "not defined",
    ]);
  }
  if (reference !== undefined && conditions.includes(reference)) {
    const values = table.axes.map((axis, i) => axisValueText(axis, reference.at[i] as number)).join(", ");
    entries.push([(x) => ring(x + 10, y + 1), `plain replay (${values})`]);
  }
  let x = LEFT;
  return entries
    .map(([draw, label]) => {
      const part = draw(x) + text(x + 28, y + 5, label, { size: 11.5 });
      x += 28 + textWidth(label, 11.5) + 32;
      return part;
    })
    .join("");
}

/** A ring on the condition that the others are compared with. */
function referenceMark(table: SweepTable, conditions: readonly SweepCondition[], cells: Cells): string {
  const reference = referenceCondition(table);
  if (reference === undefined || !conditions.includes(reference)) return "";
  const [l, t, r, b] = cells.box(cells.column(reference), cells.line(reference));
  return ring((l + r) / 2, (t + b) / 2);
}

/**
 * One figure per slice: a map per metric, two abreast, each with its own colour bar.
 * @param name file stem; a slice's label is added where there are several
 */
export function figuresPhase(
  table: SweepTable,
  plane: Plane,
  metrics: readonly string[],
  quantity: Quantity,
  name: string,
): { readonly figure: Figure; readonly slice: Slice }[] {
  const { slices } = slicesOf(table, plane);
  const scales = metrics.map((metric) => scaleFor(table, metric, quantity));
  return slices.map((own, s) => {
    const stem = slices.length === 1 ? name : `${name}-${s + 1}`;
    const hatch = `hatch-${stem}`;
    const head = own.label === "" ? 0 : 30;
    const columns = Math.min(2, metrics.length);
    const panels = metrics.map((metric, i) =>
      panel({
        table,
        plane,
        conditions: own.conditions,
        metric,
        quantity,
        colours: scales[i] as ColourScale,
        hatch,
        x: (i % columns) * (PANEL.width + COLUMN_GAP),
        y: head + Math.floor(i / columns) * (PANEL.height + ROW_GAP),
        letter: String.fromCharCode(97 + i),
      }),
    );
    const lines = Math.ceil(metrics.length / columns);
    const bottom = head + lines * PANEL.height + (lines - 1) * ROW_GAP;
    const key = signs(table, own.conditions, metrics, hatch, bottom + 12);
    const names = metrics.map(metricLabel).join(", ");
    const [x, y] = [table.axes[plane.x], table.axes[plane.y]] as [SweepAxis, SweepAxis];
    return {
      slice: own,
      figure: {
        name: stem,
        width: columns * PANEL.width + (columns - 1) * COLUMN_GAP,
        height: bottom + (key === "" ? 0 : 24),
        body:
          hatchPattern(hatch) +
          (own.label === "" ? "" : text(0, 14, own.label, { size: 15, weight: 600 })) +
          panels.join("") +
          key,
        description: `${quantity === "mean" ? "Maps" : "Spread over networks"} of ${names} over ${x.title} and ${y.title}${own.label === "" ? "" : `, ${own.label}`}; hatched where more than half of the rollouts diverged.`,
      },
    };
  });
}
