/**
 * Trials of given tensors as plain data: inputs u, what the initial state is encoded from, targets and, perhaps, weights of
 * their squared errors, whatever they mean. The numbers stay where they are, in a file that may be larger than memory;
 * whoever has opened it adds a reader here, under the digest that stands in the task.
 *
 * Order of training: the trials are shuffled anew for every pass through them (Fisher–Yates: for k = n − 1 … 1 trial k
 * changes places with trial ⌊w (k + 1) / 2³²⌋), and batches follow one another across passes. Draw k of pass p is word k mod 4 of
 * Philox at (⌊k/4⌋, p mod 2³², ⌊p/2³²⌋, stream trials << 24), key (root seed, 0): iteration i of any run knows its trials.
 */
import { DataError } from "../errors.ts";
import { philox4x32, type Quad } from "../model/philox.ts";
import { STREAM } from "../model/streams.ts";

/** What weights the squared errors: nothing, a number a step, or one for every readout of it. */
export const MASK_KINDS = ["none", "steps", "outputs"] as const;
export type MaskKind = (typeof MASK_KINDS)[number];

export interface TensorsTask {
  readonly kind: "tensors";
  /** Of shapes, element types and checksums of the arrays, hexadecimal. */
  readonly digest: string;
  /** T: steps of a trial that are used, from its first. */
  readonly steps: number;
  readonly trials: number;
  /** Of them, those that training sees; `trials` where the test uses all. */
  readonly trainTrials: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly encoderInputs: number;
  readonly mask: MaskKind;
}

export const TRIAL_TENSORS = ["u", "e0", "target", "mask"] as const;
export type TrialTensor = (typeof TRIAL_TENSORS)[number];

/** Reads trials by their place in the file. */
export interface TrialReader {
  /**
   * Copies the used steps of a trial's tensor into `out` from `at` on.
   * @throws DataError naming array, trial and place of a number that is not finite
   */
  read(tensor: TrialTensor, trial: number, out: Float32Array, at: number): void;
  /** Places in the file of the trials of training, ascending, and of the test. */
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

const known = new Map<string, TrialReader>();

export function keepTrials(digest: string, reader: TrialReader): void {
  known.set(digest, reader);
}

/** @throws DataError where nobody has opened the file */
export function trialsOf(task: Pick<TensorsTask, "digest">): TrialReader {
  const found = known.get(task.digest);
  if (!found) throw new DataError(`tensors ${task.digest.slice(0, 12)}… were not opened; name their file as task.path`);
  return found;
}

/** Numbers of a step of each tensor; of e_0, which has no steps, of the trial. */
export function tensorWidth(task: Pick<TensorsTask, "inputs" | "outputs" | "encoderInputs" | "mask">, of: TrialTensor) {
  if (of === "u") return task.inputs;
  if (of === "e0") return task.encoderInputs;
  if (of === "target") return task.outputs;
  return { none: 0, steps: 1, outputs: task.outputs }[task.mask];
}

/** Trial `k` of the order of a pass, for k = 0 … n − 1. */
export function shuffled(n: number, rootSeed: number, pass: number): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const high = Math.floor(pass / 2 ** 32);
  let words: Quad = [0, 0, 0, 0];
  let block = -1;
  for (let k = n - 1; k > 0; k--) {
    if (k >> 2 !== block) {
      block = k >> 2;
      words = philox4x32([block, pass >>> 0, high, (STREAM.trials << 24) >>> 0], [rootSeed, 0]);
    }
    const other = Math.floor(((words[k & 3] as number) * (k + 1)) / 2 ** 32);
    [order[k], order[other]] = [order[other] as number, order[k] as number];
  }
  return order;
}

/** Which trials of the file the rows of a batch take. All networks see the same, each with its own noise and mask offsets. */
export class TrialOrder {
  readonly #task: TensorsTask;
  readonly #rootSeed: number;
  #pass = -1;
  #order: Uint32Array = new Uint32Array(0);

  constructor(task: TensorsTask, rootSeed: number) {
    this.#task = task;
    this.#rootSeed = rootSeed;
  }

  /** Of training iteration `iteration`. */
  training(iteration: number, batch: number): Uint32Array {
    const { train } = trialsOf(this.#task);
    return Uint32Array.from({ length: batch }, (_, b) => {
      const at = iteration * batch + b;
      const pass = Math.floor(at / train.length);
      if (pass !== this.#pass) {
        this.#order = shuffled(train.length, this.#rootSeed, pass);
        this.#pass = pass;
      }
      return train[this.#order[at % train.length] as number] as number;
    });
  }

  /** Test rows and replays take the trials of the test one after another, again from the first where they are fewer. */
  test(rows: number): Uint32Array {
    const { test } = trialsOf(this.#task);
    return Uint32Array.from({ length: rows }, (_, b) => test[b % test.length] as number);
  }
}
