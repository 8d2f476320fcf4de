import { lagInSamples, type Tensor } from "./trajectories.ts";

/** Steps over which a speed is taken: readout noise hides the motion of a single step. */
export const SPEED_LAG = 5;
/** More speeds than this say nothing new. */
const MOST = 200_000;

export interface Speeds {
  /** m/step, ascending. */
  readonly sorted: Float64Array;
  /** Steps between the two positions of a speed. */
  readonly lag: number;
  /** Rows that gave speeds. */
  readonly rows: number;
}

/** Speeds |x_{t+ℓ} − x_t| / ℓ at all times of all networks and rows, evenly thinned where there are very many. */
export function speedsOf(tensor: Tensor, every: number, skip = 0): Speeds {
  const [S = 0, T = 0, R = 0] = tensor.shape;
  const samples = lagInSamples({ steps: T, every }, SPEED_LAG) || 1;
  const lag = samples * every;
  const times = Math.max(0, T - skip - samples);
  const stride = Math.max(1, Math.ceil((S * R * times) / MOST));
  const found: number[] = [];
  let rows = 0;
  let k = 0;
  for (let s = 0; s < S; s++) {
    for (let r = 0; r < R; r++) {
      const before = found.length;
      for (let t = skip; t < skip + times; t++, k++) {
        if (k % stride !== 0) continue;
        const a = ((s * T + t) * R + r) * 2;
        const b = a + samples * R * 2;
        const speed =
          Math.hypot(
            (tensor.data[b] as number) - (tensor.data[a] as number),
            (tensor.data[b + 1] as number) - (tensor.data[a + 1] as number),
          ) / lag;
        if (Number.isFinite(speed)) found.push(speed);
      }
      if (found.length > before) rows++;
    }
  }
  return { sorted: Float64Array.from(found).sort(), lag, rows };
}
