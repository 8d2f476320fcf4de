/**
 * Runs the model, and its gradient, on somebody else's tensors, through the same kernels as training and replay:
 * how a PyTorch user checks us against their own model.
 */
import type { Gpu } from "../gpu/context.ts";
import { dispatchCounts, type PlanKind } from "../gpu/plan.ts";
import { Clock, Program } from "../gpu/program.ts";
import { type BatchPlan, planBatch } from "../kernels/batch.ts";
import { readField, recordLayouts } from "../kernels/records.ts";
import { type Chunk, chunkRows } from "../kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec, modelSpec, type RolloutSpec, slots } from "../kernels/spec.ts";
import type { Activation, StepParameters } from "../model/dynamics.ts";
import {
  inputWidth,
  type NetworkShape,
  type NetworkTensors,
  packParameters,
  roundUp,
  transposeRecurrent,
  unpackParameters,
} from "../model/parameters.ts";
import { packRows } from "../model/rows.ts";

/** A batch of given tensors, for one network. T steps, B rows, N units, I inputs, O readouts, E encoder inputs. */
export interface EvaluateInput {
  readonly shape: NetworkShape;
  readonly weights: NetworkTensors;
  readonly activation: Activation;
  /** Slope of leaky ReLU. */
  readonly leakySlope: number;
  /** One setting for all rows, or one per row. Their noise settings are not used: noise is given or absent. */
  readonly step: StepParameters | readonly StepParameters[];
  /** T */
  readonly steps: number;
  /** B */
  readonly batch: number;
  /** (B, E) */
  readonly e0: Float32Array;
  /** (T, B, I) */
  readonly u: Float32Array;
  /** (T, B): factor on the input. */
  readonly mask?: Float32Array | undefined;
  /** (T, B, N): added to the velocity as it is. */
  readonly noise?: Float32Array | undefined;
  /** (T, B, O) */
  readonly target?: Float32Array | undefined;
  readonly l2Activity?: number;
  readonly kind: PlanKind;
  /** Tighter limits than the adapter's own (tests). */
  readonly adapter?: AdapterSpec;
}

/** States, readouts, and with a target loss and gradients. */
export interface EvaluateOutput {
  /** (T+1, B, N) */
  readonly r: Float32Array;
  readonly v: Float32Array;
  readonly c: Float32Array;
  /** (T, B, O): index t is the readout of r_{t+1}. */
  readonly y: Float32Array;
  /** Mean over T, B, O of (y − target)², plus the activity term; null without a target. */
  readonly loss: number | null;
  readonly grads: NetworkTensors | null;
  /** (T, B, N): 1 where the adjoint took a > 0; null without a target, or where φ has no kink. */
  readonly positive: Uint8Array | null;
  readonly dispatches: Readonly<Record<string, number>>;
  readonly chunks: number;
}

/** (slots, B, width) → device rows: padded, from row0 on. */
function toDevice(
  data: Float32Array,
  count: number,
  batch: number,
  width: number,
  chunk: Chunk,
  padded: number,
  stride: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count * stride);
  const rows = Math.min(chunk.rowsPerNetwork, batch - chunk.row0);
  for (let t = 0; t < count; t++) {
    for (let b = 0; b < rows; b++) {
      const at = (t * batch + chunk.row0 + b) * width;
      out.set(data.subarray(at, at + width), t * stride + b * padded);
    }
  }
  return out;
}

/** The inverse, into `out`. */
function fromDevice(
  device: Float32Array,
  out: Float32Array,
  count: number,
  batch: number,
  width: number,
  chunk: Chunk,
  padded: number,
  stride: number,
  offset = 0,
): void {
  const rows = Math.min(chunk.rowsPerNetwork, batch - chunk.row0);
  for (let t = 0; t < count; t++) {
    for (let b = 0; b < rows; b++) {
      const at = offset + t * stride + b * padded;
      out.set(device.subarray(at, at + width), (t * batch + chunk.row0 + b) * width);
    }
  }
}

/** The bits that the forward pass kept of (leaky) ReLU, 32 units a word, into `out` (T, B, N). */
function unpackBits(words: Uint32Array, out: Uint8Array, input: EvaluateInput, chunk: Chunk, stride: number): void {
  const { steps: T, batch: B } = input;
  const N = input.shape.units;
  const perRow = Math.ceil(roundUp(N, 4) / 32);
  const rows = Math.min(chunk.rowsPerNetwork, B - chunk.row0);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < rows; b++) {
      const from = t * stride + b * perRow;
      const to = (t * B + chunk.row0 + b) * N;
      for (let i = 0; i < N; i++) out[to + i] = ((words[from + (i >> 5)] as number) >>> (i & 31)) & 1;
    }
  }
}

function maskedInput(input: EvaluateInput): Float32Array {
  if (!input.mask) return input.u;
  const width = input.shape.inputs;
  const out = new Float32Array(input.u.length);
  for (let i = 0; i < out.length; i++) out[i] = (input.u[i] as number) * (input.mask[Math.floor(i / width)] as number);
  return out;
}

function plan(gpu: Gpu, input: EvaluateInput): { batch: BatchPlan; rollout: RolloutSpec } {
  const rollout: RolloutSpec = {
    model: modelSpec({
      shape: input.shape,
      activation: input.activation,
      slope: input.leakySlope,
      rootSeed: 0,
      noiseRounds: 7,
    }),
    kind: input.kind,
    steps: input.steps,
    noise: input.noise ? "given" : "none",
    stream: 0,
    clocked: false,
    extra: true,
    extraHistory: true,
    adjoint: input.target !== undefined,
    inputs: input.shape.inputs,
  };
  const batch = planBatch({
    name: "evaluate",
    rollout,
    networks: 1,
    batch: input.batch,
    task: null,
    loss: input.target !== undefined,
    l2Activity: input.l2Activity ?? 0,
    clipNorm: 0,
    update: false,
    keepReadout: true,
    historySlots: 1,
    adapter: input.adapter ?? adapterSpec(gpu),
    records: recordLayouts(gpu.options.readShader),
  });
  return { batch, rollout };
}

/**
 * Runs the model, and with a target its gradient, on given tensors, by the kernels of training and replay.
 * @throws UsageError where the batch does not fit the adapter, GpuError
 */
export async function evaluateModel(gpu: Gpu, input: EvaluateInput): Promise<EvaluateOutput> {
  const { batch, rollout } = plan(gpu, input);
  const { shape } = input;
  const { units: N, outputs: O, inputs: I, encoderInputs: E } = shape;
  const [T, B] = [input.steps, input.batch];
  const layouts = recordLayouts(gpu.options.readShader);
  const program = await Program.create(gpu, batch.plan);
  const clock = new Clock(gpu, 1);
  try {
    const flat = packParameters(rollout.model.layout, input.weights);
    gpu.write(program.buffer("weights"), flat as Float32Array<ArrayBuffer>);
    gpu.write(program.buffer("recurrent_t"), transposeRecurrent(shape, rollout.model.layout, flat));
    for (const name of ["stats", "bad"]) {
      if (input.target)
        gpu.write(program.buffer(name), new Uint8Array(program.buffer(name).bytes).fill(name === "bad" ? 255 : 0));
    }
    if (program.clockKernel)
      clock.set(0, program.clockKernel, { iteration: 0, slot: 0, progress: 0, correction1: 1, correction2: 1 });
    const out = {
      r: new Float32Array((T + 1) * B * N),
      v: new Float32Array((T + 1) * B * N),
      c: new Float32Array((T + 1) * B * N),
      y: new Float32Array(T * B * O),
    };
    const u = maskedInput(input);
    const steps = Array.isArray(input.step)
      ? (input.step as readonly StepParameters[])
      : Array.from({ length: B }, () => input.step as StepParameters);
    const noiseOn = { noiseStd: 1, noiseScale: 1, noiseFriction: false };
    const hasKink = input.activation === "relu" || input.activation === "leakyRelu";
    const positive = rollout.adjoint && hasKink ? new Uint8Array(T * B * N) : null;
    for (const { chunk, from, to } of batch.chunkPasses) {
      const rows = chunkRows(chunk);
      const s = slots(rollout, rows);
      const n = roundUp(N, 4);
      const o = roundUp(O, 4);
      const own = steps.slice(chunk.row0, chunk.row0 + chunk.rowsPerNetwork);
      const records = own.map((step, i) => ({
        step: { ...step, ...noiseOn },
        networkSeed: 0,
        trajectory: chunk.row0 + i,
        epoch: 0,
        maskEvery: 1,
        maskRandom: false,
      }));
      gpu.write(program.buffer(chunk.table), packRows(layouts.row, [records], chunk.rowsPerNetwork));
      gpu.write(program.buffer("e0"), toDevice(input.e0, 1, B, E, chunk, E, rows * E));
      gpu.write(program.buffer("input"), toDevice(u, T, B, I, chunk, inputWidth(I), s.input));
      if (input.noise) gpu.write(program.buffer("noise_given"), toDevice(input.noise, T, B, N, chunk, n, s.state));
      if (input.target)
        gpu.write(program.buffer("target"), toDevice(input.target, T, B, O, chunk, O, roundUp(rows * O, 64)));
      await program.run({ label: "evaluate", clock, from, to });
      fromDevice(await gpu.readF32(program.buffer("states")), out.r, T + 1, B, N, chunk, n, s.state);
      const extra = await gpu.readF32(program.buffer("extra"));
      // Slot 0 is 0 by definition and never written.
      extra.fill(0, 0, s.extra);
      fromDevice(extra, out.v, T + 1, B, N, chunk, n, s.extra);
      fromDevice(extra, out.c, T + 1, B, N, chunk, n, s.extra, s.state);
      fromDevice(await gpu.readF32(program.buffer("y_all")), out.y, T, B, O, chunk, o, s.output);
      if (positive) {
        unpackBits(new Uint32Array(await gpu.read(program.buffer("phi"))), positive, input, chunk, s.phi);
      }
    }
    const last = batch.chunkPasses[batch.chunkPasses.length - 1]?.to ?? 0;
    await program.run({ label: "evaluate", clock, from: last });
    let loss: number | null = null;
    let grads: NetworkTensors | null = null;
    if (input.target) {
      loss = readField(
        layouts.stats,
        await gpu.read(program.buffer("stats"), 0, layouts.stats.bytes),
        "loss",
      )[0] as number;
      grads = unpackParameters(rollout.model.layout, await gpu.readF32(program.buffer("grads")));
    }
    return {
      ...out,
      loss,
      grads,
      positive,
      dispatches: dispatchCounts(batch.plan.passes),
      chunks: batch.chunkPasses.length,
    };
  } finally {
    program.destroy();
    clock.destroy();
  }
}
