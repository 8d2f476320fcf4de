import type { RateGrid } from "../metrics/rate-maps.ts";
import type { Environment } from "./environment.ts";
import { FINE, overlay, panelHeight } from "./ground.ts";
import { px, text } from "./svg.ts";
import { HEAT_STEPS, heatColour, MUTED } from "./theme.ts";

/** A map of amounts in an environment: occupancy, rates. */

/** Cells of equal size; numbers run along x first, from the lower left. Metres. */
export type Grid = RateGrid;

export interface HeatScale {
  readonly high: number;
  /** Share of the colours that an amount takes; below 0: not drawn. */
  readonly share: (amount: number) => number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly label: string;
}

export interface HeatPanel {
  readonly environment: Environment;
  readonly grid: Grid;
  /** Per cell; NaN where there is nothing to say. */
  readonly values: ArrayLike<number>;
  readonly scale: Pick<HeatScale, "share">;
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

const step = (share: number): number => Math.min(HEAT_STEPS - 1, Math.floor(share * HEAT_STEPS));

export function heatPanel(p: HeatPanel): string {
  const { environment, grid, width } = p;
  const { view } = environment;
  const height = panelHeight(view, width);
  const unit = (width * FINE) / view.width;
  const across = (column: number): number =>
    Math.round((grid.x + (column * grid.width) / grid.columns - view.x) * unit);
  const down = (line: number): number =>
    Math.round((view.y + view.height - grid.y - (line * grid.height) / grid.lines) * unit);
  // One path per colour, and one rectangle per run of equal cells.
  const byColour: string[][] = Array.from({ length: HEAT_STEPS }, () => []);
  for (let line = 0; line < grid.lines; line++) {
    const [top, bottom] = [down(line + 1), down(line)];
    let open = -1;
    let from = 0;
    for (let column = 0; column <= grid.columns; column++) {
      const value = column < grid.columns ? (p.values[line * grid.columns + column] as number) : Number.NaN;
      const share = p.scale.share(value);
      const colour = share >= 0 ? step(share) : -1;
      if (colour === open) continue;
      if (open >= 0) {
        const w = across(column) - across(from);
        byColour[open]?.push(`M${across(from)} ${top}h${w}v${bottom - top}h${-w}z`);
      }
      [open, from] = [colour, column];
    }
  }
  const cells = byColour.flatMap((d, i) =>
    d.length === 0 ? [] : [`<path d="${d.join("")}" fill="${heatColour(i)}"/>`],
  );
  return (
    `<svg x="${px(p.x)}" y="${px(p.y)}" width="${px(width)}" height="${px(height)}" ` +
    `viewBox="0 0 ${Math.round(width * FINE)} ${Math.round(height * FINE)}" overflow="hidden">` +
    `<g shape-rendering="crispEdges">${cells.join("")}</g>${overlay(environment, width)}</svg>`
  );
}

/** From 0 to the largest amount. */
export function linearHeat(high: number, label: string): HeatScale {
  const top = high > 0 ? high : 1;
  return {
    high: top,
    share: (v) => (Number.isNaN(v) ? -1 : Math.min(1, Math.max(0, v / top))),
    ticks: [0, top / 2, top].map((v) => ({ at: v / top, label: String(Number(v.toPrecision(2))) })),
    label,
  };
}

const DECADES = 3;

/** Shares of a whole over three decades below the largest: a replay that rests somewhere must not hide where it went. */
export function shareHeat(amounts: Iterable<number>, label: string): HeatScale {
  let high = 0;
  for (const v of amounts) if (v > high) high = v;
  const top = high > 0 ? high : 1;
  const share = (v: number): number => (v > 0 ? Math.max(0, 1 + Math.log10(v / top) / DECADES) : -1);
  const percent = (v: number): string => `${Number((100 * v).toPrecision(1))} %`;
  const decade = Math.floor(Math.log10(top));
  const round = Array.from({ length: DECADES + 1 }, (_, i) => 10 ** (decade - i)).filter((v) => share(v) > 0.02);
  return {
    high: top,
    share,
    ticks: round.map((v) => ({ at: share(v), label: percent(v) })),
    label: `${label} (logarithmic)`,
  };
}

/** The colours' key: a strip with its label on the left. */
export function heatKey(scale: HeatScale, x: number, y: number, width: number): string {
  const w = width / HEAT_STEPS;
  const cells = Array.from(
    { length: HEAT_STEPS },
    (_, i) =>
      `<rect x="${px(x + i * w)}" y="${px(y)}" width="${px(w + (i < HEAT_STEPS - 1 ? 0.5 : 0))}" height="6" fill="${heatColour(i)}"/>`,
  );
  const ticks = scale.ticks.map(
    ({ at, label }) =>
      `<path d="M${px(x + at * width)} ${px(y + 6)}v3" stroke="${MUTED}" fill="none"/>` +
      text(x + at * width, y + 20, label, { size: 10, fill: MUTED, anchor: "middle" }),
  );
  return cells.join("") + ticks.join("") + text(x - 10, y + 7, scale.label, { size: 11, anchor: "end" });
}
