import { DataError } from "../errors.ts";

/** Decoded or true positions of the rows of one network under one condition. */
export interface Trajectories {
  /** Metres, (row, sample, 2). Sample i is step (i + 1) · every: s_0, the start, is not part of it. */
  readonly positions: Float32Array | Float64Array;
  readonly rows: number;
  /** Samples of a row. */
  readonly steps: number;
  /** Steps between two samples (`replay.saveEvery`), 1 where none is given. */
  readonly every?: number;
}

/** A tensor as it lies in `replay.npz`. */
export interface Tensor {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly number[];
}

/** Hidden states of the same rows, (row, sample, unit). */
export interface States {
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly steps: number;
  readonly units: number;
  readonly every?: number;
}

export const stepsBetweenSamples = (t: { readonly every?: number }): number => t.every ?? 1;

/** Steps that the trajectories last: the T of the restricted mean. */
export const duration = (t: { readonly steps: number; readonly every?: number }): number =>
  t.steps * stepsBetweenSamples(t);

/** A lag in steps as a number of samples, or 0 where the samples are too coarse or too few to tell. */
export function lagInSamples(t: { readonly steps: number; readonly every?: number }, lag: number): number {
  const samples = lag / stepsBetweenSamples(t);
  return Number.isInteger(samples) && samples < t.steps ? samples : 0;
}

function takeNetwork(tensor: Tensor, network: number, skip: number, what: string) {
  const [networks, time, rows, width] = tensor.shape as readonly [number, number, number, number];
  if (tensor.shape.length !== 4 || tensor.data.length !== networks * time * rows * width) {
    throw new DataError(
      `${what} has shape (${tensor.shape.join(", ")}) and ${tensor.data.length} numbers, ` +
        `not (network, time, row, …): write the file again with \`reverie replay\`.`,
    );
  }
  if (network < 0 || network >= networks || skip > time) {
    throw new DataError(
      `${what} holds ${networks} networks and ${time} time slots; network ${network} from slot ${skip} on is not there.`,
    );
  }
  const steps = time - skip;
  const out = new Float64Array(rows * steps * width);
  for (let t = 0; t < steps; t++) {
    for (let r = 0; r < rows; r++) {
      const from = ((network * time + t + skip) * rows + r) * width;
      const to = (r * steps + t) * width;
      for (let k = 0; k < width; k++) out[to + k] = tensor.data[from + k] as number;
    }
  }
  return { out, rows, steps, width };
}

/**
 * One network of a (network, time, row, 2) tensor.
 *
 * `skip` leaves out leading time slots: 1 for awake paths, whose slot 0 is the start s_0.
 * @throws DataError where the shape is another one or the network is not there
 */
export function trajectoriesOf(
  tensor: Tensor,
  network: number,
  options: {
    readonly every?: number;
    readonly skip?: number;
    readonly name?: string;
  } = {},
): Trajectories {
  const what = options.name ?? "positions";
  const { out, rows, steps, width } = takeNetwork(tensor, network, options.skip ?? 0, what);
  if (width !== 2) throw new DataError(`${what} has ${width} coordinates per position; metrics need 2.`);
  return { positions: out, rows, steps, every: options.every ?? 1 };
}

/** One network of a (network, time, row, unit) tensor; errors as `trajectoriesOf`. */
export function statesOf(tensor: Tensor, network: number, every = 1): States {
  const { out, rows, steps, width } = takeNetwork(tensor, network, 0, "states");
  return { values: out, rows, steps, units: width, every };
}

/** The rows for which `keep` is true. */
export function someRows(t: Trajectories, keep: (row: number) => boolean): Trajectories {
  const width = t.steps * 2;
  const kept = Array.from({ length: t.rows }, (_, row) => row).filter(keep);
  if (kept.length === t.rows) return t;
  const positions = new Float64Array(kept.length * width);
  kept.forEach((row, i) => {
    positions.set(t.positions.subarray(row * width, (row + 1) * width), i * width);
  });
  return { ...t, positions, rows: kept.length };
}

/** The samples of the first `steps` steps. */
export function firstSteps(t: Trajectories, steps: number): Trajectories {
  const samples = Math.min(t.steps, Math.floor(steps / stepsBetweenSamples(t)));
  if (samples === t.steps) return t;
  const positions = new Float64Array(t.rows * samples * 2);
  for (let r = 0; r < t.rows; r++) {
    positions.set(t.positions.subarray(r * t.steps * 2, (r * t.steps + samples) * 2), r * samples * 2);
  }
  return { ...t, positions, steps: samples };
}
