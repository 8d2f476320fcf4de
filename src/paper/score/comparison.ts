/**
 * A network's drift beside the score of its own states, at one time (model.md section 6). The score in question is that
 * of the Gaussian with the states' mean and covariance, −C⁻¹ (r − mean). Pure, float64.
 */
import type { Moments } from "../../theory/gaussian-path.ts";
import { apply, inverse, type Matrix, multiply, trace, zeros } from "../../theory/matrix.ts";
import { embedding, gain, scoreMap } from "../../theory/noisy-states.ts";

export interface DriftSamples {
  /** (sample, N) */
  readonly states: Float32Array;
  readonly drifts: Float32Array;
  /** W_out (d, N) */
  readonly readout: Matrix;
  /** σ of the networks. */
  readonly noiseStd: number;
  /** The path at this time, in closed form. */
  readonly path: Moments;
}

export interface DriftComparison {
  /** Samples that are finite; the others are left out. */
  readonly states: number;
  /** Mean over samples of the cosine between drift and score, both without their means. */
  readonly cosine: number;
  /** g of the best drift ≈ g · score, over σ². */
  readonly gain: number;
  /** Linear decay per step within the readout's space … */
  readonly onReadout: number;
  /** … and off it: −tr of the regressed Jacobian there, by its dimensions. */
  readonly offReadout: number;
  /** Standard deviation of a unit off the readout's space: the noise that the theory takes for n. */
  readonly offStd: number;
  /** Cosine with the theory's score −(I − D⁺ K_t D)(r − mean), K_t of the path and the trained readout. */
  readonly theoryCosine: number;
  /** Mean eigenvalue of that K_t. */
  readonly theoryGain: number;
}

/** Too few samples for a covariance, or none that is finite. */
export type Comparison = DriftComparison | { readonly states: number };

export const isCompared = (c: Comparison): c is DriftComparison => "cosine" in c;

export function compareDrift(samples: DriftSamples): Comparison {
  const N = samples.readout.columns;
  const d = samples.readout.rows;
  const [x, f] = finiteRows(samples.states, samples.drifts, N);
  const n = x.length / N;
  // A covariance of N units is not determined by fewer; twice as many are the least that mean something.
  if (n < 2 * N) return { states: n };
  centre(x, N);
  centre(f, N);
  const covariance = crossCovariance(x, x, N);
  const precision = inverse(covariance);
  const jacobian = multiply(crossCovariance(f, x, N), precision);
  const project = multiply(embedding({ matrix: samples.readout, noiseStd: 0 }), samples.readout);
  const off = (m: Matrix): number => (trace(m) - trace(multiply(project, m))) / (N - d);
  const offStd = Math.sqrt(off(covariance));
  const readout = { matrix: samples.readout, noiseStd: offStd };
  const fitted = alignment(f, x, { ...precision, data: precision.data.map((p) => -p) });
  return {
    states: n,
    cosine: fitted.cosine,
    gain: fitted.slope / samples.noiseStd ** 2,
    onReadout: -trace(multiply(project, jacobian)) / d,
    offReadout: -off(jacobian),
    offStd,
    theoryCosine: alignment(f, x, scoreMap(samples.path, readout)).cosine,
    theoryGain: trace(gain(samples.path, readout)) / d,
  };
}

function finiteRows(states: Float32Array, drifts: Float32Array, N: number): [Float64Array, Float64Array] {
  const sound: number[] = [];
  for (let i = 0; i < states.length / N; i++) {
    let sum = 0;
    for (let k = i * N; k < (i + 1) * N; k++) sum += (states[k] as number) + (drifts[k] as number);
    if (Number.isFinite(sum)) sound.push(i);
  }
  const take = (from: Float32Array): Float64Array => {
    const out = new Float64Array(sound.length * N);
    sound.forEach((i, to) => {
      out.set(from.subarray(i * N, (i + 1) * N), to * N);
    });
    return out;
  };
  return [take(states), take(drifts)];
}

function centre(x: Float64Array, N: number): void {
  const n = x.length / N;
  const mean = new Float64Array(N);
  for (let i = 0; i < x.length; i++) mean[i % N] = (mean[i % N] as number) + (x[i] as number) / n;
  for (let i = 0; i < x.length; i++) x[i] = (x[i] as number) - (mean[i % N] as number);
}

/** E[a bᵀ] of centred samples. */
function crossCovariance(a: Float64Array, b: Float64Array, N: number): Matrix {
  const n = a.length / N;
  const out = zeros(N, N);
  for (let s = 0; s < n; s++) {
    for (let i = 0; i < N; i++) {
      const ai = (a[s * N + i] as number) / (n - 1);
      const to = i * N;
      for (let j = 0; j < N; j++) out.data[to + j] = (out.data[to + j] as number) + ai * (b[s * N + j] as number);
    }
  }
  return out;
}

/** Mean cosine between f and M x over samples, and the slope of f on M x. */
function alignment(f: Float64Array, x: Float64Array, map: Matrix): { cosine: number; slope: number } {
  const N = map.rows;
  const n = x.length / N;
  let [cosine, product, square] = [0, 0, 0];
  for (let s = 0; s < n; s++) {
    const y = apply(map, x.subarray(s * N, (s + 1) * N));
    let [fy, ff, yy] = [0, 0, 0];
    for (let i = 0; i < N; i++) {
      const fi = f[s * N + i] as number;
      const yi = y[i] as number;
      fy += fi * yi;
      ff += fi * fi;
      yy += yi * yi;
    }
    cosine += fy / Math.sqrt(ff * yy || 1) / n;
    product += fy;
    square += yy;
  }
  return { cosine, slope: product / square };
}
