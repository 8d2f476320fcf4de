/** Moments of one network's replays, and which of them are at nearly the same r. Pure. */
import { principalScores } from "../../metrics/markov.ts";
import { spreadIndices } from "../../metrics/statistics.ts";

/** Whole states of one network at some times of some rows, (visit, N) each. */
export interface Visits {
  readonly units: number;
  readonly count: number;
  readonly r: Float32Array;
  readonly v: Float32Array;
  readonly c: Float32Array;
  /** Rollout that each visit belongs to. */
  readonly row: Int32Array;
}

type History = Pick<Visits, "r" | "v" | "c">;

/** Visits of network s from histories (S, saved, repeats, N), without rollouts that stop being finite. */
export function visitsOf(h: History, s: number, size: { networks: number; repeats: number; units: number }): Visits {
  const { networks, repeats, units } = size;
  const perNetwork = h.r.length / networks;
  const saved = perNetwork / (repeats * units);
  const at = (t: number, b: number): number => s * perNetwork + (t * repeats + b) * units;
  const isSound = (b: number): boolean => {
    for (let t = 0; t < saved; t++) {
      for (let u = 0; u < units; u++) {
        const i = at(t, b) + u;
        if (!Number.isFinite((h.r[i] as number) + (h.v[i] as number) + (h.c[i] as number))) return false;
      }
    }
    return true;
  };
  const rows = Array.from({ length: repeats }, (_, b) => b).filter(isSound);
  const order = rows.flatMap((b) => Array.from({ length: saved }, (_, t) => ({ b, from: at(t, b) })));
  const take = (x: Float32Array): Float32Array => {
    const out = new Float32Array(order.length * units);
    order.forEach(({ from }, i) => {
      out.set(x.subarray(from, from + units), i * units);
    });
    return out;
  };
  return {
    units,
    count: order.length,
    ...{ r: take(h.r), v: take(h.v), c: take(h.c) },
    row: Int32Array.from(order, ({ b }) => b),
  };
}

export function distance(x: Float32Array, i: number, y: Float32Array, j: number, n: number): number {
  let sum = 0;
  for (let u = 0; u < n; u++) sum += ((x[i * n + u] as number) - (y[j * n + u] as number)) ** 2;
  return Math.sqrt(sum);
}

/** Root mean square distance of r from its mean. */
export function spreadOf({ r, units, count }: Pick<Visits, "r" | "units" | "count">): number {
  const mean = new Float32Array(units);
  const sums = new Float64Array(units);
  for (let i = 0; i < count * units; i++) sums[i % units] = (sums[i % units] as number) + (r[i] as number) / count;
  mean.set(sums);
  let square = 0;
  for (let i = 0; i < count; i++) square += distance(r, i, mean, 0, units) ** 2 / count;
  return Math.sqrt(square);
}

export interface Neighbour {
  readonly visit: number;
  /** Of another rollout, nearest in r; −1 where there is none. */
  readonly other: number;
  /** Their distance over the spread, both in the leading components of r; in all of r, noise of N units keeps any two visits apart. */
  readonly apart: number;
}

/**
 * `count` visits spread over all of them, each with the visit of another rollout that is nearest in the eight leading
 * principal components of r: a place where the replays came twice, by different ways.
 */
export function neighbours(visits: Visits, count: number): Neighbour[] {
  const { scores, components: d } = principalScores({ ...visits, values: visits.r, rows: 1, steps: visits.count });
  const z = Float32Array.from(scores);
  const spread = spreadOf({ r: z, units: d, count: visits.count });
  return Array.from(spreadIndices(visits.count, count), (visit) => {
    let [other, least] = [-1, Number.POSITIVE_INFINITY];
    for (let j = 0; j < visits.count; j++) {
      if (visits.row[j] === visits.row[visit]) continue;
      const apart = distance(z, visit, z, j, d);
      if (apart < least) [other, least] = [j, apart];
    }
    return { visit, other, apart: least / spread };
  });
}
