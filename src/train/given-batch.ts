/**
 * Training on one batch of given tensors, again and again: inputs, e_0 and targets stay on the device, noise is drawn
 * anew in every iteration. It is the training step by itself, with any number of inputs and readouts and without a task:
 * what benchmarks time, and what shows whether a network can learn a batch by heart.
 */
import { UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { packArray } from "../gpu/pack.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { Clock, Program } from "../gpu/program.ts";
import { type BatchPlan, planBatch } from "../kernels/batch.ts";
import { ADAM } from "../kernels/gradients.ts";
import { type RecordLayouts, readField, recordLayouts } from "../kernels/records.ts";
import { type Chunk, chunkRows } from "../kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec, type ModelSpec } from "../kernels/spec.ts";
import type { StepParameters } from "../model/dynamics.ts";
import {
  type NetworkTensors,
  packParameters,
  roundUp,
  transposeRecurrent,
  unpackParameters,
} from "../model/parameters.ts";
import { packRows } from "../model/rows.ts";
import type { StoredAs } from "../model/stored.ts";
import { awakeRollout, MAX_ITERATIONS_PER_SUBMIT, resetStats } from "./plan.ts";
import { iterationSubmits, submitIterations } from "./submit.ts";

/** Networks, sizes and optimiser of a {@link GivenBatch}. */
export interface GivenBatchSpec {
  readonly model: ModelSpec;
  /** One network each: its noise seed and its step parameters. */
  readonly networks: readonly { readonly seed: number; readonly step: StepParameters }[];
  /** T */
  readonly steps: number;
  /** B */
  readonly batch: number;
  readonly learningRate: number;
  /** 0: gradients are not clipped. */
  readonly clipNorm: number;
  readonly kind: PlanKind;
  /** How activations lie in memory between passes; float32 unless said otherwise. */
  readonly stored?: StoredAs;
  /** Tighter limits than the adapter's own (tests). */
  readonly adapter?: AdapterSpec;
}

/** The batch; all networks see the same. */
export interface GivenTensors {
  /** (B, E) */
  readonly e0: Float32Array;
  /** (T, B, I) */
  readonly u: Float32Array;
  /** (T, B, O): index t is the target of r_{t+1}. */
  readonly target: Float32Array;
}

/** Of every network: loss, and norm of its gradient before clipping. */
export interface GivenStats {
  readonly loss: readonly number[];
  readonly gradNorm: readonly number[];
}

/** Trains networks on one batch of given tensors, which stays on the device. Made by `GivenBatch.create`, ended by `destroy`. */
export class GivenBatch {
  readonly spec: GivenBatchSpec;
  readonly plan: BatchPlan;
  /** Iterations done. */
  iteration = 0;
  readonly #gpu: Gpu;
  readonly #program: Program;
  readonly #clock: Clock;
  readonly #layouts: RecordLayouts;

  private constructor(gpu: Gpu, spec: GivenBatchSpec, plan: BatchPlan, program: Program, layouts: RecordLayouts) {
    this.#gpu = gpu;
    this.spec = spec;
    this.plan = plan;
    this.#program = program;
    this.#layouts = layouts;
    this.#clock = new Clock(gpu, MAX_ITERATIONS_PER_SUBMIT);
  }

  /**
   * @param weights one entry a network
   * @throws UsageError when the batch does not fit, GpuError
   */
  static async create(
    gpu: Gpu,
    spec: GivenBatchSpec,
    weights: readonly NetworkTensors[],
    data: GivenTensors,
  ): Promise<GivenBatch> {
    const layouts = recordLayouts(gpu.options.readShader);
    const plan = planGivenBatch(spec, spec.adapter ?? adapterSpec(gpu), layouts);
    if (plan.chunkPasses.length > 1) {
      throw new UsageError(
        `a given batch has to fit at once; ${spec.networks.length} networks × ${spec.batch} rows × ${spec.steps} steps need ${plan.chunkPasses.length} chunks on this adapter: use fewer`,
      );
    }
    const program = await Program.create(gpu, plan.plan);
    const self = new GivenBatch(gpu, spec, plan, program, layouts);
    self.#upload(weights, data);
    return self;
  }

  get #chunk(): Chunk {
    return (this.plan.chunkPasses[0] as { chunk: Chunk }).chunk;
  }

  #upload(weights: readonly NetworkTensors[], data: GivenTensors): void {
    const { model, networks, learningRate } = this.spec;
    const { shape, layout } = model;
    const flat = new Float32Array(networks.length * layout.stride);
    weights.forEach((w, s) => {
      flat.set(packParameters(layout, w), s * layout.stride);
    });
    const write = (name: string, values: Float32Array<ArrayBuffer>) =>
      this.#gpu.write(this.#program.buffer(name), values);
    write("weights", flat);
    write("recurrent_t", transposeRecurrent(shape, layout, flat));
    // Partials too: no kernel writes the gap between the last tensor and the stride, yet the norm reads it.
    this.#program.clear("moment1", "moment2", "partials");
    const rates = networks.map((n) => ({
      seed: n.seed,
      initial_gain: 0,
      learning_rate: learningRate,
      final_learning_rate: learningRate,
    }));
    this.#gpu.write(this.#program.buffer("networks"), packArray(this.#layouts.network, rates));
    resetStats(this.#gpu, this.#program);
    this.setSteps(networks.map((n) => n.step));
    const rows = chunkRows(this.#chunk);
    const { inputs: I, outputs: O, encoderInputs: E } = shape;
    const place = (values: Float32Array, count: number, width: number, stride: number) =>
      toDevice(values, count, this.spec.batch, width, this.#chunk, stride);
    write("e0", place(data.e0, 1, E, rows * E));
    if (I > 0) write("input", place(data.u, this.spec.steps, I, roundUp(rows * I, 64)));
    write("target", place(data.target, this.spec.steps, O, roundUp(rows * O, 64)));
  }

  /** Other step parameters from the next iteration on, one entry a network: noise off for a check, say. */
  setSteps(steps: readonly StepParameters[]): void {
    const rows = steps.map((step, s) =>
      Array.from({ length: this.spec.batch }, (_, trajectory) => ({
        step,
        networkSeed: this.spec.networks[s]?.seed ?? 0,
        trajectory,
        epoch: 0,
        maskEvery: 1,
        maskRandom: false,
      })),
    );
    const { table, rowsPerNetwork } = this.#chunk;
    this.#gpu.write(this.#program.buffer(table), packRows(this.#layouts.row, rows, rowsPerNetwork));
  }

  #setClock(slot: number, iteration: number): void {
    const kernel = this.#program.clockKernel;
    if (!kernel) return;
    this.#clock.set(slot, kernel, {
      iteration,
      slot,
      progress: 0,
      correction1: 1 - ADAM.beta1 ** (iteration + 1),
      correction2: 1 - ADAM.beta2 ** (iteration + 1),
    });
  }

  /** Does `count` iterations and waits for them; the losses of the last one. */
  async run(count: number): Promise<GivenStats> {
    const submits = iterationSubmits(this.#program, this.spec.adapter ?? adapterSpec(this.#gpu));
    const until = this.iteration + count;
    while (this.iteration < until) {
      const n = Math.min(MAX_ITERATIONS_PER_SUBMIT, until - this.iteration);
      for (let i = 0; i < n; i++) this.#setClock(i, this.iteration + i);
      const own = { program: this.#program, clock: this.#clock, submits };
      submitIterations(this.#gpu, { ...own, count: n, label: "given batch" });
      this.iteration += n;
      if (this.iteration < until) await this.#gpu.idle();
    }
    return this.#stats();
  }

  async #stats(): Promise<GivenStats> {
    const stats = this.#program.buffer("stats");
    const bytes = await this.#gpu.read(stats, 0, this.spec.networks.length * this.#layouts.stats.bytes);
    return {
      loss: readField(this.#layouts.stats, bytes, "loss"),
      gradNorm: readField(this.#layouts.stats, bytes, "norm"),
    };
  }

  /** Loss and unclipped gradients of the next iteration, which is not done. Also compiles the kernels, one by one. */
  async probe(
    onCompile?: (kernel: string, index: number, of: number) => void,
  ): Promise<GivenStats & { readonly grads: readonly NetworkTensors[] }> {
    const networks = this.spec.networks;
    const frozen = networks.map(() => ({ loss: 0, norm: 0, clip: 1, status: 1, bad: 0 }));
    this.#gpu.write(this.#program.buffer("stats"), packArray(this.#layouts.stats, frozen));
    this.#setClock(0, this.iteration);
    await this.#program.run({ label: "probe", clock: this.#clock, ...(onCompile ? { onCompile } : {}) });
    const stats = await this.#stats();
    resetStats(this.#gpu, this.#program);
    return { ...stats, grads: await this.#tensors("grads") };
  }

  /** The networks' present weights. */
  weights(): Promise<readonly NetworkTensors[]> {
    return this.#tensors("weights");
  }

  async #tensors(name: string): Promise<NetworkTensors[]> {
    const { layout } = this.spec.model;
    const count = this.spec.networks.length;
    const flat = await this.#gpu.readF32(this.#program.buffer(name), 0, 4 * count * layout.stride);
    return Array.from({ length: count }, (_, s) =>
      unpackParameters(layout, flat.subarray(s * layout.stride, (s + 1) * layout.stride)),
    );
  }

  /** Frees the device's buffers. */
  destroy(): void {
    this.#program.destroy();
    this.#clock.destroy();
  }
}

/** The plan of an iteration. Pure. */
export function planGivenBatch(spec: GivenBatchSpec, adapter: AdapterSpec, records: RecordLayouts): BatchPlan {
  return planBatch({
    name: "given batch",
    rollout: awakeRollout(spec, true),
    networks: spec.networks.length,
    batch: spec.batch,
    task: null,
    loss: true,
    l2Activity: 0,
    clipNorm: spec.clipNorm,
    update: true,
    keepReadout: false,
    historySlots: MAX_ITERATIONS_PER_SUBMIT,
    adapter,
    records,
  });
}

/** (count, B, width) → the rows of every network, padded rows 0. */
function toDevice(
  values: Float32Array,
  count: number,
  batch: number,
  width: number,
  chunk: Chunk,
  stride: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count * stride);
  for (let t = 0; t < count; t++) {
    const own = values.subarray(t * batch * width, (t + 1) * batch * width);
    for (let s = 0; s < chunk.networks; s++) out.set(own, t * stride + s * chunk.rowsPerNetwork * width);
  }
  return out;
}
