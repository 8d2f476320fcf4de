import * as Plot from "@observablehq/plot";
import { chart } from "./chart.ts";
import { formatNumber } from "./format.ts";
import { px } from "./svg.ts";
import type { ColourScale } from "./sweep-colours.ts";
import { MUTED } from "./theme.ts";

/** What the colours of a map mean. */

const [BAR, LABELS] = [12, 44];
/** Pixels, numbers included. */
export const COLOUR_BAR_WIDTH = BAR + LABELS;

/** A scale's colours with its numbers to the right; pointed at an end beyond which there are values. Pixels. */
export function colourBar(
  colours: ColourScale,
  area: { readonly x: number; readonly y: number; readonly height: number },
): string {
  const steps = 96;
  const [low, high] = colours.domain;
  const value = (share: number): number =>
    colours.type === "log" ? low * (high / low) ** share : low + share * (high - low);
  const cells = Array.from({ length: steps }, (_, i) => {
    const [top, bottom] = [(i / steps) * area.height, ((i + 1) / steps) * area.height];
    const colour = colours.colour(value(1 - (i + 0.5) / steps));
    return `<rect x="${px(area.x)}" y="${px(area.y + top)}" width="${BAR}" height="${px(bottom - top + 0.4)}" fill="${colour}"/>`;
  });
  const arrow = (y: number, up: number, colour: string): string =>
    `<path d="M${px(area.x)} ${px(y)}l${BAR / 2} ${-up * 8}l${BAR / 2} ${up * 8}z" fill="${colour}"/>`;
  const arrows =
    (colours.above ? arrow(area.y, 1, colours.colour(high)) : "") +
    (colours.below ? arrow(area.y + area.height, -1, colours.colour(low)) : "");
  const margin = 6;
  const log = colours.type === "log";
  const ticks = log ? ratioTicks(low, high) : undefined;
  const axis = chart(
    {
      width: LABELS + 4,
      height: area.height + 2 * margin,
      marginLeft: 0,
      marginRight: LABELS,
      marginTop: margin,
      marginBottom: margin,
      x: { axis: null },
      y: { type: colours.type, domain: [low, high] },
      marks: [
        Plot.axisY({
          anchor: "right",
          label: null,
          tickSize: 3,
          tickPadding: 4,
          color: MUTED,
          fontSize: 10.5,
          ...(ticks === undefined
            ? { ticks: 5, tickFormat: (v: number) => formatTick(v, high - low) }
            : { ticks, tickFormat: formatRatio }),
        }),
      ],
    },
    area.x + BAR - 4,
    area.y - margin,
  );
  return `<g shape-rendering="crispEdges">${cells.join("")}</g>${arrows}${axis}`;
}

/** Enough decimals that neighbouring ticks differ, no more. */
function formatTick(v: number, span: number): string {
  if (v === 0) return "0";
  if (Math.abs(v) >= 1e5 || span < 1e-4) return formatNumber(v, 2);
  const decimals = Math.max(0, Math.min(5, 1 - Math.floor(Math.log10(span))));
  return String(Number(v.toFixed(decimals))).replace("-", "\u2212");
}

const formatRatio = (v: number): string => String(Number(v.toPrecision(3)));

function ratioTicks(low: number, high: number): number[] {
  const choices =
    high / low < 2
      ? [0.75, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3]
      : high / low < 6
        ? [0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2]
        : high / low < 150
          ? [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10]
          : [0.001, 0.01, 0.1, 1, 10, 100, 1000];
  return choices.filter((t) => t >= low * 0.999 && t <= high * 1.001);
}
