/** What generated trajectories look like, in a few numbers. */

export interface PathStatistics {
  /** Mean and standard deviation of |s_{t+1} − s_t|. */
  readonly step: { readonly mean: number; readonly sd: number };
  /** Mean |s_T − s_0|. */
  readonly net: number;
  /** Least and largest coordinate. */
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  /** Share of the inputs that are not masked (an input that is 0 by itself counts as masked). */
  readonly visible: number;
}

/** @param positions (S, T+1, B, 2); @param input (S, T, B, I) */
export function pathStatistics(
  positions: Float32Array,
  input: Float32Array,
  sizes: { readonly networks: number; readonly steps: number; readonly batch: number; readonly inputs: number },
): PathStatistics {
  const { networks: S, steps: T, batch: B, inputs: I } = sizes;
  const [x, y] = [0, 1].map((axis) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = axis; i < positions.length; i += 2) {
      low = Math.min(low, positions[i] as number);
      high = Math.max(high, positions[i] as number);
    }
    return [low, high] as const;
  }) as [[number, number], [number, number]];
  const distance = (from: number, to: number): number =>
    Math.hypot(
      (positions[2 * to] as number) - (positions[2 * from] as number),
      (positions[2 * to + 1] as number) - (positions[2 * from + 1] as number),
    );
  let [sum, squares, net] = [0, 0, 0];
  for (let s = 0; s < S; s++) {
    const at = (t: number, b: number): number => (s * (T + 1) + t) * B + b;
    for (let b = 0; b < B; b++) {
      net += distance(at(0, b), at(T, b));
      for (let t = 0; t < T; t++) {
        const step = distance(at(t, b), at(t + 1, b));
        sum += step;
        squares += step * step;
      }
    }
  }
  const n = S * T * B;
  const mean = sum / n;
  let visible = 0;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < I; k++) {
      if (input[i * I + k] !== 0) {
        visible++;
        break;
      }
    }
  }
  return {
    step: { mean, sd: Math.sqrt(Math.max(0, squares / n - mean * mean)) },
    net: net / (S * B),
    x,
    y,
    visible: visible / n,
  };
}

/** A line for people. @param unit of positions, with its space */
export function describeStatistics(s: PathStatistics, unit: string): string {
  const n = (v: number): string => Number(v.toPrecision(3)).toString();
  // Nobody should seem to stand on a wall.
  const bound = (v: number): string => Number(v.toPrecision(4)).toString();
  return (
    `step ${n(s.step.mean)} ± ${n(s.step.sd)}${unit}, start to end ${n(s.net)}${unit}, ` +
    `x ${bound(s.x[0])} … ${bound(s.x[1])}${unit}, y ${bound(s.y[0])} … ${bound(s.y[1])}${unit}, ${n(100 * s.visible)} % of inputs visible`
  );
}
