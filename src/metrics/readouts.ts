/** What can be measured of readouts that are no positions: distances in their own space, memory, and whether they are finite. */
import { codeMetricsOf, NO_CODE } from "./code.ts";
import { conditionalMutualInformation } from "./markov.ts";
import type { MetricRecord } from "./measure.ts";
import { METRIC_NAMES, type MetricValues } from "./table.ts";
import { statesOf, type Tensor } from "./trajectories.ts";

export interface ReadoutsToMeasure {
  /** One per network. */
  readonly seeds: readonly number[];
  /** Awake first; readouts (network, time, row, O), states (network, time, row, unit) where saved. */
  readonly conditions: readonly {
    readonly name: string;
    readonly positions: Tensor;
    readonly states?: Tensor;
    /** (network, metric), `CODE_METRICS` */
    readonly codeMetrics?: Tensor;
  }[];
  /** `replay.saveEvery` */
  readonly every: number;
}

/** Why the other metrics are empty, for whoever reads the table. */
export const NO_PATHS =
  "Readouts of task.kind tensors are no positions: paths, arrivals and places are not measured; sw_code and participation are of the readouts";

const NONE = Object.fromEntries(METRIC_NAMES.map((name) => [name, Number.NaN])) as MetricValues;

/** Share of rows with a number that is not finite. */
function divergedShare({ data, shape }: Tensor, network: number): number {
  const [, T = 0, R = 0, O = 0] = shape;
  const bad = new Set<number>();
  for (let i = 0; i < T * R * O; i++) {
    if (!Number.isFinite(data[network * T * R * O + i])) bad.add(Math.floor(i / O) % R);
  }
  return bad.size / R;
}

export function measureReadouts({ seeds, conditions, every }: ReadoutsToMeasure): MetricRecord[] {
  return seeds.flatMap((seed, network) =>
    conditions.map(({ name, positions, states, codeMetrics }): MetricRecord => {
      const memory = states ? conditionalMutualInformation(statesOf(states, network, every), [1, 5]) : [];
      const values: MetricValues = {
        ...NONE,
        ...(codeMetrics ? codeMetricsOf(codeMetrics.data, network) : NO_CODE),
        cmi1: memory[0] ?? Number.NaN,
        cmi5: memory[1] ?? Number.NaN,
        diverged: divergedShare(positions, network),
      };
      return { network, seed, condition: name, values, reachTimes: new Float64Array(0) };
    }),
  );
}
