/**
 * How far learners of the score are off after n samples, in the theory's own setting: states r ~ N(0, Σ_t) of H units
 * around a path of d dimensions, whose readout's rows are orthogonal and g long, so that in a basis along them Σ_t is
 * diagonal: ℓ² = p_t/g² + σ² for d units and σ² for the others. (Gaussian samples look the same in every basis.)
 *
 * What is learnt is the map σ² ∇ log p = M (r − mean), M = −I + D⁺ K_t D:
 *  - `whole`: M = −σ² Σ̂⁻¹ from the covariance of states, H(H + 1)/2 unknowns;
 *  - `leakGiven`: −I is given and K̂ = I − σ² D Dᵀ (D Σ̂ Dᵀ)⁻¹ from the readouts' covariance, d(d + 1)/2 unknowns;
 *  - `regressed`: D⁺ s_t, the clean state, regressed on all of r, d·H unknowns;
 *  - `readoutRegressed`: the same on the readout D r alone, d² unknowns.
 */
import { gramOfLower, inverseOfLower, type Matrix, zeros } from "../../theory/matrix.ts";

export const LEARNERS = ["whole", "leakGiven", "regressed", "readoutRegressed"] as const;
export type Learner = (typeof LEARNERS)[number];

export interface Setting {
  /** d */
  readonly pathDimension: number;
  /** H */
  readonly dimension: number;
  /** p_t: variance of each coordinate of the path. */
  readonly variance: number;
  /** σ */
  readonly noiseStd: number;
  /** g */
  readonly readoutScale: number;
}

/** What a scatter's factor says before anything is known of the time; one serves all times. */
export interface WhiteDraw {
  /** n − 1 */
  readonly degrees: number;
  /** (A Aᵀ)⁻¹ of the states (H, H), and of the readout alone (d, d). */
  readonly precision: Matrix;
  readonly readoutPrecision: Matrix;
  /** Regression of white noise, the path's part that states do not show, on white states: (d, H), and on d of them. */
  readonly regression: Matrix;
  readonly readoutRegression: Matrix;
}

/** `factor`: Bartlett's factor of (states, path), H + d numbers, of n samples. */
export function whiteDraw(factor: Matrix, pathDimension: number, samples: number): WhiteDraw {
  const d = pathDimension;
  const states = inverseOfLower(corner(factor, 0, 0, factor.rows - d, factor.rows - d));
  const readout = inverseOfLower(corner(factor, 0, 0, d, d));
  const hidden = corner(factor, factor.rows - d, 0, d, factor.rows - d);
  return {
    degrees: samples - 1,
    precision: gramOfLower(states),
    readoutPrecision: gramOfLower(readout),
    regression: timesLower(hidden, states),
    readoutRegression: timesLower(corner(hidden, 0, 0, d, d), readout),
  };
}

function corner(m: Matrix, row: number, column: number, rows: number, columns: number): Matrix {
  const out = zeros(rows, columns);
  for (let i = 0; i < rows; i++) {
    const from = (row + i) * m.columns + column;
    out.data.set(m.data.subarray(from, from + columns), i * columns);
  }
  return out;
}

/** a · l with l lower triangular. */
function timesLower(a: Matrix, l: Matrix): Matrix {
  const out = zeros(a.rows, l.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < l.rows; k++) {
      const aik = a.data[i * a.columns + k] as number;
      for (let j = 0; j <= k; j++) {
        const to = i * l.columns + j;
        out.data[to] = (out.data[to] as number) + aik * (l.data[k * l.columns + j] as number);
      }
    }
  }
  return out;
}

export interface Errors {
  /** ‖Σ̂⁻¹ − Σ⁻¹‖ / ‖Σ⁻¹‖, Frobenius. */
  readonly precision: number;
  /** ‖K̂ − K‖ / ‖K‖ of each learner. */
  readonly gain: Readonly<Record<Learner, number>>;
  /** E |M̂ r − M r|² as a share of the loss of the best map, E |M r + r − D⁺ s|². */
  readonly excess: Readonly<Record<Learner, number>>;
}

/** K_t of the setting: p / (p + σ² g²). */
export const gainOf = ({ variance, noiseStd, readoutScale }: Setting): number =>
  variance / (variance + (noiseStd * readoutScale) ** 2);

export function errorsOf(white: WhiteDraw, s: Setting): Errors {
  const { pathDimension: d, dimension: H, noiseStd: sigma } = s;
  const inPlane = Math.sqrt(s.variance / s.readoutScale ** 2 + sigma ** 2);
  const scaleOf = (i: number): number => (i < d ? inPlane : sigma);
  const K = gainOf(s);
  const rest = sigma * Math.sqrt(K);

  /** Sums over the error E of a matrix: E², E² of the block d × d, and E² weighed by the states' variances. */
  const sums = (rows: number, columns: number, error: (i: number, j: number) => number) => {
    let [all, block, weighed] = [0, 0, 0];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        const square = error(i, j) ** 2;
        all += square;
        if (i < d && j < d) block += square;
        weighed += square * scaleOf(j) ** 2;
      }
    }
    return { all, block, weighed };
  };
  const inverted = (precision: Matrix, size: number) =>
    sums(size, size, (i, j) => {
      const white1 = white.degrees * (precision.data[i * size + j] as number) - (i === j ? 1 : 0);
      return (sigma ** 2 * white1) / (scaleOf(i) * scaleOf(j));
    });
  const regressed = (regression: Matrix) =>
    sums(
      d,
      regression.columns,
      (i, j) => (rest * (regression.data[i * regression.columns + j] as number)) / scaleOf(j),
    );

  const found = {
    whole: inverted(white.precision, H),
    leakGiven: inverted(white.readoutPrecision, d),
    regressed: regressed(white.regression),
    readoutRegressed: regressed(white.readoutRegression),
  };
  const each = (of: (f: (typeof found)[Learner]) => number) =>
    Object.fromEntries(LEARNERS.map((l) => [l, of(found[l])])) as Record<Learner, number>;
  const precisionNorm = Math.sqrt(d / inPlane ** 4 + (H - d) / sigma ** 4);
  return {
    precision: Math.sqrt(found.whole.all) / sigma ** 2 / precisionNorm,
    gain: each((f) => Math.sqrt(f.block / d) / K),
    excess: each((f) => f.weighed / (d * K * sigma ** 2)),
  };
}
