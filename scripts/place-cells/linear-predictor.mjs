/**
 * The best linear predictor of the position from what a network sees: s_0 and the visible displacements so far. Fitted by
 * least squares on one set of paths, tested on another; prints the median distance from the true position, metres, over
 * all steps and paths: what a network's `decodingError` is to be compared with.
 *
 *   node scripts/place-cells/linear-predictor.mjs FIT.npz TEST.npz      (files of `reverie paths`)
 */
import { readNpz } from "../../dist/io/npz.js";

const RIDGE = 1e-9;

/** Paths of the first network of a file: positions (T+1, B, 2) and input (T, B, I). */
function paths(file) {
  const npz = readNpz(file);
  const [positions, input] = [npz.get("positions"), npz.get("input")];
  const [, slots, B] = positions.shape;
  return { positions: positions.data, input: input.data, T: slots - 1, B, I: input.shape[3] };
}

/** 1, x_0, y_0, u_0 …: what is known of path b before step t is its first 3 + I t numbers. */
function features({ positions, input, T, B, I }, b, out) {
  out[0] = 1;
  out[1] = positions[2 * b];
  out[2] = positions[2 * b + 1];
  for (let t = 0; t < T; t++) for (let i = 0; i < I; i++) out[3 + I * t + i] = input[(t * B + b) * I + i];
}

/** Lower Cholesky factor, in place: its leading corners are the factors of the leading corners. */
function cholesky(a, n) {
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / a[j * n + j];
    }
  }
}

/** Solves with the leading m × m corner of the factor. */
function solve(factor, n, right, m) {
  const x = Float64Array.from(right.subarray(0, m));
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i * n + k] * x[k];
    x[i] /= factor[i * n + i];
  }
  for (let i = m - 1; i >= 0; i--) {
    for (let k = i + 1; k < m; k++) x[i] -= factor[k * n + i] * x[k];
    x[i] /= factor[i * n + i];
  }
  return x;
}

/** Coefficients of each coordinate at each step. */
function coefficientsOf(data) {
  const { positions, T, B, I } = data;
  const n = 3 + I * T;
  const gram = new Float64Array(n * n);
  const moments = new Float64Array((T + 1) * 2 * n);
  const f = new Float64Array(n);
  for (let b = 0; b < B; b++) {
    features(data, b, f);
    for (let i = 0; i < n; i++) {
      // Masked inputs are 0.
      if (f[i] === 0) continue;
      for (let j = 0; j <= i; j++) gram[i * n + j] += f[i] * f[j];
      for (let t = 1; t <= T; t++) {
        for (let axis = 0; axis < 2; axis++)
          moments[(2 * t + axis) * n + i] += f[i] * positions[2 * (t * B + b) + axis];
      }
    }
  }
  for (let i = 0; i < n; i++) gram[i * n + i] *= 1 + RIDGE;
  cholesky(gram, n);
  return (t, axis) => solve(gram, n, moments.subarray((2 * t + axis) * n, (2 * t + axis + 1) * n), 3 + I * t);
}

const [fitFile, testFile] = process.argv.slice(2);
const known = coefficientsOf(paths(fitFile));
const fresh = paths(testFile);
const f = new Float64Array(3 + fresh.I * fresh.T);
const coefficients = Array.from({ length: fresh.T }, (_, t) => [known(t + 1, 0), known(t + 1, 1)]);
const distances = new Float64Array(fresh.T * fresh.B);
for (let b = 0; b < fresh.B; b++) {
  features(fresh, b, f);
  for (let t = 1; t <= fresh.T; t++) {
    const error = coefficients[t - 1].map((c, axis) => {
      const at = c.reduce((sum, weight, i) => sum + weight * f[i], 0);
      return at - fresh.positions[2 * (t * fresh.B + b) + axis];
    });
    distances[(t - 1) * fresh.B + b] = Math.hypot(...error);
  }
}
distances.sort();
process.stdout.write(`${distances[Math.floor(distances.length / 2)].toFixed(4)}\n`);
