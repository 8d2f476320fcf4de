/** Brings given trials to the device: the next ones are read while the GPU works on those before. */
import type { Gpu } from "../gpu/context.ts";
import type { Program } from "../gpu/program.ts";
import type { BatchPlan } from "../kernels/batch.ts";
import type { Chunk } from "../kernels/recurrence.ts";
import { trialBuffer, trialStride, trialTensors } from "../kernels/trials.ts";
import { type TensorsTask, type TrialTensor, trialsOf } from "../task/tensors.ts";

/** Writes these trials of a tensor, in this order, to the beginning of its buffer. @throws DataError */
export function writeTrials(
  gpu: Gpu,
  program: Program,
  task: TensorsTask,
  tensor: TrialTensor,
  trials: Uint32Array,
): void {
  const reader = trialsOf(task);
  const stride = trialStride(task, tensor);
  const staged = new Float32Array(trials.length * stride);
  trials.forEach((trial, i) => {
    reader.read(tensor, trial, staged, i * stride);
  });
  // The queue takes a copy: what was submitted before still reads the numbers of its own time.
  gpu.write(program.buffer(trialBuffer(tensor)), staged);
}

/** The trials of a chunk's rows. @throws DataError */
export function writeChunk(gpu: Gpu, program: Program, task: TensorsTask, chunk: Chunk, trials: Uint32Array): void {
  const own = trials.subarray(chunk.row0, chunk.row0 + chunk.rowsPerNetwork);
  for (const tensor of trialTensors(task)) writeTrials(gpu, program, task, tensor, own);
}

/** Passes of a batch, piece by piece: each begins where a chunk's trials have to be there. */
export function pieces(batch: BatchPlan): { readonly chunk: Chunk; readonly from: number; readonly to: number }[] {
  const { chunkPasses } = batch;
  return chunkPasses.map(({ chunk, from }, i) => {
    return { chunk, from, to: chunkPasses[i + 1]?.from ?? batch.plan.passes.length };
  });
}

/** Runs a whole batch on these trials, chunk after chunk. @throws DataError, and what `Program.run` throws */
export async function runOnTrials(
  gpu: Gpu,
  program: Program,
  batch: BatchPlan,
  task: TensorsTask,
  trials: Uint32Array,
  options: Omit<Parameters<Program["run"]>[0], "from" | "to">,
): Promise<void> {
  for (const { chunk, from, to } of pieces(batch)) {
    writeChunk(gpu, program, task, chunk, trials);
    await program.run({ ...options, from, to });
  }
}
