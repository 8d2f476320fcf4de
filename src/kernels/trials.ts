/**
 * Given trials on the device: a chunk's trials as their file has them, and the passes that lay windows of them out for the
 * rows of its networks. All networks see the same trials. Pure.
 */
import type { BufferSpec, BufferView, DispatchPass } from "../gpu/plan.ts";
import { inputWidth, roundUp } from "../model/parameters.ts";
import { type TensorsTask, TRIAL_TENSORS, type TrialTensor, tensorWidth } from "../task/tensors.ts";
import { type Chunk, chunkRows, type TimeWindow } from "./recurrence.ts";
import type { ModelSpec } from "./spec.ts";

/** What a plan needs to know of given trials. */
export type TrialShape = Pick<TensorsTask, "steps" | "inputs" | "outputs" | "encoderInputs" | "mask">;

/** Buffer of a tensor's trials. */
export const trialBuffer = (tensor: TrialTensor): string => `trial_${tensor}`;

/** Numbers from one trial to the next: the trials of a chunk begin at a multiple of 256 bytes. */
export const trialStride = (t: TrialShape, tensor: TrialTensor): number =>
  roundUp(tensorWidth(t, tensor) * (tensor === "e0" ? 1 : t.steps), 64);

/** Tensors that the trials have. */
export const trialTensors = (t: TrialShape): TrialTensor[] => TRIAL_TENSORS.filter((name) => tensorWidth(t, name) > 0);

export const largestTrial = (t: TrialShape): number =>
  Math.max(...trialTensors(t).map((tensor) => trialStride(t, tensor)));

/** Numbers of a row where it is laid out. */
export const placedWidth = (t: TrialShape, tensor: TrialTensor): number =>
  tensor === "u" ? inputWidth(t.inputs) : tensorWidth(t, tensor);

/** Numbers of a slot of what is laid out; e_0 has no slots. */
export const placedStride = (t: TrialShape, tensor: TrialTensor, rows: number): number =>
  roundUp(rows * placedWidth(t, tensor), 64);

/** @param trials of the largest chunk */
export function trialBuffers(t: TrialShape, tensors: readonly TrialTensor[], trials: number): BufferSpec[] {
  return tensors.map((tensor) => ({
    name: trialBuffer(tensor),
    bytes: 4 * trials * trialStride(t, tensor),
    axes: tensor === "e0" ? "[trials][E]" : "[trials][T][width], as in their file",
  }));
}

/**
 * Lays a window of a tensor out for all rows of a chunk, inputs masked.
 * @param first trajectory whose trial is the buffer's first
 */
export function placePass(
  model: Pick<ModelSpec, "rootSeed" | "noiseRounds">,
  t: TrialShape,
  tensor: TrialTensor,
  c: Chunk,
  w: TimeWindow,
  placed: BufferView,
  first = c.row0,
): DispatchPass {
  const rows = chunkRows(c);
  const padded = placedWidth(t, tensor);
  return {
    kind: "dispatch",
    label: `place ${tensor}`,
    kernel: "task/place_trials",
    tune: tensor === "u" ? { MASKED: 1, PHILOX_ROUNDS: model.noiseRounds } : { MASKED: 0 },
    bind: { rows: { buffer: c.table }, trials: { buffer: trialBuffer(tensor) }, placed },
    uniforms: {
      place_pass: {
        rows,
        first,
        t0: w.t0,
        width: tensorWidth(t, tensor),
        padded,
        trial_stride: trialStride(t, tensor),
        slot_stride: placedStride(t, tensor, rows),
        root_seed: model.rootSeed,
      },
    },
    groups: [Math.ceil(padded / 8), rows / 8, w.steps],
  };
}

export const START: TimeWindow = { t0: 0, steps: 1 };
