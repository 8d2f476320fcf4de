/**
 * Where in the environment hidden units are active: the mean of max(r, 0) over the steps spent in each cell of a grid,
 * and how much such a map tells about the place (Skaggs et al., 1993).
 */

export interface RateGrid {
  /** Lower left corner and size, metres. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly lines: number;
}

/** The maps of one network. */
export interface RateMaps {
  readonly units: number;
  /** (cell, unit): sums while collecting, means once `rateMaps` made them. Cells run along x first, from the lower left. */
  readonly rates: Float64Array;
  /** (cell): steps spent there. */
  readonly visits: Float64Array;
}

export const cellsOf = (grid: Pick<RateGrid, "columns" | "lines">): number => grid.columns * grid.lines;

export class RateSums {
  readonly #grid: RateGrid;
  readonly #units: number;
  readonly #sums: Float64Array;
  readonly #visits: Float64Array;

  constructor(grid: RateGrid, units: number) {
    this.#grid = grid;
    this.#units = units;
    this.#sums = new Float64Array(cellsOf(grid) * units);
    this.#visits = new Float64Array(cellsOf(grid));
  }

  /** One step of a row: where it was, metres, and r, of which the first `units` count. */
  add(x: number, y: number, r: ArrayLike<number>, from = 0): void {
    const g = this.#grid;
    const column = Math.floor(((x - g.x) / g.width) * g.columns);
    const line = Math.floor(((y - g.y) / g.height) * g.lines);
    if (!(column >= 0 && column < g.columns && line >= 0 && line < g.lines)) return;
    const cell = line * g.columns + column;
    this.#visits[cell] = (this.#visits[cell] as number) + 1;
    const to = cell * this.#units;
    for (let i = 0; i < this.#units; i++) {
      const value = r[from + i] as number;
      if (value > 0) this.#sums[to + i] = (this.#sums[to + i] as number) + value;
    }
  }

  /** Means; NaN where nothing was. */
  maps(): RateMaps {
    const rates = this.#sums.map((sum, i) => sum / (this.#visits[Math.floor(i / this.#units)] as number));
    return { units: this.#units, rates, visits: this.#visits };
  }
}

/** Cells visited less often than this are left out: their means are noise. */
export const MIN_VISITS = 3;

export interface UnitMap {
  readonly unit: number;
  /** Per cell; NaN where there were too few visits. */
  readonly rates: Float64Array;
  readonly peak: number;
  readonly mean: number;
  /** Σ p (ρ/ρ̄) log₂(ρ/ρ̄): bits per unit of activity, "bits per spike" of a cell that fires in proportion to it. */
  readonly information: number;
}

export function unitMap(maps: RateMaps, unit: number): UnitMap {
  const cells = maps.visits.length;
  const rates = new Float64Array(cells).fill(Number.NaN);
  let steps = 0;
  let sum = 0;
  let peak = 0;
  for (let c = 0; c < cells; c++) {
    const visits = maps.visits[c] as number;
    if (visits < MIN_VISITS) continue;
    const rate = maps.rates[c * maps.units + unit] as number;
    rates[c] = rate;
    steps += visits;
    sum += visits * rate;
    peak = Math.max(peak, rate);
  }
  const mean = steps > 0 ? sum / steps : 0;
  let information = 0;
  for (let c = 0; c < cells && mean > 0; c++) {
    const ratio = (rates[c] as number) / mean;
    if (ratio > 0) information += ((maps.visits[c] as number) / steps) * ratio * Math.log2(ratio);
  }
  return { unit, rates, peak, mean, information };
}

/** Of a network's largest peak. A unit that is almost silent has large information by a few chance steps. */
const QUIET = 0.1;

/** The units that tell most about the place, first the most; at most `count`. */
export function mostSpatial(maps: RateMaps, count: number): UnitMap[] {
  const all = Array.from({ length: maps.units }, (_, unit) => unitMap(maps, unit)).filter(
    (m) => m.mean > 0 && Number.isFinite(m.peak),
  );
  const loudest = all.reduce((most, m) => Math.max(most, m.peak), 0);
  return all
    .filter((m) => m.peak >= QUIET * loudest)
    .sort((a, b) => b.information - a.information || a.unit - b.unit)
    .slice(0, count);
}
