import { cholesky, logDeterminant, symmetricEigen } from "./linear-algebra.ts";
import { spreadIndices } from "./statistics.ts";
import { lagInSamples, type States } from "./trajectories.ts";

const COMPONENTS = 8;
/** The components' covariance needs no more samples than this; the regressions use them all. */
const PCA_SAMPLES = 8192;

/** (row, sample, component) */
export interface Scores {
  readonly scores: Float64Array;
  readonly components: number;
}

/** Scores on the eight leading principal components. */
export function principalScores(s: States): Scores {
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

/** Leading components of one variable, at a time t + `offset` (samples). */
interface Block {
  readonly scores: Float64Array;
  readonly components: number;
  readonly offset: number;
}

/**
 * Gaussian conditional mutual information I(z_{t+1}; z_{t−ℓ} | z_t) / d in nats on the d = 8 leading principal
 * components z of the states: ½ (log det S₁ − log det S₂) / d with S the residual covariances of least squares on
 * z_t, and on (z_t, z_{t−ℓ}). A linear Markov chain gives 0 (+ d/2n); always compare with the same network's plain
 * replay (model.md section 8). One value per lag ℓ (steps); NaN where the states do not vary or ℓ is not a whole
 * number of samples.
 *
 * With samples `every` steps apart, "next" means the next sample.
 * @param beside other variables of the same samples (v, c), whose leading components join z_t in the condition: what
 *   the past of z still tells once they are known too
 */
export function conditionalMutualInformation(
  states: States,
  lags: readonly number[],
  beside: readonly States[] = [],
): number[] {
  return informationOfScores(states, lags, principalScores(states), beside.map(principalScores));
}

/** The same from principal scores that are known: eigenvectors take longer than all the rest. */
export function informationOfScores(
  samples: Samples,
  lags: readonly number[],
  own: Scores,
  others: readonly Scores[],
): number[] {
  return lags.map((lag) => informationAtLag(samples, own, others, lag));
}

type Samples = Pick<States, "rows" | "steps" | "every">;

function informationAtLag(states: Samples, own: Scores, others: readonly Scores[], lag: number): number {
  const past = lagInSamples(states, lag);
  const d = own.components;
  const count = states.rows * (states.steps - 1 - past);
  const present = [own, ...others].map((x): Block => ({ ...x, offset: 0 }));
  if (past < 1 || count <= 3 * d * present.length) return Number.NaN;
  const next: Block = { ...own, offset: 1 };
  const onPresent = factorOf(states, past, [...present, next]);
  const onBoth = factorOf(states, past, [{ ...own, offset: -past }, ...present, next]);
  if (onPresent === null || onBoth === null) return Number.NaN;
  return (residual(onPresent, d) - residual(onBoth, d)) / 2 / d;
}

interface Factor {
  readonly cholesky: Float64Array;
  readonly size: number;
}

/** Cholesky factor of the blocks' joint covariance: it holds the regression of the last block on all before it. */
function factorOf(states: Samples, past: number, blocks: readonly Block[]): Factor | null {
  const size = blocks.reduce((sum, b) => sum + b.components, 0);
  const count = states.rows * (states.steps - 1 - past);
  const sample = new Float64Array(size);
  const centre = new Float64Array(size);
  const covariance = new Float64Array(size * size);
  const visit = (use: () => void): void => {
    for (let r = 0; r < states.rows; r++) {
      for (let t = past; t + 1 < states.steps; t++) {
        let to = 0;
        for (const { scores, components, offset } of blocks) {
          const from = (r * states.steps + t + offset) * components;
          for (let k = 0; k < components; k++) sample[to++] = scores[from + k] as number;
        }
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
  const factor = cholesky(covariance, size);
  return factor && { cholesky: factor, size };
}

/** log det of the residual covariance of the last `d` variables given the ones before them. */
function residual({ cholesky: factor, size }: Factor, d: number): number {
  const last = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) last[i * d + j] = factor[(size - d + i) * size + size - d + j] as number;
  }
  return logDeterminant(last, d);
}
