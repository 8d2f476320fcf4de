/** The Gaussian theory of the score in closed form (README.md beside this file), float64. */
export {
  bestConstantGain,
  excessOfConstantGain,
  excessOfConstantWithoutLeak,
  excessOfGain,
  excessWithoutLeak,
} from "./constant-gain.ts";
export { type GaussianPath, type Moments, ouPath, pathMoments } from "./gaussian-path.ts";
export type { Matrix } from "./matrix.ts";
export {
  bestNextState,
  denoised,
  embedding,
  gain,
  leastError,
  type Readout,
  recurrentTerm,
  scoreMap,
  scoreMatrix,
  stateMoments,
} from "./noisy-states.ts";
