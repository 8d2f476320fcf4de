import { type CsvValue, formatCsv } from "../io/csv.ts";
import { mostSpatial, type RateGrid, type RateMaps } from "../metrics/rate-maps.ts";
import type { Grid } from "./heat.ts";
import type { ReportInput } from "./input.ts";

/** What the figures of a run draw, as tables beside them. pandas reads an empty field as NaN and "inf" as infinity. */

const cell = (v: number): CsvValue => {
  if (Number.isNaN(v)) return null;
  return Number.isFinite(v) ? Number(v.toPrecision(6)) : v > 0 ? "inf" : "-inf";
};

/** Steps until each replay arrived; inf = not within its length. */
export function reachBehind(input: ReportInput): string {
  const rows = input.records.flatMap(({ condition, network, reachTimes }) =>
    Array.from(reachTimes, (steps, repeat) => ({ condition, network, repeat, steps: cell(steps) })),
  );
  return formatCsv(["condition", "network", "repeat", "steps"], rows);
}

export function explorationBehind(input: ReportInput, axes: { readonly x: string; readonly y: string }): string {
  const values = (r: ReportInput["records"][number], name: string): CsvValue =>
    cell((r.values as Readonly<Record<string, number>>)[name] ?? Number.NaN);
  const rows = input.records.map((r) => ({
    condition: r.condition,
    network: r.network,
    [axes.x]: values(r, axes.x),
    [axes.y]: values(r, axes.y),
  }));
  return formatCsv(["condition", "network", axes.x, axes.y], rows);
}

/** Cells that were entered: centre in metres, share of all steps. */
export function occupancyBehind(
  maps: readonly { readonly name: string; readonly shares: ArrayLike<number> }[],
  g: Grid,
): string {
  const rows = maps.flatMap(({ name, shares }) =>
    Array.from(shares).flatMap((share, i) =>
      share === 0 ? [] : [{ condition: name, ...centre(g, i), share: cell(share) }],
    ),
  );
  return formatCsv(["condition", "x", "y", "share"], rows);
}

const centre = (g: RateGrid, i: number): { x: CsvValue; y: CsvValue } => ({
  x: cell(g.x + (((i % g.columns) + 0.5) * g.width) / g.columns),
  y: cell(g.y + ((Math.floor(i / g.columns) + 0.5) * g.height) / g.lines),
});

/** Histograms: the speeds between `low` and `high`, m/step, and the share of all times. */
export function speedBehind(
  ridges: readonly { readonly name: string; readonly shares: readonly number[] }[],
  most: number,
): string {
  const rows = ridges.flatMap(({ name, shares }) =>
    shares.map((share, i) => ({
      condition: name,
      low: cell((i / shares.length) * most),
      high: cell(((i + 1) / shares.length) * most),
      share: cell(share),
    })),
  );
  return formatCsv(["condition", "low", "high", "share"], rows);
}

/** The maps that are drawn: information in bits, rate in each cell. */
export function ratesBehind(grid: RateGrid, networks: readonly RateMaps[], count: number): string {
  const rows = networks.flatMap((maps, network) =>
    mostSpatial(maps, count).flatMap(({ unit, information, rates }) =>
      Array.from(rates).flatMap((rate, i) =>
        Number.isNaN(rate)
          ? []
          : [{ network, unit, bits: cell(information), ...centre(grid, i), visits: maps.visits[i], rate: cell(rate) }],
      ),
    ),
  );
  return formatCsv(["network", "unit", "bits", "x", "y", "visits", "rate"], rows);
}

export function lossBehind(loss: NonNullable<ReportInput["loss"]>): string {
  const names = loss.perNetwork.map((_, n) => `network_${n}`);
  const rows = loss.iterations.map((iteration, i) => ({
    iteration,
    ...Object.fromEntries(loss.perNetwork.map((own, n) => [`network_${n}`, cell(own[i] ?? Number.NaN)])),
  }));
  return formatCsv(["iteration", ...names], rows);
}
