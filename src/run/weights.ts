/** Between checkpoints, which hold plain tensors, and the padded vectors on the device. */
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import type { CheckpointArrays } from "../io/checkpoint.ts";
import type { ModelSpec } from "../kernels/spec.ts";
import { type NetworkTensors, packParameters, transposeRecurrent, unpackParameters } from "../model/parameters.ts";
import type { TrainState } from "../train/trainer.ts";

/** (S, stride) from one set of tensors a network. */
export function packNetworks(model: ModelSpec, networks: readonly NetworkTensors[]): Float32Array<ArrayBuffer> {
  const { layout } = model;
  const flat = new Float32Array(networks.length * layout.stride);
  networks.forEach((t, s) => {
    flat.set(packParameters(layout, t), s * layout.stride);
  });
  return flat;
}

function unpackNetworks(model: ModelSpec, flat: Float32Array): NetworkTensors[] {
  const { layout } = model;
  const count = flat.length / layout.stride;
  return Array.from({ length: count }, (_, s) =>
    unpackParameters(layout, flat.subarray(s * layout.stride, (s + 1) * layout.stride)),
  );
}

export function checkpointArrays(model: ModelSpec, state: TrainState): CheckpointArrays {
  return {
    weights: unpackNetworks(model, state.weights),
    m: unpackNetworks(model, state.moment1),
    v: unpackNetworks(model, state.moment2),
  };
}

const SOUND = "sound";

/** A network's status as a checkpoint words it. */
export const statusWord = (status: number, bad: number): string =>
  status === 0 ? SOUND : `nonFinite ${status} ${bad}`;

/** @throws Error never: an unknown word counts as sound */
function parseStatus(word: string): { status: number; bad: number } {
  const m = /^nonFinite (\d+) (\d+)$/.exec(word);
  return m ? { status: Number(m[1]), bad: Number(m[2]) } : { status: 0, bad: 0xffffffff };
}

export function trainState(
  model: ModelSpec,
  arrays: CheckpointArrays,
  iteration: number,
  words: readonly string[],
): TrainState {
  const parsed = words.map(parseStatus);
  return {
    weights: packNetworks(model, arrays.weights),
    moment1: packNetworks(model, arrays.m),
    moment2: packNetworks(model, arrays.v),
    iteration,
    status: parsed.map((p) => p.status),
    bad: parsed.map((p) => p.bad),
  };
}

/** Device buffers `weights` and `recurrent_t`, for a replay without a trainer. The caller destroys them. */
export function uploadWeights(
  gpu: Gpu,
  model: ModelSpec,
  networks: readonly NetworkTensors[],
): Map<string, DeviceBuffer> {
  const flat = packNetworks(model, networks);
  const transposed = transposeRecurrent(model.shape, model.layout, flat);
  const out = new Map<string, DeviceBuffer>();
  for (const [name, data] of [
    ["weights", flat],
    ["recurrent_t", transposed],
  ] as const) {
    const buffer = gpu.createBuffer(name, data.byteLength);
    gpu.write(buffer, data);
    out.set(name, buffer);
  }
  return out;
}
