/**
 * At which scale of time pieces of replay lie best along awake paths. A piece x_0 … x_L is laid along every awake path from
 * every start t₀ as x_i ↔ y(t₀ + s·i), straight lines between awake samples, and may be shifted:
 *
 *     d(s) = min over t₀ and paths of mean_i |(x_i − x̄) − (y(t₀ + s·i) − ȳ)|².
 *
 * The piece's scale is the minimiser, refined by a parabola in log s; that of a set of pieces is the mean of log s without
 * the outer tenths. Where a replay lies is for the off-path distance to say: here it would only thin out the paths that a
 * piece can be compared with. Pure, float64.
 */
import { mean } from "../../metrics/statistics.ts";

/** (row, time, dimension). */
export interface Paths {
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly steps: number;
  readonly dimensions: number;
  /** Samples of each row that count: the others are no travel. All without. */
  readonly until?: ArrayLike<number>;
}

export interface Piece {
  readonly row: number;
  readonly from: number;
}

/** `count` values from `first` to `last`, evenly apart in their logarithm. */
export function logScales([first, last, count]: readonly [number, number, number]): number[] {
  return Array.from({ length: count }, (_, i) => first * (last / first) ** (count < 2 ? 0 : i / (count - 1)));
}

/** Pieces of L steps, `every` steps apart, in all rows. */
export function piecesOf(p: Paths, length: number, every: number): Piece[] {
  const out: Piece[] = [];
  for (let row = 0; row < p.rows; row++) {
    const end = p.until?.[row] ?? p.steps;
    for (let from = 0; from + length < end; from += every) out.push({ row, from });
  }
  return out;
}

/** Distance between the means of a piece's first and last third: what noise of single steps leaves. */
function displacement(p: Paths, { row, from }: Piece, length: number): number {
  const third = Math.max(1, Math.floor((length + 1) / 3));
  let square = 0;
  for (let d = 0; d < p.dimensions; d++) {
    let difference = 0;
    for (let i = 0; i < third; i++) {
      const at = (row * p.steps + from + i) * p.dimensions + d;
      difference += (p.values[at + (length - third + 1) * p.dimensions] as number) - (p.values[at] as number);
    }
    square += (difference / third) ** 2;
  }
  return Math.sqrt(square);
}

/** The displacement that a quarter of the awake pieces exceed: that of a walk, however long the paths then stand. */
export function walkingDisplacement(awake: Paths, length: number): number {
  const all = piecesOf(awake, length, 1).map((piece) => displacement(awake, piece, length));
  return all.sort((a, b) => a - b)[Math.floor(0.75 * all.length)] ?? Number.NaN;
}

/** A piece that stands fits every path that stands, at any scale: it says nothing and is left out. */
export function movingPieces(p: Paths, pieces: readonly Piece[], length: number, least: number): Piece[] {
  return pieces.filter((piece) => displacement(p, piece, length) >= least);
}

/** L + 1 points at t₀ + s·i without their mean, into `out`. */
function sample(p: Paths, { row, from }: Piece, length: number, scale: number, out: Float64Array): void {
  const [D, points] = [p.dimensions, length + 1];
  for (let i = 0; i < points; i++) {
    const whole = Math.floor(scale * i + 1e-9);
    const part = Math.max(0, scale * i - whole);
    const at = (row * p.steps + from + whole) * D;
    for (let d = 0; d < D; d++) {
      const y = p.values[at + d] as number;
      out[i * D + d] = part < 1e-9 ? y : y + part * ((p.values[at + D + d] as number) - y);
    }
  }
  for (let d = 0; d < D; d++) {
    let centre = 0;
    for (let i = 0; i < points; i++) centre += (out[i * D + d] as number) / points;
    for (let i = 0; i < points; i++) out[i * D + d] = (out[i * D + d] as number) - centre;
  }
}

/** Steps between two starts along an awake path. */
const START_EVERY = 2;

export interface AwakeLibrary {
  readonly length: number;
  /** Ascending, evenly apart in their logarithm. */
  readonly scales: readonly number[];
  /** [scale]: (piece, point, dimension), each without its mean. */
  readonly pieces: readonly Float64Array[];
  /** Displacement of a walk over a piece. */
  readonly walk: number;
}

/** Every awake piece at every scale: what all replays of a network are compared with. */
export function awakeLibrary(awake: Paths, length: number, scales: readonly number[]): AwakeLibrary {
  const width = (length + 1) * awake.dimensions;
  const pieces = scales.map((scale) => {
    const starts = piecesOf(awake, Math.ceil(scale * length - 1e-9), START_EVERY);
    const out = new Float64Array(starts.length * width);
    starts.forEach((start, i) => {
      sample(awake, start, length, scale, out.subarray(i * width, (i + 1) * width));
    });
    return out;
  });
  return { length, scales, pieces, walk: walkingDisplacement(awake, length) };
}

/** Least sum of squares to any awake piece of a scale; ∞ where no awake path is long enough. */
function nearest(x: Float64Array, pieces: Float64Array): number {
  const width = x.length;
  let best = Number.POSITIVE_INFINITY;
  for (let at = 0; at < pieces.length; at += width) {
    let sum = 0;
    for (let i = 0; i < width && sum < best; i++) {
      const e = (x[i] as number) - (pieces[at + i] as number);
      sum += e * e;
    }
    if (sum < best) best = sum;
  }
  return best;
}

/** log of the best scale, and the least distance in the units of the paths. */
function ofPiece(x: Float64Array, library: AwakeLibrary): { readonly logScale: number; readonly distance: number } {
  const { scales, length } = library;
  const sums = library.pieces.map((pieces) => nearest(x, pieces));
  const best = sums.indexOf(Math.min(...sums));
  const [before, at, after] = [sums[best - 1], sums[best] as number, sums[best + 1]];
  const isInside = before !== undefined && after !== undefined && Number.isFinite(after);
  const curvature = isInside ? before - 2 * at + after : 0;
  const shift = curvature > 0 ? (0.5 * ((before as number) - (after as number))) / curvature : 0;
  const step = scales.length < 2 ? 0 : Math.log((scales[1] as number) / (scales[0] as number));
  return { logScale: Math.log(scales[best] as number) + step * shift, distance: Math.sqrt(at / (length + 1)) };
}

export interface TimeScale {
  /** Awake steps per step of the replay, as found: above 1 the replay is compressed. NaN without pieces. */
  readonly scale: number;
  /** Root of the mean square distance to the nearest awake pieces, in the units of the paths. */
  readonly distance: number;
}

/** Values left out at each end of the mean. */
const TRIMMED = 0.1;

export function timeScale(replay: Paths, pieces: readonly Piece[], library: AwakeLibrary): TimeScale {
  const x = new Float64Array((library.length + 1) * replay.dimensions);
  const found = pieces.map((piece) => {
    sample(replay, piece, library.length, 1, x);
    return ofPiece(x, library);
  });
  const logs = found.map((f) => f.logScale).sort((a, b) => a - b);
  const cut = Math.floor(TRIMMED * logs.length);
  return {
    scale: Math.exp(mean(logs.slice(cut, logs.length - cut))),
    distance: Math.sqrt(mean(found.map((f) => f.distance ** 2))),
  };
}
