/**
 * Sizes of a network and the flat vector of its parameters. On the device N and O are padded to multiples of 4;
 * padding stays exactly 0 and is never dumped, counted or normed.
 */

export interface NetworkShape {
  /** N, hidden units. */
  readonly units: number;
  /** I, inputs per step. */
  readonly inputs: number;
  /** O, readouts. */
  readonly outputs: number;
  /** E, inputs of the initial-state encoder. */
  readonly encoderInputs: number;
}

export const TENSOR_NAMES = ["W_rec", "W_in", "b", "W_out", "b_out", "W_enc", "b_enc"] as const;
export type TensorName = (typeof TENSOR_NAMES)[number];

/** A named slice of a network's flat vector: rows are output units. */
export interface TensorSlice {
  readonly name: TensorName;
  /** Elements from the start of the network's vector. */
  readonly offset: number;
  /** Shape on the device, padding included. */
  readonly paddedShape: readonly [number, number];
  /** Shape as the user knows it; a bias has one column. */
  readonly shape: readonly [number, number];
}

export interface ParameterLayout {
  readonly slices: Readonly<Record<TensorName, TensorSlice>>;
  /** Elements of one network's vector, a multiple of 64 so that every network starts on 256 bytes. */
  readonly stride: number;
  /** Parameters that count: without padding. */
  readonly count: number;
}

export const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple;

/** Up to so many inputs are added one by one within the recurrence; more are a product of their own before it. */
export const FEW_INPUTS = 16;

/** Floats of a row of inputs, and of W_in, on the device: a product reads quads. */
export const inputWidth = (inputs: number): number => (inputs > FEW_INPUTS ? roundUp(inputs, 4) : inputs);

export function parameterLayout(shape: NetworkShape): ParameterLayout {
  const { units: N, inputs: I, outputs: O, encoderInputs: E } = shape;
  const n = roundUp(N, 4);
  const o = roundUp(O, 4);
  const table: readonly [TensorName, [number, number], [number, number]][] = [
    ["W_rec", [N, N], [n, n]],
    ["W_in", [N, I], [n, inputWidth(I)]],
    ["b", [N, 1], [n, 1]],
    ["W_out", [O, N], [o, n]],
    ["b_out", [O, 1], [o, 1]],
    ["W_enc", [N, E], [n, E]],
    ["b_enc", [N, 1], [n, 1]],
  ];
  let offset = 0;
  let count = 0;
  const slices = {} as Record<TensorName, TensorSlice>;
  for (const [name, own, padded] of table) {
    slices[name] = { name, offset, shape: own, paddedShape: padded };
    offset += padded[0] * padded[1];
    count += own[0] * own[1];
  }
  return { slices, stride: roundUp(offset, 64), count };
}

/** A network's parameters as plain tensors, row-major, unpadded. */
export type NetworkTensors = Record<TensorName, Float32Array>;

/** Writes unpadded tensors into a padded flat vector of `layout.stride` elements. */
export function packParameters(layout: ParameterLayout, tensors: NetworkTensors): Float32Array {
  const flat = new Float32Array(layout.stride);
  for (const s of Object.values(layout.slices)) {
    const [rows, columns] = s.shape;
    for (let i = 0; i < rows; i++) {
      flat.set(tensors[s.name].subarray(i * columns, (i + 1) * columns), s.offset + i * s.paddedShape[1]);
    }
  }
  return flat;
}

/** The inverse of `packParameters`. */
export function unpackParameters(layout: ParameterLayout, flat: Float32Array): NetworkTensors {
  const out = {} as NetworkTensors;
  for (const s of Object.values(layout.slices)) {
    const [rows, columns] = s.shape;
    const t = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      const at = s.offset + i * s.paddedShape[1];
      t.set(flat.subarray(at, at + columns), i * columns);
    }
    out[s.name] = t;
  }
  return out;
}

/**
 * W_recᵀ of every network of a (S, stride) stack of flat vectors, (S, N, N) padded: what the forward pass reads.
 * Adam keeps it up to date on the device; after a load it is rebuilt here.
 */
export function transposeRecurrent(
  shape: NetworkShape,
  layout: ParameterLayout,
  flat: Float32Array,
): Float32Array<ArrayBuffer> {
  const n = roundUp(shape.units, 4);
  const networks = flat.length / layout.stride;
  const out = new Float32Array(networks * n * n);
  for (let s = 0; s < networks; s++) {
    const w = s * layout.stride + layout.slices.W_rec.offset;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[(s * n + j) * n + i] = flat[w + i * n + j] as number;
  }
  return out;
}
