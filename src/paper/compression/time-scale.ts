/**
 * By which factor a replay runs faster than experience: the scale at which pieces of it lie best along pieces of awake
 * paths. A piece of L steps is laid along every awake path from every start t₀, as x_i ↔ y(t₀ + s·i) with straight lines
 * between awake samples; the scale of a set of replays is the minimiser of
 *
 *     mean over pieces of min over t₀ and paths of √(mean_i |x_i − y(t₀ + s·i)|²),
 *
 * refined by a parabola in log s. It is a minimum over the set, not a mean over its pieces: a piece of straight path fits
 * a faster or slower path as well as its own, and only all together tell. Pure, float64.
 */

/** (row, time, dimension). */
export interface Paths {
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly steps: number;
  readonly dimensions: number;
}

export interface Piece {
  readonly row: number;
  readonly from: number;
}

/** `count` values from `first` to `last`, evenly apart in their logarithm. */
export function logScales([first, last, count]: readonly [number, number, number]): number[] {
  return Array.from({ length: count }, (_, i) => first * (last / first) ** (count < 2 ? 0 : i / (count - 1)));
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

/** Pieces of L steps, `every` steps apart, in all rows. */
export function piecesOf(p: Paths, length: number, every: number): Piece[] {
  const out: Piece[] = [];
  for (let row = 0; row < p.rows; row++) {
    for (let from = 0; from + length < p.steps; from += every) out.push({ row, from });
  }
  return out;
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

/** √ of the least mean square distance of a piece to the awake paths at one scale; ∞ where none is long enough. */
function bestDistance(x: Paths, { row, from }: Piece, length: number, awake: Paths, scale: number): number {
  const D = x.dimensions;
  const points = length + 1;
  const [whole, part] = [new Int32Array(points), new Float64Array(points)];
  for (let i = 0; i < points; i++) {
    whole[i] = Math.floor(scale * i + 1e-9);
    part[i] = Math.max(0, scale * i - (whole[i] as number));
  }
  const last = Math.ceil(scale * length - 1e-9);
  const base = (row * x.steps + from) * D;
  let best = Number.POSITIVE_INFINITY;
  for (let r = 0; r < awake.rows; r++) {
    for (let t = 0; t + last < awake.steps; t++) {
      const start = (r * awake.steps + t) * D;
      let sum = 0;
      for (let i = 0; i < points && sum < best; i++) {
        const at = start + (whole[i] as number) * D;
        const f = part[i] as number;
        for (let d = 0; d < D; d++) {
          const y = awake.values[at + d] as number;
          const z = f === 0 ? y : y + f * ((awake.values[at + D + d] as number) - y);
          const e = (x.values[base + i * D + d] as number) - z;
          sum += e * e;
        }
      }
      if (sum < best) best = sum;
    }
  }
  return Math.sqrt(best / points);
}

export interface TimeScale {
  /** Awake steps per step of the replay: above 1 the replay is compressed. NaN without pieces. */
  readonly factor: number;
  /** Mean distance to the awake paths at it, in the units of the paths. */
  readonly distance: number;
  /** Of each scale, mean over pieces. */
  readonly distances: readonly number[];
  /** Whether the best scale is an end of what was searched: the factor is then a bound. */
  readonly atEnd: boolean;
}

/** @param scales ascending, evenly apart in their logarithm */
export function timeScale(
  replay: Paths,
  pieces: readonly Piece[],
  length: number,
  awake: Paths,
  scales: readonly number[],
): TimeScale {
  const distances = scales.map(
    (s) => pieces.reduce((sum, piece) => sum + bestDistance(replay, piece, length, awake, s), 0) / pieces.length,
  );
  const finite = distances.map((d) => (Number.isFinite(d) ? d : Number.POSITIVE_INFINITY));
  const best = finite.indexOf(Math.min(...finite));
  if (pieces.length === 0 || !Number.isFinite(finite[best])) {
    return { factor: Number.NaN, distance: Number.NaN, distances, atEnd: false };
  }
  const [before, at, after] = [finite[best - 1], finite[best] as number, finite[best + 1]];
  const atEnd = before === undefined || after === undefined || !Number.isFinite(after);
  const curvature = atEnd ? 0 : before - 2 * at + after;
  const shift = curvature > 0 ? (0.5 * ((before as number) - (after as number))) / curvature : 0;
  const ratio = scales.length < 2 ? 1 : (scales[1] as number) / (scales[0] as number);
  return { factor: (scales[best] as number) * ratio ** shift, distance: at, distances, atEnd };
}
