import { mostSpatial, type RateGrid, type RateMaps } from "../metrics/rate-maps.ts";
import { MAX_RATE_NETWORKS, MAX_RATE_UNITS } from "./figure-rates.ts";
import { type Figure, px, text } from "./svg.ts";
import { CENTRELINE, conditionColour, MUTED } from "./theme.ts";

/** Activity of hidden units against direction, for tasks on the circle. */

const [WIDTH, LEFT, GAP, HEAD, FOOT] = [1000, 86, 20, 16, 40];
const DIRECTIONS = 36;

/** Mean activity in each of `DIRECTIONS` sectors, from 0° counter-clockwise; NaN where nothing was. */
export function tuningCurve(maps: RateMaps, grid: RateGrid, unit: number): Float64Array {
  const sums = new Float64Array(DIRECTIONS);
  const visits = new Float64Array(DIRECTIONS);
  maps.visits.forEach((n, cell) => {
    if (n === 0) return;
    const x = grid.x + (((cell % grid.columns) + 0.5) * grid.width) / grid.columns;
    const y = grid.y + ((Math.floor(cell / grid.columns) + 0.5) * grid.height) / grid.lines;
    const turn = Math.atan2(y, x) / (2 * Math.PI);
    const sector = Math.floor((turn - Math.floor(turn)) * DIRECTIONS) % DIRECTIONS;
    sums[sector] = (sums[sector] as number) + n * (maps.rates[cell * maps.units + unit] as number);
    visits[sector] = (visits[sector] as number) + n;
  });
  return sums.map((s, i) => s / (visits[i] as number));
}

/** Of each network, the units whose activity tells most about the direction; the outer circle is each unit's peak. */
export function figureTuning(grid: RateGrid, networks: readonly RateMaps[], seeds: readonly number[]): Figure {
  const shown = networks.slice(0, MAX_RATE_NETWORKS);
  const width = (WIDTH - LEFT - GAP * (MAX_RATE_UNITS - 1)) / MAX_RATE_UNITS;
  const radius = width / 2 - 8;
  const pitch = HEAD + width + FOOT;
  const lines = shown.map((maps, n) => {
    const y = n * pitch + HEAD;
    const panels = mostSpatial(maps, MAX_RATE_UNITS).map((m, i) => {
      const curve = tuningCurve(maps, grid, m.unit);
      const peak = Math.max(0, ...curve.filter((rate) => !Number.isNaN(rate))) || 1;
      const [cx, cy] = [LEFT + i * (width + GAP) + width / 2, y + width / 2];
      const points = [...curve].flatMap((rate, k) => {
        if (Number.isNaN(rate)) return [];
        const angle = (2 * Math.PI * (k + 0.5)) / DIRECTIONS;
        const r = (radius * rate) / peak;
        return [`${px(cx + r * Math.cos(angle))} ${px(cy - r * Math.sin(angle))}`];
      });
      const colour = conditionColour(1);
      return (
        `<circle cx="${px(cx)}" cy="${px(cy)}" r="${px(radius)}" fill="none" stroke="${CENTRELINE}"/>` +
        `<circle cx="${px(cx)}" cy="${px(cy)}" r="${px(radius / 2)}" fill="none" stroke="${CENTRELINE}" stroke-dasharray="2 3"/>` +
        (points.length < 3
          ? ""
          : `<path d="M${points.join("L")}Z" fill="${colour}" fill-opacity="0.25" stroke="${colour}" stroke-width="1.5" stroke-linejoin="round"/>`) +
        text(cx - width / 2, y + width + 12, `unit ${m.unit}`, { size: 11, weight: 600 }) +
        text(cx + width / 2, y + width + 12, `peak ${Number(peak.toPrecision(2))}`, {
          size: 10.5,
          fill: MUTED,
          anchor: "end",
        }) +
        text(cx - width / 2, y + width + 26, `${m.information.toFixed(2)} bits`, { size: 10.5, fill: MUTED })
      );
    });
    return (
      text(0, y + width / 2, `network ${n}`, { size: 12, weight: 600 }) +
      text(0, y + width / 2 + 16, `seed ${seeds[n] ?? "?"}`, { size: 11, fill: MUTED }) +
      panels.join("")
    );
  });
  return {
    name: "tuning",
    width: WIDTH,
    height: shown.length * pitch,
    body: lines.join(""),
    description: `Polar tuning curves of the ${MAX_RATE_UNITS} units of ${shown.length} networks that tell most about the direction.`,
  };
}
