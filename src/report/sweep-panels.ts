import type { Environment } from "./environment.ts";
import { panelHeight } from "./ground.ts";
import { fitText, px, text } from "./svg.ts";
import { axisValueText, type SweepAxis, spreadOut } from "./sweep-axes.ts";
import { isDiverged, type SweepCondition, type SweepTable } from "./sweep-table.ts";
import { HAIRLINE, INK, PAPER } from "./theme.ts";

/** Small multiples: a maze for each of some conditions, laid out as the parameters are. */

export interface PanelLayout {
  /** Values of the axis across; "" where each panel has a title of its own. */
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

export interface Placed {
  readonly condition: SweepCondition;
  readonly x: number;
  readonly y: number;
}

export interface Sheet {
  readonly width: number;
  /** Where the panels end. */
  readonly bottom: number;
  readonly panelWidth: number;
  readonly environment: Environment;
  /** Frames and titles; lie over what panels hold. */
  readonly body: string;
  readonly placed: readonly Placed[];
}

const [WIDTH, GAP, HEAD] = [1000, 10, 22];

/** On a ground of its own: paths of diverged rollouts are everywhere. */
const divergedMark = (x: number, y: number): string =>
  `<rect x="${px(x + 1)}" y="${px(y - 18)}" width="58" height="17" fill="${PAPER}"/>` +
  text(x + 6, y - 6, "diverged", { size: 10.5, fill: INK });

/** Frames, titles and places of the panels. */
export function sheet(layout: PanelLayout, environment: Environment): Sheet {
  const { view } = environment;
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
      isDiverged(condition) ? divergedMark(x, y + height) : "",
    ].join("");
  });
  return {
    // The frame's own width.
    width: left + columns * panelWidth + (columns - 1) * GAP + 1,
    bottom: HEAD + layout.lines.length * pitch - GAP,
    panelWidth,
    environment,
    body: [...(isLoose ? [] : [...heads, ...sides]), ...frames].join(""),
    placed: layout.cells.map(({ condition, column, line }) => {
      const [x, y] = at(column, line);
      return { condition, x, y };
    }),
  };
}

export const fixedNote = (layout: PanelLayout, y: number): string =>
  layout.fixed === "" ? "" : text(0, y, layout.fixed, { size: 12 });
