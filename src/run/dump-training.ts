/** Arrays of a dump that training has: weights, moments, gradients, and the awake batches of iterations. */
import { WEIGHT_AXES } from "../dump/arrays.ts";
import { awakeJob } from "../dump/jobs.ts";
import { type RolloutHooks, runRollout } from "../dump/rollout.ts";
import type { Gpu } from "../gpu/context.ts";
import type { CheckpointArrays } from "../io/checkpoint.ts";
import type { ArrayBlock } from "../io/shards.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import type { NetworkTensors, TensorName } from "../model/parameters.ts";
import type { Trainer, TrainState } from "../train/trainer.ts";
import { awakeName, type Declared, type Wanted } from "./dump-wanted.ts";
import { checkpointArrays } from "./weights.ts";

export type Emit = (block: ArrayBlock) => void;

/** Hands the tensors of networks over under names with a prefix, those that are declared. */
export type PutTensors = (prefix: string, networks: readonly NetworkTensors[]) => void;

export function tensorPutter(w: Wanted, declared: Declared, emit: Emit): PutTensors {
  return (prefix, networks) => {
    for (const name of Object.keys(WEIGHT_AXES) as TensorName[]) {
      const array = `${prefix}${name}`;
      const whole = declared[array];
      if (!whole) continue;
      w.selection.networks.forEach((network, i) => {
        const shape = [1, ...whole.shape.slice(1)];
        const origin = [i, ...shape.slice(1).map(() => 0)];
        emit({ array, origin, shape, data: (networks[network] as NetworkTensors)[name] });
      });
    }
  };
}

/** Weights and moments as they are stored. */
export function putState(put: PutTensors, arrays: CheckpointArrays): void {
  put("", arrays.weights);
  put("m_", arrays.m);
  put("v_", arrays.v);
}

/** Whether only a trainer has what is wanted; a checkpoint holds weights, moments and all that replay needs. */
export function needsTrainer(declared: Declared): boolean {
  return Object.keys(declared).some((name) => /^(awake|end_|grad_|loss$)/.test(name));
}

/** Gradients, awake batches of the iterations, and what the weights are after them. */
export async function dumpTraining(
  gpu: Gpu,
  trainer: Trainer,
  w: Wanted,
  declared: Declared,
  emit: Emit,
  hooks: RolloutHooks,
): Promise<void> {
  const { spec } = trainer;
  const put = tensorPutter(w, declared, emit);
  const context = { selection: w.selection, adapter: adapterSpec(gpu), records: recordLayouts(gpu.options.readShader) };
  const has = (pattern: RegExp) => Object.keys(declared).some((name) => pattern.test(name));
  const start = await trainer.state();
  putState(put, checkpointArrays(spec.model, start));
  const once = (array: string, i: number, values: readonly number[]) => {
    if (!declared[array]) return;
    const data = Float32Array.from(w.selection.networks, (n) => values[n] as number);
    emit({ array, origin: [i, 0], shape: [1, data.length], data });
  };
  const { times, signal, ...told } = hooks;
  const untold: RolloutHooks = { ...(times ? { times } : {}), ...(signal ? { signal } : {}) };
  for (let i = 0; i < w.iterations; i++) {
    const name = awakeName(w.iterations, i);
    if (has(/^(grad_|loss$)/)) {
      const { loss, gradNorm } = await trainer.probe(await trainer.state(), i === 0 ? told.onCompile : undefined);
      once("loss", i, loss);
      once("grad_norm", i, gradNorm);
      if (i === 0 && has(/^grad_[Wb]/)) {
        put("grad_", checkpointArrays(spec.model, await gradients(gpu, trainer, start)).weights);
      }
    }
    if (has(new RegExp(`^${name}_`))) {
      const job = awakeJob(spec, { ...context, name, iteration: trainer.iteration });
      await runRollout(gpu, job, trainer.buffers, w.selection, emit, i === 0 ? hooks : untold);
    }
    if (i + 1 < w.iterations || has(/^end_/)) {
      await trainer.run({ until: trainer.iteration + 1, signal: signal as AbortSignal });
    }
  }
  if (has(/^end_/)) put("end_", checkpointArrays(spec.model, await trainer.state()).weights);
}

/** The gradient that a probe left on the device, in the place of the weights. */
async function gradients(gpu: Gpu, trainer: Trainer, like: TrainState): Promise<TrainState> {
  const weights = await gpu.readF32(trainer.buffers.get("grads") as never, 0, like.weights.byteLength);
  return { ...like, weights };
}
