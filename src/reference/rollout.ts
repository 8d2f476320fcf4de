/**
 * A simulated run of the dynamics with every history kept (model.md section 2); witness of the kernels
 * `shaders/rnn/rollout_*.wgsl` and `shaders/rnn/step_forward.wgsl`.
 */
import type { Activation, CellParams } from "../model/dynamics.ts";
import type { NetworkShape } from "../model/parameters.ts";
import { activationReference } from "./activation.ts";
import { addProduct, requireLength } from "./dense.ts";
import { preActivationReference, stepCellReference } from "./dynamics.ts";
import { encodeInitialReference } from "./encode-initial.ts";
import { readoutReference } from "./readout.ts";
import { DEFAULT_ROUNDS, drawWords, type Key, normals4, type Stream } from "./rng.ts";
import { type ReferenceTensors, requireTensors } from "./tensors.ts";

/** The B rows of one network; rows may differ in their step parameters. */
export interface RolloutInput {
  readonly shape: NetworkShape;
  readonly weights: ReferenceTensors;
  readonly activation: Activation;
  readonly leakySlope: number;
  /** One record per row, length B. */
  readonly params: readonly CellParams[];
  /** (B, E), encoded start positions. */
  readonly e0: Float64Array;
  /** (B, N), a state to start from in place of the encoded one; the encoder then has no part in the run. */
  readonly r0?: Float64Array;
  /** (B, N) each, v and c to go on from; 0 without. */
  readonly v0?: Float64Array;
  readonly c0?: Float64Array;
  /** (T, B, I), already masked; null = no input. */
  readonly u: Float64Array | null;
  /** (T, B, N), ςξ: added to the velocity as it is; null = none. */
  readonly noise: Float64Array | null;
  readonly T: number;
  readonly B: number;
}

export interface Rollout {
  /** (T+1, B, N), slot 0 the initial state. */
  readonly r: Float64Array;
  readonly v: Float64Array;
  readonly c: Float64Array;
  /** (T, B, N), pre-activations. */
  readonly a: Float64Array;
  /** (T, B, O), y_1..y_T: readouts of the states after each step. */
  readonly y: Float64Array;
}

/** Runs T steps. Throws `DataError` for an array that does not fit its shape. */
export function rolloutReference(input: RolloutInput): Rollout {
  requireInput(input);
  const { shape, weights, params, u, noise, T, B } = input;
  const { units: N, inputs: I } = shape;
  const phi = activationReference(input.activation, input.leakySlope);
  const r = new Float64Array((T + 1) * B * N);
  const v = new Float64Array((T + 1) * B * N);
  const c = new Float64Array((T + 1) * B * N);
  const a = new Float64Array(T * B * N);
  r.set(input.r0 ?? encodeInitialReference(shape, weights, input.e0, B));
  if (input.v0) v.set(input.v0);
  if (input.c0) c.set(input.c0);

  const drive = new Float64Array(N);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      const row = t * B + b;
      drive.set(weights.b);
      if (u) addProduct(drive, 0, weights.W_in, N, I, u, row * I);
      addProduct(drive, 0, weights.W_rec, N, N, r, row * N);
      for (let i = 0; i < N; i++) {
        const at = row * N + i;
        const before = { r: r[at] as number, v: v[at] as number, c: c[at] as number };
        const ai = preActivationReference(drive[i] as number, before);
        const xi = noise ? (noise[at] as number) : 0;
        const after = stepCellReference(params[b] as CellParams, before, phi(ai), xi);
        a[at] = ai;
        r[at + B * N] = after.r;
        v[at + B * N] = after.v;
        c[at + B * N] = after.c;
      }
    }
  }
  return { r, v, c, a, y: readoutReference(shape, weights, r.subarray(B * N), T * B) };
}

function requireInput({ shape, weights, params, e0, r0, v0, c0, u, noise, T, B }: RolloutInput): void {
  requireTensors(shape, weights);
  requireLength("params", params, B);
  if (r0) requireLength("r0", r0, B * shape.units);
  else requireLength("e0", e0, B * shape.encoderInputs);
  if (v0) requireLength("v0", v0, B * shape.units);
  if (c0) requireLength("c0", c0, B * shape.units);
  if (u) requireLength("u", u, T * B * shape.inputs);
  if (noise) requireLength("noise", noise, T * B * shape.units);
}

/** Which noise: the rows are trajectories `trajectory0`, `trajectory0` + 1, … of one epoch of one stream. */
export interface NoiseRequest {
  readonly T: number;
  readonly B: number;
  readonly N: number;
  readonly stream: Stream;
  /** Training iteration, or index of the condition in the whole sweep. */
  readonly epoch: number;
  readonly key: Key;
  readonly trajectory0: number;
  /** One record per row, length B: gives ς. */
  readonly params: readonly CellParams[];
  readonly rounds?: number;
  /** Step of the first slot, for a run that goes on from an earlier one. */
  readonly step0?: number;
}

/** ςξ as the kernels regenerate it, (T, B, N). */
export function philoxNoise(request: NoiseRequest): Float64Array {
  const { T, B, N, stream, epoch, key, trajectory0, params, rounds = DEFAULT_ROUNDS, step0 = 0 } = request;
  requireLength("params", params, B);
  const noise = new Float64Array(T * B * N);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      const std = (params[b] as CellParams).noise;
      for (let i = 0; i < N; i += 4) {
        const normals = normals4(drawWords(step0 + t, i >>> 2, trajectory0 + b, stream, epoch, key, rounds));
        for (let lane = 0; lane < 4 && i + lane < N; lane++) {
          noise[(t * B + b) * N + i + lane] = std * (normals[lane] as number);
        }
      }
    }
  }
  return noise;
}
