/**
 * A .npz with trials of given tensors, read trial by trial where they stand, so that it may be larger than memory. A number
 * that is not finite is refused, whenever it is met, with the place where it stands; `check` meets all of them.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { crc32 } from "node:zlib";
import { DataError } from "../errors.ts";
import {
  keepTrials,
  type MaskKind,
  type TensorsTask,
  TRIAL_TENSORS,
  type TrialReader,
  type TrialTensor,
} from "../task/tensors.ts";
import {
  type Dtype,
  decodeNpyHeader,
  elementBytes,
  elementCount,
  formatShape,
  type NpyHeader,
  widenFloat16,
} from "./npy.ts";
import { isTestTrial } from "./recorded-task.ts";
import { type ZipEntry, ZipReader } from "./zip.ts";

export interface TrialFileOptions {
  readonly path: string;
  /** T; null: all steps of the file. */
  readonly steps: number | null;
  /** Share of the trials that training never sees. */
  readonly testShare: number;
}

export interface LoadedTrials {
  readonly task: TensorsTask;
  readonly file: TrialFile;
  /** What the file holds and how it is used, in a sentence. */
  readonly note: string;
}

/** Axes as messages write them. */
const AXES: Readonly<Record<TrialTensor, string>> = {
  u: "(trials,T,I)",
  e0: "(trials,E)",
  target: "(trials,T,O)",
  mask: "(trials,T) or (trials,T,O)",
};

const FLOATS: readonly Dtype[] = ["float16", "float32", "float64"];
/** A header of NumPy is shorter. */
const MOST_HEADER_BYTES = 66_000;
/** As many as task.steps may be. */
const MOST_STEPS = 65_536;
/** What `check` holds in memory at a time. */
const PIECE_BYTES = 4 << 20;

interface TrialArray extends NpyHeader {
  readonly name: TrialTensor;
  readonly entry: ZipEntry;
}

export class TrialFile implements TrialReader {
  readonly path: string;
  readonly arrays: ReadonlyMap<TrialTensor, TrialArray>;
  readonly train: Uint32Array;
  readonly test: Uint32Array;
  readonly trials: number;
  /** T of the file. */
  readonly length: number;
  readonly #zip: ZipReader;
  readonly #testShare: number;
  /** Steps of a trial that are read. */
  readonly #steps: number;
  #scratch = new Uint8Array(0);

  /** @throws DataError naming file, array, expected and found; DiskError */
  constructor({ path, steps, testShare }: TrialFileOptions) {
    this.path = path;
    this.#testShare = testShare;
    this.#zip = new ZipReader(path);
    try {
      this.arrays = this.#readHeaders();
      const [trials, length] = this.#requireShapes();
      this.trials = trials;
      this.length = length;
      if (steps !== null && steps > length) {
        throw new DataError(
          `${path}: its trials have ${length} steps, and task.steps = ${steps}: use at most ${length}`,
        );
      }
      if (steps === null && length > MOST_STEPS) {
        throw new DataError(`${path}: its trials have ${length} steps; name at most ${MOST_STEPS} as task.steps`);
      }
      this.#steps = steps ?? length;
      const places = Uint32Array.from({ length: trials }, (_, i) => i);
      this.train = testShare === 0 ? places : places.filter((i) => !isTestTrial(i, testShare));
      this.test = testShare === 0 ? places : places.filter((i) => isTestTrial(i, testShare));
      if (this.test.length === 0 || this.train.length === 0) {
        throw new DataError(
          `${path}: ${trials} trials cannot be split with task.testShare = ${testShare}; change it, or set 0 to test on the trials of training`,
        );
      }
    } catch (error) {
      this.#zip.close();
      throw error;
    }
  }

  #readHeaders(): Map<TrialTensor, TrialArray> {
    const found = new Map<TrialTensor, TrialArray>();
    for (const entry of this.#zip.entries) {
      const name = TRIAL_TENSORS.find((tensor) => entry.name === `${tensor}.npy`);
      if (name === undefined) continue;
      const start = new Uint8Array(Math.min(entry.bytes, MOST_HEADER_BYTES));
      this.#zip.readAt(entry, 0, start);
      const where = `${this.path}: ${name}`;
      const header = decodeNpyHeader(start, where);
      if (!FLOATS.includes(header.dtype)) {
        throw new DataError(
          `${where}: expected float32 ${AXES[name]}, found ${header.dtype}; save ${name}.astype('f4')`,
        );
      }
      if (header.dataOffset + header.dataBytes !== entry.bytes) {
        throw new DataError(
          `${where}: expected ${header.dataBytes} bytes for ${header.dtype} ${formatShape(header.shape)}, found ${entry.bytes - header.dataOffset}; write the file again`,
        );
      }
      found.set(name, { ...header, name, entry });
    }
    for (const name of TRIAL_TENSORS) {
      if (found.has(name) || name === "mask") continue;
      const names = this.#zip.entries.map((e) => e.name.replace(/\.npy$/, "")).join(", ") || "no arrays";
      throw new DataError(`${this.path}: ${name} ${AXES[name]}: missing; the file has ${names}`);
    }
    return found;
  }

  /** Trials and T, the same in all arrays. */
  #requireShapes(): [number, number] {
    const u = this.arrays.get("u") as TrialArray;
    const [trials, length] = u.shape as [number, number];
    const fits = ({ name, shape }: TrialArray): boolean => {
      const axes = name === "e0" ? [trials] : [trials, length];
      const ranks = name === "mask" ? [2, 3] : [axes.length + 1];
      const outputs = this.arrays.get("target")?.shape[2];
      return (
        ranks.includes(shape.length) &&
        axes.every((n, i) => shape[i] === n) &&
        elementCount(shape) > 0 &&
        (name !== "mask" || shape.length === 2 || shape[2] === outputs)
      );
    };
    for (const array of this.arrays.values()) {
      if (fits(array)) continue;
      const known = array.name === "u" ? "" : `, trials = ${trials} and T = ${length} as in u`;
      throw new DataError(
        `${this.path}: ${array.name}: expected ${AXES[array.name]}${known}, found ${formatShape(array.shape)}; every size must be at least 1`,
      );
    }
    return [trials, length];
  }

  get mask(): MaskKind {
    const rank = this.arrays.get("mask")?.shape.length;
    return rank === undefined ? "none" : rank === 2 ? "steps" : "outputs";
  }

  /** Of what the file holds, from its directory: no data is read for it. */
  get digest(): string {
    const hash = createHash("sha256").update(JSON.stringify([this.#steps, this.#testShare]));
    for (const name of TRIAL_TENSORS) {
      const a = this.arrays.get(name);
      if (a) hash.update(JSON.stringify([name, a.dtype, a.shape, a.entry.crc]));
    }
    return hash.digest("hex");
  }

  read(tensor: TrialTensor, trial: number, out: Float32Array, at: number): void {
    const array = this.arrays.get(tensor);
    if (!array) throw new DataError(`${this.path}: ${tensor}: missing`);
    const perTrial = elementCount(array.shape) / this.trials;
    const count = tensor === "e0" ? perTrial : (perTrial / this.length) * this.#steps;
    this.#readElements(array, trial * perTrial, out.subarray(at, at + count));
  }

  /** Elements from `first` on, as float32, every one of them sound. */
  #readElements(array: TrialArray, first: number, out: Float32Array): void {
    const size = elementBytes(array.dtype);
    const from = array.dataOffset + first * size;
    if (array.dtype === "float32") {
      this.#zip.readAt(array.entry, from, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
    } else {
      const bytes = this.#room(out.length * size);
      this.#zip.readAt(array.entry, from, bytes);
      widen(array.dtype, bytes, out);
    }
    this.#requireSound(array, first, out);
  }

  #room(bytes: number): Uint8Array {
    if (this.#scratch.length < bytes) this.#scratch = new Uint8Array(bytes);
    return this.#scratch.subarray(0, bytes);
  }

  #requireSound({ name, shape }: TrialArray, first: number, values: Float32Array): void {
    const isSound = name === "mask" ? (x: number) => x >= 0 && x < Infinity : Number.isFinite;
    const bad = values.findIndex((x) => !isSound(x));
    if (bad < 0) return;
    const index: number[] = [];
    let rest = first + bad;
    for (const n of shape.toReversed()) {
      index.unshift(rest % n);
      rest = Math.floor(rest / n);
    }
    const hint =
      name === "mask"
        ? "a weight must be a finite number ≥ 0"
        : name === "target" && this.arrays.has("mask")
          ? "every value must be a finite number; where mask is 0, any will do"
          : "every value must be a finite float32";
    const where = index.length > 2 ? `trial ${index[0]}, step ${index[1]}` : `trial ${index[0]}`;
    throw new DataError(`${this.path}: ${name}: ${values[bad]} at ${formatShape(index)}, ${where}; ${hint}`);
  }

  /**
   * Reads everything once, a piece at each turn: every number, and the checksum of every array.
   * @returns bytes read so far, of `bytes`
   * @throws DataError
   */
  *check(): Generator<number> {
    let done = 0;
    for (const array of this.arrays.values()) {
      const { entry, dataOffset, name } = array;
      const size = elementBytes(array.dtype);
      const step = Math.floor(PIECE_BYTES / size) * size;
      let crc = 0;
      for (let from = 0; from < entry.bytes; ) {
        const length = from === 0 ? dataOffset : Math.min(step, entry.bytes - from);
        const bytes = new Uint8Array(length);
        this.#zip.readAt(entry, from, bytes);
        crc = crc32(bytes, crc);
        if (from > 0) {
          const values = new Float32Array(length / size);
          widen(array.dtype, bytes, values);
          this.#requireSound(array, (from - dataOffset) / size, values);
        }
        from += length;
        done += length;
        yield done;
      }
      if (crc !== entry.crc) {
        throw new DataError(
          `${this.path}: ${name}: damaged (its CRC-32 does not match); restore the file or write it again`,
        );
      }
    }
  }

  /** Of all arrays that are read. */
  get bytes(): number {
    return [...this.arrays.values()].reduce((sum, a) => sum + a.entry.bytes, 0);
  }
}

/** Little-endian elements as float32. */
function widen(dtype: Dtype, bytes: Uint8Array, out: Float32Array): void {
  const { buffer, byteOffset } = bytes;
  if (dtype === "float32") out.set(new Float32Array(buffer, byteOffset, out.length));
  else if (dtype === "float64") out.set(new Float64Array(buffer, byteOffset, out.length));
  else out.set(Float32Array.from(new Uint16Array(buffer, byteOffset, out.length), widenFloat16));
}

const loaded = new Map<string, LoadedTrials>();

/** What tells a file from another one in its place. */
function versionOf(path: string): readonly number[] {
  const { ino, size, mtimeMs } = fs.statSync(path, { throwIfNoEntry: false }) ?? {};
  return [ino ?? 0, size ?? 0, mtimeMs ?? 0];
}

/** Opens a file once per process, and leaves it open. @throws DataError, DiskError */
export function loadTrials(options: TrialFileOptions): LoadedTrials {
  const key = JSON.stringify([options, versionOf(options.path)]);
  const before = loaded.get(key);
  if (before) return before;
  const file = new TrialFile(options);
  const width = (name: TrialTensor): number => file.arrays.get(name)?.shape.at(-1) as number;
  const task: TensorsTask = {
    kind: "tensors",
    digest: file.digest,
    steps: options.steps ?? file.length,
    trials: file.trials,
    trainTrials: file.train.length,
    inputs: width("u"),
    outputs: width("target"),
    encoderInputs: width("e0"),
    mask: file.mask,
  };
  keepTrials(task.digest, file);
  const made = { task, file, note: describe(file, task, options) };
  loaded.set(key, made);
  return made;
}

function describe(file: TrialFile, task: TensorsTask, { testShare }: TrialFileOptions): string {
  const steps = task.steps === file.length ? `${task.steps} steps` : `the first ${task.steps} of ${file.length} steps`;
  const rounded = [...file.arrays.values()].filter((a) => a.dtype === "float64").map((a) => a.name);
  const test = testShare === 0 ? "all of them for the test too" : `${file.test.length} for the test`;
  return (
    `${file.path}: ${task.trials} trials of ${steps}, ${task.inputs} inputs, ${task.outputs} readouts, ${task.encoderInputs} to encode the start` +
    `${task.mask === "none" ? "" : `, errors weighted by ${task.mask === "steps" ? "step" : "step and readout"}`}; ` +
    `${task.trainTrials} trials for training, ${test}` +
    (rounded.length > 0 ? `; float64 rounded to float32: ${rounded.join(", ")}` : "")
  );
}
