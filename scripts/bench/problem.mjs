/** Weights, a batch and start states of one shape, the same for every peer; deterministic. */
import { writeNpz } from "../../dist/io/npz.js";

/** Normals from a small generator (mulberry32, Box–Muller): any numbers will do, as long as all get the same. */
function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return (shape, std) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) {
      data[i] = std * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    }
    return { data, shape };
  };
}

/** Loop gain below one, so that a thousand steps stay bounded and two roundings stay close. */
export function makeProblem({ S, B, T, N, I, O, E, kind }) {
  const draw = normals(1);
  const weights = {
    W_rec: draw([S, N, N], 0.8 / Math.sqrt(N)),
    W_in: draw([S, N, I], Math.sqrt(0.25 / I)),
    b: draw([S, N], 0.1),
    W_out: draw([S, O, N], Math.sqrt(1 / N)),
    b_out: draw([S, O], 0.1),
    W_enc: draw([S, N, E], Math.sqrt(1 / E)),
    b_enc: draw([S, N], 0.1),
  };
  if (kind === "replay") return { ...weights, r0: draw([S, B, N], 0.5) };
  return { ...weights, e0: draw([B, E], 1), u: draw([T, B, I], 1), target: draw([T, B, O], 1) };
}

export function writeProblem(path, shape) {
  writeNpz(path, makeProblem(shape));
}
