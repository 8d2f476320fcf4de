import { cholesky, logDeterminant, symmetricEigen } from "./linear-algebra.ts";
import { spreadIndices } from "./statistics.ts";
import { lagInSamples, type States } from "./trajectories.ts";

const COMPONENTS = 8;
/** The components' covariance needs no more samples than this; the regressions use them all. */
const PCA_SAMPLES = 8192;

/** Scores on the leading principal components, (row, sample, component). */
function principalScores(s: States): {
  scores: Float64Array;
  components: number;
} {
  const n = s.units;
  const components = Math.min(COMPONENTS, n);
  const chosen = spreadIndices(s.rows * s.steps, PCA_SAMPLES);
  const centre = new Float64Array(n);
  for (const i of chosen) {
    for (let u = 0; u < n; u++) centre[u] = (centre[u] as number) + (s.values[i * n + u] as number) / chosen.length;
  }
  const covariance = new Float64Array(n * n);
  const x = new Float64Array(n);
  for (const i of chosen) {
    for (let u = 0; u < n; u++) x[u] = (s.values[i * n + u] as number) - (centre[u] as number);
    for (let u = 0; u < n; u++) {
      const xu = x[u] as number;
      for (let w = 0; w <= u; w++) covariance[u * n + w] = (covariance[u * n + w] as number) + xu * (x[w] as number);
    }
  }
  for (let u = 0; u < n; u++) for (let w = 0; w < u; w++) covariance[w * n + u] = covariance[u * n + w] as number;
  const { vectors } = symmetricEigen(covariance, n);
  const scores = new Float64Array(s.rows * s.steps * components);
  for (let i = 0; i < s.rows * s.steps; i++) {
    for (let c = 0; c < components; c++) {
      let sum = 0;
      for (let u = 0; u < n; u++) {
        sum += (vectors[c * n + u] as number) * ((s.values[i * n + u] as number) - (centre[u] as number));
      }
      scores[i * components + c] = sum;
    }
  }
  return { scores, components };
}

/**
 * Gaussian conditional mutual information I(z_{t+1}; z_{t−ℓ} | z_t) / d in nats on the d = 8 leading principal
 * components z of the states: ½ (log det S₁ − log det S₂) / d with S the residual covariances of least squares on
 * z_t, and on (z_t, z_{t−ℓ}). A linear Markov chain gives 0 (+ d/2n); always compare with the same network's plain
 * replay (model.md section 8). One value per lag ℓ (steps); NaN where the states do not vary or ℓ is not a whole
 * number of samples.
 *
 * With samples `every` steps apart, "next" means the next sample.
 */
export function conditionalMutualInformation(states: States, lags: readonly number[]): number[] {
  const { scores, components } = principalScores(states);
  return lags.map((lag) => informationAtLag(states, scores, components, lag));
}

function informationAtLag(states: States, scores: Float64Array, d: number, lag: number): number {
  const past = lagInSamples(states, lag);
  const count = states.rows * (states.steps - 1 - past);
  if (past < 1 || count <= 3 * d) return Number.NaN;

  // Joint covariance of (z_t, z_{t−ℓ}, z_{t+1}): its Cholesky factor holds both regressions' residuals.
  const joint = (order: readonly number[]): Float64Array | null => {
    const size = order.length * d;
    const sample = new Float64Array(size);
    const centre = new Float64Array(size);
    const covariance = new Float64Array(size * size);
    const visit = (use: () => void): void => {
      for (let r = 0; r < states.rows; r++) {
        for (let t = past; t + 1 < states.steps; t++) {
          order.forEach((offset, block) => {
            const from = (r * states.steps + t + offset) * d;
            for (let k = 0; k < d; k++) sample[block * d + k] = scores[from + k] as number;
          });
          use();
        }
      }
    };
    visit(() => {
      for (let i = 0; i < size; i++) centre[i] = (centre[i] as number) + (sample[i] as number) / count;
    });
    visit(() => {
      for (let i = 0; i < size; i++) sample[i] = (sample[i] as number) - (centre[i] as number);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j <= i; j++) {
          const at = i * size + j;
          covariance[at] = (covariance[at] as number) + ((sample[i] as number) * (sample[j] as number)) / count;
        }
      }
    });
    return cholesky(covariance, size);
  };
  /** log det of the residual covariance of the last block given the ones before it. */
  const residual = (factor: Float64Array, blocks: number): number => {
    const size = blocks * d;
    const last = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) last[i * d + j] = factor[(size - d + i) * size + size - d + j] as number;
    }
    return logDeterminant(last, d);
  };
  const onPresent = joint([0, 1]);
  const onBoth = joint([0, -past, 1]);
  if (onPresent === null || onBoth === null) return Number.NaN;
  return (residual(onPresent, 2) - residual(onBoth, 3)) / 2 / d;
}
