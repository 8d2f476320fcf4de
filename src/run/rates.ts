/** Rate maps of hidden units on awake test paths: collected while they run, kept in the replay file, read back for the report. */
import { pathTask } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError } from "../errors.ts";
import type { ArrayToWrite, Npz } from "../io/npz.ts";
import { geometryOf } from "../metrics/geometry.ts";
import { cellsOf, type RateGrid, type RateMaps, RateSums } from "../metrics/rate-maps.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import type { StateVisitor } from "../train/test-batch.ts";

/** Cells along each side of the square in which the task takes place. */
const CELLS = 25;

export function rateGrid(config: ExperimentConfig): RateGrid {
  const { x, y, side } = geometryOf(pathTask(config)).box;
  return { x, y, width: side, height: side, columns: CELLS, lines: CELLS };
}

export const RATE_ARRAY = "awake_rate";
export const VISITS_ARRAY = "awake_visits";

/** Of the two arrays below. */
export const rateBytes = (config: ExperimentConfig): number =>
  (config.task.kind === "tensors" ? 0 : 4) * config.seeds.length * CELLS ** 2 * (config.rnn.units + 1);

/** `awake_rate` (network, y, x, unit), NaN where nothing was, and `awake_visits` (network, y, x), in steps. */
export function awakeRates(config: ExperimentConfig): {
  readonly visit: StateVisitor;
  readonly arrays: () => Record<string, ArrayToWrite>;
} {
  const grid = rateGrid(config);
  const { units } = config.rnn;
  const sums = config.seeds.map(() => new RateSums(grid, units));
  return {
    visit: (network, x, y, states, from) => sums[network]?.add(x, y, states, from),
    arrays: () => {
      const cells = cellsOf(grid);
      const rates = new Float32Array(sums.length * cells * units);
      const visits = new Float32Array(sums.length * cells);
      sums.forEach((s, n) => {
        const maps = s.maps();
        rates.set(maps.rates, n * cells * units);
        visits.set(maps.visits, n * cells);
      });
      return {
        [RATE_ARRAY]: { data: rates, shape: [sums.length, grid.lines, grid.columns, units] },
        [VISITS_ARRAY]: { data: visits, shape: [sums.length, grid.lines, grid.columns] },
      };
    },
  };
}

/** The same of a replay whose states were kept: r against the decoded position, (network, time, row, …) both. */
export function replayRates(config: ExperimentConfig, positions: Tensor, states: Tensor): RateMaps[] {
  const grid = rateGrid(config);
  const [S = 0, T = 0, R = 0, N = 0] = states.shape;
  return Array.from({ length: S }, (_, s) => {
    const sums = new RateSums(grid, N);
    for (let i = s * T * R; i < (s + 1) * T * R; i++) {
      sums.add(positions.data[2 * i] as number, positions.data[2 * i + 1] as number, states.data, i * N);
    }
    return sums.maps();
  });
}

/** @throws DataError where the arrays are not what `awakeRates` writes; undefined where there are none (older files) */
export function readRates(npz: Npz, path: string, config: ExperimentConfig): RateMaps[] | undefined {
  const [rates, visits] = [npz.get(RATE_ARRAY), npz.get(VISITS_ARRAY)];
  if (rates === undefined || visits === undefined) return undefined;
  const { lines, columns } = rateGrid(config);
  const { units } = config.rnn;
  const networks = config.seeds.length;
  const shape = [networks, lines, columns, units].join();
  if (rates.shape.join() !== shape || visits.shape.join() !== shape.slice(0, shape.lastIndexOf(","))) {
    throw new DataError(
      `${path}: ${RATE_ARRAY} has shape (${rates.shape.join(", ")}), not (${shape}); write the file again with reverie replay`,
    );
  }
  const cells = lines * columns;
  return Array.from({ length: networks }, (_, n) => ({
    units,
    rates: Float64Array.from((rates.data as Float32Array).subarray(n * cells * units, (n + 1) * cells * units)),
    visits: Float64Array.from((visits.data as Float32Array).subarray(n * cells, (n + 1) * cells)),
  }));
}
