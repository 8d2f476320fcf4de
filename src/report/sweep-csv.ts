import { type CsvRow, type CsvValue, formatCsv } from "../io/csv.ts";
import type { Geometry } from "../metrics/geometry.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { choosePaths } from "./paths.ts";
import type { Occupancy } from "./sweep-occupancy.ts";
import type { PanelLayout } from "./sweep-panels.ts";
import type { Standout } from "./sweep-standouts.ts";
import { divergedShare, isShown, metricUnit, type SweepCondition, type SweepTable, spreadAt } from "./sweep-table.ts";
import { MAX_SAMPLES, PATHS_PER_PANEL } from "./sweep-trajectories.ts";

/** The numbers behind each figure of a sweep. */

/** Seven digits, as float32 has them. pandas reads an empty field as NaN and "inf" as infinity. */
function cell(x: number): CsvValue {
  if (Number.isNaN(x)) return null;
  return Number.isFinite(x) ? Number(x.toPrecision(7)) : x > 0 ? "inf" : "-inf";
}

const place = (table: SweepTable, c: SweepCondition): CsvRow => ({
  condition: c.name,
  ...Object.fromEntries(table.axes.map((axis, i) => [axis.name, c.at[i] as number])),
});

const placeColumns = (table: SweepTable): string[] => ["condition", ...table.axes.map((axis) => axis.name)];

/**
 * Of maps and curves: one line per condition and metric; mean, sd and n over networks, whether the figure shows them,
 * then every network.
 */
export function metricsBehind(table: SweepTable, metrics: readonly string[]): string {
  const networks = [...new Set(table.conditions.flatMap((c) => c.records.map((r) => r.network)))].sort((a, b) => a - b);
  const rows = table.conditions.flatMap((c) =>
    metrics.map((metric) => {
      const { mean, sd, n } = spreadAt(c, metric);
      return {
        ...place(table, c),
        metric,
        unit: metricUnit(metric),
        mean: cell(mean),
        sd: cell(sd),
        n,
        diverged: cell(divergedShare(c)),
        shown: Number(isShown(c, metric)),
        ...Object.fromEntries(
          c.records.map((r) => [`network_${r.network}`, cell(r.values[metric] ?? Number.NaN)] as const),
        ),
      };
    }),
  );
  const fixed = ["metric", "unit", "mean", "sd", "n", "diverged", "shown"];
  return formatCsv([...placeColumns(table), ...fixed, ...networks.map((s) => `network_${s}`)], rows);
}

/** The positions that the panels draw: one line per position. @param networks numbers of the tensors' networks */
export function trajectoriesBehind(
  table: SweepTable,
  layout: PanelLayout,
  positions: ReadonlyMap<string, Tensor>,
  every: number,
  networks?: readonly number[],
): string {
  const rows = layout.cells.flatMap(({ condition }) => {
    const tensor = positions.get(condition.name);
    if (tensor === undefined) return [];
    const [, T = 0, R = 0] = tensor.shape;
    const stride = Math.max(1, Math.ceil(T / MAX_SAMPLES));
    const own = place(table, condition);
    return choosePaths(tensor, PATHS_PER_PANEL).flatMap(({ network, row }) =>
      Array.from({ length: Math.ceil(T / stride) }, (_, i) => {
        const at = ((network * T + i * stride) * R + row) * 2;
        const [x, y] = [tensor.data[at] as number, tensor.data[at + 1] as number];
        return {
          ...own,
          network: networks?.[network] ?? network,
          repeat: row,
          step: (i * stride + 1) * every,
          x: cell(x),
          y: cell(y),
        };
      }),
    );
  });
  return formatCsv([...placeColumns(table), "network", "repeat", "step", "x", "y"], rows);
}

/** Cells of the coverage grid that were entered: centre in metres, share of all steps. */
function cellsEntered(shares: ArrayLike<number>, { box }: Geometry): { x: number; y: number; share: CsvValue }[] {
  const side = box.side / box.cells;
  const centre = (from: number, i: number): number => Number((from + (i + 0.5) * side).toPrecision(6));
  return Array.from(shares).flatMap((share, i) =>
    share === 0
      ? []
      : [{ x: centre(box.x, i % box.cells), y: centre(box.y, Math.floor(i / box.cells)), share: cell(share) }],
  );
}

export function occupancyBehind(
  table: SweepTable,
  layout: PanelLayout,
  geometry: Geometry,
  occupancy: Occupancy,
): string {
  const rows = layout.cells.flatMap(({ condition }) =>
    cellsEntered(occupancy.get(condition.name) ?? [], geometry).map((entered) => ({
      ...place(table, condition),
      ...entered,
    })),
  );
  return formatCsv([...placeColumns(table), "x", "y", "share"], rows);
}

export function standoutsBehind(found: readonly Standout[], geometry: Geometry, occupancy: Occupancy): string {
  const rows = found.flatMap(({ name, where, condition }) =>
    cellsEntered(occupancy.get(condition) ?? [], geometry).map((entered) => ({ name, where, condition, ...entered })),
  );
  return formatCsv(["name", "where", "condition", "x", "y", "share"], rows);
}
