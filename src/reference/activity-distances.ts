/** Float64 witness of `src/code/activity.ts`: how a cloud of activities lies beside the awake one. */
import type { Population } from "../code/population.ts";
import { ratesReference } from "./place-code.ts";

/** (tr C)² / tr C² of the covariance C of n activities (n, cells): how many dimensions they fill. */
export function participationReference(activity: ArrayLike<number>, cells: number): number {
  const n = activity.length / cells;
  const at = (k: number, i: number): number => activity[k * cells + i] as number;
  const means = Array.from({ length: cells }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += at(k, i);
    return sum / n;
  });
  let [trace, square] = [0, 0];
  for (let i = 0; i < cells; i++) {
    for (let j = 0; j < cells; j++) {
      let c = 0;
      for (let k = 0; k < n; k++) c += ((at(k, i) - (means[i] as number)) * (at(k, j) - (means[j] as number))) / n;
      square += c * c;
      if (i === j) trace += c;
    }
  }
  return (trace * trace) / square;
}

/** Root mean square over cells of the distance from the nearest code of the given positions, per activity. */
export function nearestCodeReference(
  activity: ArrayLike<number>,
  population: Population,
  positions: ArrayLike<number>,
): Float64Array {
  const cells = population.centres.length;
  const codes = Array.from({ length: positions.length / 2 }, (_, g) =>
    ratesReference(population, positions[2 * g] as number, positions[2 * g + 1] as number),
  );
  return Float64Array.from({ length: activity.length / cells }, (_, k) => {
    const squares = codes.map((code) =>
      code.reduce((s, c, i) => s + ((activity[k * cells + i] as number) - c) ** 2, 0),
    );
    return Math.sqrt(Math.min(...squares) / cells);
  });
}
