/**
 * What place cells make of awake trajectories: rates as targets and encoder input, and changes of rates as input
 * (model.md section 7); witness of the passes in `src/code/passes.ts`.
 */
import type { CodeSpec } from "../code/population.ts";
import type { AwakePaths, PathRequest } from "./masked-inputs.ts";
import { isVisibleReference } from "./masked-inputs.ts";
import { ratesReference } from "./place-code.ts";

export interface CodedPaths {
  /** (B, N_pc): rates at s_0. */
  readonly e0: Float64Array;
  /** (T, B, 2) displacements, or (T, B, N_pc) changes of rates; masked. */
  readonly u: Float64Array;
  /** (T, B, N_pc): rates at s_1 … s_T. */
  readonly target: Float64Array;
}

/** @param scale u_scale */
export function codedPathsReference(
  { positions, u, offsets }: AwakePaths,
  { population, deltaInput }: CodeSpec,
  scale: number,
  { T, B, maskEvery }: Pick<PathRequest, "T" | "B" | "maskEvery">,
): CodedPaths {
  const cells = population.centres.length;
  const rates = new Float64Array((T + 1) * B * cells);
  for (let i = 0; i < (T + 1) * B; i++) {
    rates.set(ratesReference(population, positions[2 * i] as number, positions[2 * i + 1] as number), i * cells);
  }
  const slot = B * cells;
  const target = rates.subarray(slot);
  const e0 = rates.subarray(0, slot);
  if (!deltaInput) return { e0, u, target };
  const change = target.map((rate, at) => {
    const [t, b] = [Math.floor(at / slot), Math.floor(at / cells) % B];
    if (!isVisibleReference(t, maskEvery, offsets[b] as number)) return 0;
    return (rate - (rates[at] as number)) / scale;
  });
  return { e0, u: change, target };
}
