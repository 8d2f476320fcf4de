import { mostSpatial, unitMap } from "../metrics/rate-maps.ts";
import { panelHeight } from "./ground.ts";
import { heatKey, heatPanel, linearHeat } from "./heat.ts";
import { environmentIn, type ReportInput } from "./input.ts";
import { type Figure, fitText, text } from "./svg.ts";
import { MUTED } from "./theme.ts";

const [WIDTH, LEFT, GAP, HEAD, FOOT] = [1000, 86, 12, 6, 36];
export const MAX_RATE_NETWORKS = 3;
export const MAX_RATE_UNITS = 8;

/**
 * Of each network, the units whose activity tells most about the place; each map from 0 to its own peak. Where the states
 * of a replay were kept, the same units in replay lie below, on the same scales.
 */
export function figureRates(
  input: ReportInput,
  { grid, networks, replay }: NonNullable<ReportInput["rates"]>,
  seeds: readonly number[],
): Figure {
  const environment = environmentIn(input);
  const shown = networks.slice(0, MAX_RATE_NETWORKS);
  const width = (WIDTH - LEFT - GAP * (MAX_RATE_UNITS - 1)) / MAX_RATE_UNITS;
  const height = panelHeight(environment.view, width);
  const below = replay === undefined ? 0 : height + 8;
  const pitch = HEAD + height + below + FOOT;
  const lines = shown.map((maps, n) => {
    const y = n * pitch + HEAD;
    const foot = y + height + below;
    const panels = mostSpatial(maps, MAX_RATE_UNITS).map((m, i) => {
      const x = LEFT + i * (width + GAP);
      const scale = linearHeat(m.peak, "");
      const again = replay?.networks[n];
      return (
        heatPanel({ environment, grid, values: m.rates, scale, x, y, width }) +
        (again === undefined
          ? ""
          : heatPanel({ environment, grid, values: unitMap(again, m.unit).rates, scale, x, y: y + below, width })) +
        text(x, foot + 14, `unit ${m.unit}`, { size: 11, weight: 600 }) +
        text(x + width, foot + 14, `peak ${Number(m.peak.toPrecision(2))}`, {
          size: 10.5,
          fill: MUTED,
          anchor: "end",
        }) +
        text(x, foot + 28, `${m.information.toFixed(2)} bits`, { size: 10.5, fill: MUTED })
      );
    });
    const note = (content: string, at: number): string =>
      text(0, at, fitText(content, 11, LEFT - 8), { size: 11, fill: MUTED });
    return (
      text(0, y + height / 2, `network ${n}`, { size: 12, weight: 600 }) +
      note(`seed ${seeds[n] ?? "?"}${replay === undefined ? "" : ", awake"}`, y + height / 2 + 16) +
      (replay === undefined ? "" : note(`replay, ${replay.label}`, y + below + height / 2 + 8)) +
      panels.join("")
    );
  });
  const bottom = shown.length * pitch + 10;
  const scale = {
    ...linearHeat(1, "activity max(r, 0), mean in a cell"),
    ticks: [
      { at: 0, label: "0" },
      { at: 1, label: "peak" },
    ],
  };
  return {
    name: "rates",
    width: WIDTH,
    height: bottom + 26,
    body: lines.join("") + heatKey(scale, WIDTH - 200 - 16, bottom, 200),
    description: `Mean activity of hidden units in each place, the ${MAX_RATE_UNITS} most spatial units of ${shown.length} networks.`,
  };
}
