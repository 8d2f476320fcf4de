/** What is timed. Letters as everywhere: S networks, B rows of each, T steps, N units, I inputs, O readouts. */
const [I, O, E] = [4, 32, 2];

const train = (B, T, N, S = 1) => ({ kind: "train", S, B, T, N, I, O, E });
const replay = (B, T, N) => ({ kind: "replay", S: 1, B, T, N, I, O, E });

export const SHAPES = {
  "train-256-100-128": train(256, 100, 128),
  "train-256-100-512": train(256, 100, 512),
  "train-2048-50-256": train(2048, 50, 256),
  "train-48-100-64": train(48, 100, 64),
  "train-48-100-64-x64": train(48, 100, 64, 64),
  "replay-256-1000-128": replay(256, 1000, 128),
};

/** One setting for all: the leaky RNN with ReLU. */
export const MODEL = { leak: 0.2, gain: 0.2, noiseStd: 0.2, learningRate: 1e-3, clipNorm: 1 };

/**
 * Floating-point operations of one timed unit: a training step, or a whole replay. Products only: forward, backward and
 * weight gradients of the recurrence and of the readout; of the input, which needs no gradient, two of the three.
 */
export function flopsOf({ kind, S, B, T, N, I, O }) {
  const rowSteps = S * B * T;
  return kind === "train" ? rowSteps * (6 * N * N + 6 * N * O + 4 * N * I) : rowSteps * (2 * N * N + 2 * N * O);
}

export function titleOf({ kind, S, B, T, N }) {
  const networks = S > 1 ? `${S} networks, ` : "";
  return `${kind === "train" ? "training step" : "replay"}, ${networks}B = ${B}, T = ${T}, N = ${N}`;
}
