/**
 * Networks of other programs as ours: names mapped, transposes, scales and missing biases handled. Layouts that are known
 * by their names are in `LAYOUTS`; README.md beside this file tells users about them.
 */
import { DataError, UsageError } from "../errors.ts";
import {
  type NetworkShape,
  type NetworkTensors,
  parameterLayout,
  TENSOR_NAMES,
  type TensorName,
} from "../model/parameters.ts";
import { formatShape, type NpyArray } from "./npy.ts";
import { type Npz, readNpz } from "./npz.ts";
import { readSafetensors } from "./safetensors.ts";

/** Where a tensor comes from: names in the file, added up, transposed and multiplied. */
export interface Source {
  readonly from: readonly string[];
  readonly transpose?: boolean;
  /** `step`: the task's u_scale, for inputs that were not divided by it. */
  readonly scale?: number | "step";
}
export type NameMap = Readonly<Partial<Record<TensorName, Source>>>;

const BIASES: readonly TensorName[] = ["b", "b_out", "b_enc"];

const own: NameMap = Object.fromEntries(TENSOR_NAMES.map((name) => [name, { from: [name] }]));

const torch: NameMap = {
  W_rec: { from: ["rnn.weight_hh_l0"] },
  W_in: { from: ["rnn.weight_ih_l0"] },
  b: { from: ["rnn.bias_ih_l0", "rnn.bias_hh_l0"] },
  W_out: { from: ["readout.weight"] },
  b_out: { from: ["readout.bias"] },
  W_enc: { from: ["encoder.weight"] },
  b_enc: { from: ["encoder.bias"] },
};

/** nandahkrishna/RNNReactivation (ICLR 2024): Linear layers, by default without biases; inputs in metres or radians. */
const predecessor: NameMap = {
  W_rec: { from: ["w_rec.weight"] },
  W_in: { from: ["w_in.weight"], scale: "step" },
  b: { from: ["w_in.bias", "w_rec.bias"] },
  W_out: { from: ["w_out.weight"] },
  b_out: { from: ["w_out.bias"] },
  W_enc: { from: ["encoder.weight"] },
  b_enc: { from: ["encoder.bias"] },
};

export const LAYOUTS: Readonly<Record<string, NameMap>> = {
  reverie: own,
  "torch.nn.RNN": torch,
  RNNReactivation: predecessor,
};

/** A map from a JSON file: `{"W_rec": "cell.hh", "W_in": {"from": "cell.ih", "transpose": true}}`. */
export function parseMap(value: unknown, where: string): NameMap {
  const form = '{"W_rec": "name" or {"from": "name", "transpose": true, "scale": 0.1 or "step"}, …}';
  const bad = (what: string) => new DataError(`${where}: ${what}; expected ${form}`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("not an object");
  return Object.fromEntries(
    Object.entries(value).map(([name, source]) => {
      if (!(TENSOR_NAMES as readonly string[]).includes(name))
        throw bad(`${name} is none of ${TENSOR_NAMES.join(", ")}`);
      const { from, transpose = false, scale = 1 } = typeof source === "string" ? { from: source } : (source ?? {});
      const names: unknown[] = Array.isArray(from) ? from : [from];
      if (names.length === 0 || !names.every((n) => typeof n === "string") || typeof transpose !== "boolean")
        throw bad(`${name}: no name`);
      if (scale !== "step" && !Number.isFinite(scale)) throw bad(`${name}: no scale`);
      return [name, { from: names as string[], transpose, scale }];
    }),
  );
}

/** @throws UsageError for a pickle, which only Python can read; DataError, DiskError */
export function readWeights(path: string): Npz {
  if (/\.(pt|pth|ckpt|bin)$/.test(path)) {
    throw new UsageError(
      `${path}: a pickle, which only PyTorch reads; in Python: numpy.savez("weights.npz", **{k: v.cpu().numpy() for k, v in model.state_dict().items()})`,
    );
  }
  return path.endsWith(".safetensors") ? readSafetensors(path).tensors : readNpz(path);
}

/** The layout whose W_rec the file has. @throws DataError listing what there is */
function recognise(file: Npz): NameMap {
  for (const map of Object.values(LAYOUTS)) if (file.has(map.W_rec?.from[0] ?? "")) return map;
  const known = Object.entries(LAYOUTS).map(([name, map]) => `${map.W_rec?.from[0]} (${name})`);
  throw new DataError(
    `${file.path}: no recurrent weights under a known name, ${known.join(" or ")}; found ${[...file.keys()].join(", ") || "nothing"}: name them with --map`,
  );
}

const isBias = (name: TensorName): boolean => BIASES.includes(name);

/** A tensor's parts, checked to be floats of one shape, transposed. Networks may be stacked in front. */
function fetch(file: Npz, name: TensorName, source: Source): { data: Float32Array; shape: readonly number[] } | null {
  const parts = source.from.map((n) => file.get(n));
  if (parts.every((p) => p === undefined)) return null;
  let sum: { readonly data: Float32Array; readonly shape: readonly number[] } | undefined;
  for (const [i, part] of parts.entries()) {
    const where = `${file.path}: ${source.from[i]}`;
    if (part === undefined)
      throw new DataError(`${where}: missing; ${name} is the sum of ${source.from.join(" and ")}`);
    const own = floats(part, where);
    if (sum && formatShape(sum.shape) !== formatShape(part.shape)) {
      throw new DataError(
        `${where}: expected ${formatShape(sum.shape)} as in ${source.from[0]}, found ${formatShape(part.shape)}`,
      );
    }
    const before: Float32Array | undefined = sum?.data;
    const data: Float32Array = before ? before.map((x, k) => x + (own[k] as number)) : own;
    sum = { data, shape: part.shape };
  }
  if (!sum) return null;
  return source.transpose && !isBias(name) ? transposed(sum) : sum;
}

function floats(array: NpyArray, where: string): Float32Array {
  const { data } = array;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new DataError(`${where}: expected floats, found ${array.dtype}`);
  }
  const out = Float32Array.from(data);
  const bad = out.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new DataError(`${where}: ${data[bad]} at element ${bad}; every weight must be finite in float32`);
  return out;
}

function transposed({ data, shape }: { data: Float32Array; shape: readonly number[] }) {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const size = rows * columns;
  const out = data.map((_, k) => {
    const [s, i, j] = [Math.floor(k / size), Math.floor((k % size) / rows), k % rows];
    return data[s * size + j * columns + i] as number;
  });
  return { data: out, shape: [...shape.slice(0, -2), columns, rows] };
}

export interface ImportNetworksOptions {
  readonly map?: NameMap | undefined;
  /** u_scale of the task that the networks are to run on. */
  readonly step?: number;
  /** Is told of biases that are taken to be 0. */
  readonly notice?: (line: string) => void;
}

/** Networks of one file in the shape that is expected. @throws DataError naming what does not fit */
export function importNetworks(file: Npz, shape: NetworkShape, o: ImportNetworksOptions = {}): NetworkTensors[] {
  const { map = recognise(file), step = 1, notice = () => {} } = o;
  const { slices } = parameterLayout(shape);
  let networks: NetworkTensors[] | null = null;
  const missing: TensorName[] = [];
  for (const name of TENSOR_NAMES) {
    const [rows, columns] = slices[name].shape;
    const wanted = isBias(name) ? [rows] : [rows, columns];
    const source = map[name];
    const found = source ? fetch(file, name, source) : null;
    const where = `${file.path}: ${source?.from.join(" + ") ?? name}`;
    if (!found && !isBias(name)) {
      throw new DataError(`${where}: missing (${name}, ${formatShape(wanted)}); found ${[...file.keys()].join(", ")}`);
    }
    if (!found) missing.push(name);
    const size = rows * columns;
    // Our own dumps and checkpoints have networks in front, checkpoints also biases of one column.
    const tail = (found?.shape ?? wanted).join();
    const fits = [wanted.join(), slices[name].shape.join()];
    const stacked = found !== null && !fits.includes(tail);
    if (found && stacked && !fits.includes(found.shape.slice(1).join())) {
      throw new DataError(
        `${where}: expected ${formatShape(wanted)}, or networks in front of it, found ${formatShape(found.shape)} (${name})`,
      );
    }
    const count = stacked ? (found?.shape[0] as number) : 1;
    networks ??= Array.from({ length: count }, () => ({}) as NetworkTensors);
    if (found && count !== networks.length) {
      throw new DataError(`${where}: ${count} networks, but W_rec has ${networks.length}`);
    }
    const scale = source?.scale === "step" ? step : (source?.scale ?? 1);
    networks.forEach((network, s) => {
      const own = found ? found.data.slice(s * size, (s + 1) * size) : new Float32Array(size);
      network[name] = scale === 1 ? own : own.map((x) => x * scale);
    });
  }
  if (missing.length > 0) notice(`${file.path}: no ${missing.join(", ")}: taken to be 0`);
  return networks ?? [];
}

/**
 * A network whose noise was `sigma` times a uniform number from 0 to 1, as one with noise around 0: in a linear leak a
 * constant push of sigma / 2 is the same as states that are sigma / 2κ higher throughout, which biases
 * can say. Exact without momentum and adaptation.
 * @param leak κ, above 0
 */
export function centreNoise(network: NetworkTensors, shape: NetworkShape, leak: number, sigma: number): NetworkTensors {
  const height = sigma / (2 * leak);
  const raised = (bias: Float32Array, weights: Float32Array) =>
    bias.map((b, i) => {
      const row = weights.subarray(i * shape.units, (i + 1) * shape.units);
      return b + height * row.reduce((sum, w) => sum + w, 0);
    });
  return {
    ...network,
    b: raised(network.b, network.W_rec),
    b_out: raised(network.b_out, network.W_out),
    b_enc: network.b_enc.map((b) => b - height),
  };
}
