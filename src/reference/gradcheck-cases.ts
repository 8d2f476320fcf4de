/**
 * Random networks, inputs and settings for comparing the GPU with the float64 reference: in the tests, and in
 * `doctor --gradcheck`. A case is a pure function of (seed, index).
 */
import type { EvaluateInput } from "../evaluate/evaluate.ts";
import { ACTIVATIONS, type CellParams, cellParams, type StepParameters } from "../model/dynamics.ts";
import {
  FEW_INPUTS,
  type NetworkShape,
  type NetworkTensors,
  parameterLayout,
  TENSOR_NAMES,
} from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import { STREAM } from "../model/streams.ts";
import { drawWords, normals4, type Quad, uniform } from "./rng.ts";
import { type Rollout, type RolloutInput, rolloutReference } from "./rollout.ts";
import { widenTensors } from "./tensors.ts";

export interface GradcheckCase {
  readonly index: number;
  /** Options that a wrong term of the equations could hide behind; those in use in this case. */
  readonly options: readonly GradcheckOption[];
  /** One line: sizes and options. */
  readonly label: string;
  readonly input: Omit<EvaluateInput, "kind"> & { readonly target: Float32Array; readonly l2Activity: number };
  /** The same numbers in float64. */
  readonly reference: RolloutInput;
  readonly rollout: Rollout;
}

export const GRADCHECK_OPTIONS = [
  ...ACTIVATIONS,
  "leak",
  "momentum",
  "adaptation",
  "rowsDiffer",
  "noise",
  "mask",
  "l2Activity",
] as const;
export type GradcheckOption = (typeof GRADCHECK_OPTIONS)[number];

// Around the borders of quads (4), mask words and tiles (32), and of a readout's 16 columns.
const UNITS = [1, 3, 4, 5, 8, 13, 16, 31, 32, 33, 48, 64, 65];
const INPUTS = [1, 2, 3, 4, 7, 17, 40];
const OUTPUTS = [1, 2, 3, 4, 5, 16, 17, 20, 33, 40];
const ENCODER_INPUTS = [1, 2, 3, 4, 5, 9, 40];
const BATCHES = [1, 2, 31, 5, 32, 33, 3, 70];
const STEPS = [1, 2, 3, 5, 9, 17, 33, 60, 100];

/** Rows × N² × T above which a case gets fewer steps: what a software adapter does in some tens of milliseconds. */
const MAX_WORK = 4e6;
/** States stay below this, so that an absolute tolerance means something (decision of the design: ≤ 10). */
const MAX_STATE = 10;

/** Deterministic draws; a case takes as many as it likes. */
class Draws {
  readonly #key: readonly [number, number];
  #at = 0;

  constructor(seed: number, index: number) {
    this.#key = [seed >>> 0, index];
  }

  #words(): Quad {
    return drawWords(this.#at++, 0, 0, STREAM.testPaths, 0, this.#key);
  }

  between(low: number, high: number): number {
    return low + (high - low) * uniform(this.#words()[0]);
  }

  of<T>(list: readonly T[]): T {
    return list[this.#words()[0] % list.length] as T;
  }

  flip(probability = 0.5): boolean {
    return uniform(this.#words()[0]) < probability;
  }

  normals(length: number, std: number): Float32Array {
    const out = new Float32Array(length);
    for (let i = 0; i < length; i += 4) {
      const four = normals4(this.#words());
      for (let lane = 0; lane < 4 && i + lane < length; lane++) out[i + lane] = std * (four[lane] as number);
    }
    return out;
  }
}

// Taken in turn, from lists whose lengths have no factor in common: of 12 sizes, every fourth case (each nonlinearity)
// would only ever meet the same three.
export const gradcheckUnits = (index: number): number => UNITS[index % UNITS.length] as number;
const inputsOf = (index: number): number => INPUTS[index % INPUTS.length] as number;
const activationOf = (index: number) => ACTIVATIONS[index % ACTIVATIONS.length] as (typeof ACTIVATIONS)[number];

/** The first cases, those that run the same kernels one after another. */
export function gradcheckOrder(cases: number): number[] {
  const key = (i: number) => [i % ACTIVATIONS.length, inputsOf(i) > FEW_INPUTS ? 1 : 0, gradcheckUnits(i), i] as const;
  return Array.from({ length: cases }, (_, i) => key(i))
    .sort((a, b) => a.map((own, at) => own - (b[at] as number)).find((difference) => difference !== 0) ?? 0)
    .map((sorted) => sorted[3]);
}

function sizes(draws: Draws, index: number, steps: number | null) {
  const units = gradcheckUnits(index);
  const shape: NetworkShape = {
    units: steps === null ? units : Math.min(units, 33),
    inputs: inputsOf(index),
    outputs: OUTPUTS[(index * 3) % OUTPUTS.length] as number,
    encoderInputs: ENCODER_INPUTS[(index + 3) % ENCODER_INPUTS.length] as number,
  };
  const B = steps === null ? (BATCHES[(index * 5 + (index >> 3)) % BATCHES.length] as number) : draws.of([1, 3, 8]);
  const most = Math.max(2, Math.floor(MAX_WORK / (paddedRows(B) * shape.units ** 2)));
  return { shape, B, T: steps ?? Math.min(draws.of(STEPS), most) };
}

function stepParameters(draws: Draws, on: ReadonlySet<GradcheckOption>): StepParameters {
  return {
    leak: on.has("leak") ? draws.between(0.05, 1) : 0,
    gain: draws.between(0.2, 1.2),
    noiseStd: 1,
    noiseScale: 1,
    friction: on.has("momentum") ? draws.between(0.3, 1) : 1,
    noiseFriction: false,
    adaptStrength: on.has("adaptation") ? draws.between(0.1, 1) : 0,
    adaptTau: draws.between(1, 40),
  };
}

function weights(draws: Draws, shape: NetworkShape): NetworkTensors {
  const gain = draws.between(0.2, 1.1);
  const std = {
    W_rec: gain / Math.sqrt(shape.units),
    W_in: 0.7 / Math.sqrt(shape.inputs),
    b: 0.2,
    W_out: 1 / Math.sqrt(shape.units),
    b_out: 0.2,
    W_enc: 0.8 / Math.sqrt(shape.encoderInputs),
    b_enc: 0.2,
  };
  const { slices } = parameterLayout(shape);
  const tensors = {} as NetworkTensors;
  for (const name of TENSOR_NAMES)
    tensors[name] = draws.normals(slices[name].shape[0] * slices[name].shape[1], std[name]);
  return tensors;
}

/** Tensors that the states depend on. */
const DRIVES = ["W_rec", "W_in", "b", "W_enc", "b_enc"] as const;

/** A row sees its input at one step in k, from its own offset on. */
function maskOf(draws: Draws, T: number, B: number): Float32Array {
  const every = draws.of([2, 3, 5]);
  const offsets = Array.from({ length: B }, () => draws.of([0, 1, 2, 3, 4]));
  return Float32Array.from({ length: T * B }, (_, at) =>
    (Math.floor(at / B) + (offsets[at % B] as number)) % every === 0 ? 1 : 0,
  );
}

const scaled = (x: Float32Array, by: number): Float32Array => x.map((value) => value * by);
const largest = (x: Float64Array): number => x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** In float64, the numbers that the device works with. */
function widen(input: Omit<EvaluateInput, "kind">): RolloutInput {
  const { steps: T, batch: B, shape, mask } = input;
  const own: readonly StepParameters[] = Array.isArray(input.step) ? input.step : [input.step];
  const params: CellParams[] = Array.from({ length: B }, (_, b) => cellParams(own[b % own.length] as StepParameters));
  return {
    shape,
    weights: widenTensors(input.weights),
    activation: input.activation,
    leakySlope: Math.fround(input.leakySlope),
    params,
    e0: Float64Array.from(input.e0),
    u: Float64Array.from(input.u, (x, at) =>
      mask ? Math.fround(x * (mask[Math.floor(at / shape.inputs)] as number)) : x,
    ),
    noise: input.noise ? Float64Array.from(input.noise) : null,
    T,
    B,
  };
}

/**
 * @param steps T, where it matters; otherwise up to 100, less where the network is large
 */
export function gradcheckCase(seed: number, index: number, steps: number | null = null): GradcheckCase {
  const draws = new Draws(seed, index);
  const { shape, B, T } = sizes(draws, index, steps);
  const activation = activationOf(index);
  const on = new Set<GradcheckOption>([activation]);
  if (draws.flip(0.75)) on.add("leak");
  for (const name of ["momentum", "adaptation", "mask", "l2Activity"] as const) if (draws.flip()) on.add(name);
  if (B > 1 && draws.flip()) on.add("rowsDiffer");
  // A kernel without noise is one more to compile: only one nonlinearity, and few inputs, have cases that lack it.
  if (activation !== "relu" || draws.flip() || shape.inputs > FEW_INPUTS) on.add("noise");

  const step = stepParameters(draws, on);
  // Rows with and without momentum and adaptation stand side by side.
  const rows = Array.from({ length: B }, () => {
    const own = new Set(on);
    for (const name of ["momentum", "adaptation"] as const) if (draws.flip(0.3)) own.delete(name);
    return stepParameters(draws, own);
  });
  const drawn = {
    shape,
    weights: weights(draws, shape),
    activation,
    leakySlope: draws.of([0.01, 0.2]),
    step: on.has("rowsDiffer") ? rows : step,
    steps: T,
    batch: B,
    e0: draws.normals(B * shape.encoderInputs, 1),
    u: draws.normals(T * B * shape.inputs, 1),
    ...(on.has("mask") ? { mask: maskOf(draws, T, B) } : {}),
    ...(on.has("noise") ? { noise: draws.normals(T * B * shape.units, 0.1) } : {}),
    l2Activity: on.has("l2Activity") ? draws.between(0.05, 0.5) : 0,
  };
  // What drives the network is turned down until it stays within bounds.
  let input = drawn;
  let rollout = rolloutReference(widen(input));
  for (let by = 0.7; largest(rollout.r) > MAX_STATE; by *= 0.7) {
    const turnedDown = Object.fromEntries(
      DRIVES.map((name) => [name, scaled(drawn.weights[name], by)]),
    ) as Partial<NetworkTensors>;
    input = {
      ...drawn,
      weights: { ...drawn.weights, ...turnedDown },
      ...(drawn.noise ? { noise: scaled(drawn.noise, by) } : {}),
    };
    rollout = rolloutReference(widen(input));
  }
  // Off centre: where differences cancel, the gradient of b_out is the rounding of their sum, and has no error to speak of.
  const target = draws.normals(T * B * shape.outputs, 1).map((x) => x + 1);
  return exampleOf(
    index,
    GRADCHECK_OPTIONS.filter((o) => on.has(o)),
    { ...input, target },
    rollout,
  );
}

/** An input of one's own with its float64 twin. */
export function exampleOf(
  index: number,
  options: readonly GradcheckOption[],
  input: GradcheckCase["input"],
  rollout: Rollout = rolloutReference(widen(input)),
): GradcheckCase {
  const { units: N, inputs: I, outputs: O, encoderInputs: E } = input.shape;
  return {
    index,
    options,
    label: `case ${index}: N=${N} I=${I} O=${O} E=${E} T=${input.steps} B=${input.batch} ${options.join(" ")}`,
    input,
    reference: widen(input),
    rollout,
  };
}
