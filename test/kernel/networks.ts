/** Several networks in one plan, inputs and targets given, noise given or drawn: what `evaluate` cannot say. */
import { Clock, Program } from "../../src/gpu/program.ts";
import { type BatchPlan, planBatch } from "../../src/kernels/batch.ts";
import { readField, recordLayouts } from "../../src/kernels/records.ts";
import { type Chunk, chunkRows } from "../../src/kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec, modelSpec, type RolloutSpec, slots } from "../../src/kernels/spec.ts";
import { unpackRows } from "../../src/kernels/unpack.ts";
import type { Activation } from "../../src/model/dynamics.ts";
import {
  inputWidth,
  type NetworkShape,
  type NetworkTensors,
  packParameters,
  roundUp,
  transposeRecurrent,
  unpackParameters,
} from "../../src/model/parameters.ts";
import { packRows, type RowRecord } from "../../src/model/rows.ts";
import { STREAM } from "../../src/model/streams.ts";
import { testGpu } from "../gpu.ts";

export interface OneNetwork {
  readonly weights: NetworkTensors;
  /** Length B. */
  readonly rows: readonly RowRecord[];
  /** (B, E) */
  readonly e0: Float32Array;
  /** (T, B, I) */
  readonly u: Float32Array;
  /** (T, B, N) */
  readonly noise?: Float32Array;
  /** (T, B, O) */
  readonly target: Float32Array;
}

export interface NetworksRun {
  readonly shape: NetworkShape;
  readonly activation: Activation;
  readonly kind: RolloutSpec["kind"];
  /** T */
  readonly steps: number;
  readonly networks: readonly OneNetwork[];
  readonly noise: RolloutSpec["noise"];
  /** Whether the general variant of the cell runs; the other one leaves out momentum and adaptation. */
  readonly extra: boolean;
  readonly rootSeed?: number;
  /** The noise's epoch; that of the row record without. */
  readonly iteration?: number;
  readonly l2Activity?: number;
  readonly adapter?: Partial<AdapterSpec>;
}

export interface NetworkResult {
  /** (T+1, B, N) */
  readonly r: Float32Array;
  /** (T, B, O) */
  readonly y: Float32Array;
  readonly loss: number;
  readonly norm: number;
  /** 0, or 1 + the iteration at which the network was stopped. */
  readonly status: number;
  readonly grads: NetworkTensors;
}

/** (count, B, width) of every network of a chunk → device slots of `stride` floats, rows of `padded`. */
function toDevice(
  of: (network: number) => Float32Array,
  chunk: Chunk,
  batch: number,
  count: number,
  width: number,
  padded: number,
  stride: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count * stride);
  const rows = Math.min(chunk.rowsPerNetwork, batch - chunk.row0);
  for (let s = 0; s < chunk.networks; s++) {
    const data = of(chunk.network0 + s);
    for (let t = 0; t < count; t++) {
      for (let b = 0; b < rows; b++) {
        const from = (t * batch + chunk.row0 + b) * width;
        out.set(data.subarray(from, from + width), t * stride + (s * chunk.rowsPerNetwork + b) * padded);
      }
    }
  }
  return out;
}

export async function runNetworks(run: NetworksRun): Promise<{ networks: NetworkResult[]; batch: BatchPlan }> {
  const gpu = await testGpu();
  const { shape, steps: T, networks } = run;
  const { units: N, inputs: I, outputs: O, encoderInputs: E } = shape;
  const B = networks[0]?.rows.length ?? 0;
  const rollout: RolloutSpec = {
    model: modelSpec({ shape, activation: run.activation, slope: 0.01, rootSeed: run.rootSeed ?? 0, noiseRounds: 7 }),
    kind: run.kind,
    steps: T,
    noise: run.noise,
    stream: STREAM.awakeNoise,
    clocked: run.iteration !== undefined,
    extra: run.extra,
    extraHistory: false,
    adjoint: true,
    inputs: I,
  };
  const layouts = recordLayouts(gpu.options.readShader);
  const batch = planBatch({
    name: "networks",
    rollout,
    networks: networks.length,
    batch: B,
    task: null,
    loss: true,
    l2Activity: run.l2Activity ?? 0,
    clipNorm: 0,
    update: false,
    keepReadout: true,
    historySlots: 1,
    adapter: { ...adapterSpec(gpu), ...run.adapter },
    records: layouts,
  });
  const { layout } = rollout.model;
  const program = await Program.create(gpu, batch.plan);
  const clock = new Clock(gpu, 1);
  try {
    const flat = new Float32Array(networks.length * layout.stride);
    networks.forEach(({ weights }, s) => {
      flat.set(packParameters(layout, weights), s * layout.stride);
    });
    gpu.write(program.buffer("weights"), flat);
    gpu.write(program.buffer("recurrent_t"), transposeRecurrent(shape, layout, flat));
    gpu.write(program.buffer("stats"), new Uint8Array(program.buffer("stats").bytes));
    gpu.write(program.buffer("bad"), new Uint8Array(program.buffer("bad").bytes).fill(255));
    // The tail of a network's vector belongs to no tensor: no kernel writes it, and the norm adds it up.
    gpu.write(program.buffer("partials"), new Uint8Array(program.buffer("partials").bytes));
    if (program.clockKernel) {
      const still = { slot: 0, progress: 0, correction1: 1, correction2: 1 };
      clock.set(0, program.clockKernel, { ...still, iteration: run.iteration ?? 0 });
    }
    const r = new Float32Array(networks.length * (T + 1) * B * N);
    const y = new Float32Array(networks.length * T * B * O);
    for (const [i, { chunk, from, to }] of batch.chunkPasses.entries()) {
      const rows = chunkRows(chunk);
      const s = slots(rollout, rows);
      const own = networks.slice(chunk.network0, chunk.network0 + chunk.networks);
      const records = own.map((n) => n.rows.slice(chunk.row0, chunk.row0 + chunk.rowsPerNetwork));
      const upload = (
        name: string,
        tensor: (n: OneNetwork) => Float32Array,
        ...size: [number, number, number, number]
      ) =>
        gpu.write(
          program.buffer(name),
          toDevice((n) => tensor(networks[n] as OneNetwork), chunk, B, ...size),
        );
      gpu.write(program.buffer(chunk.table), packRows(layouts.row, records, chunk.rowsPerNetwork));
      upload("e0", (n) => n.e0, 1, E, E, rows * E);
      upload("input", (n) => n.u, T, I, inputWidth(I), s.input);
      upload("target", (n) => n.target, T, O, O, roundUp(rows * O, 64));
      if (run.noise === "given") upload("noise_given", (n) => n.noise as Float32Array, T, N, roundUp(N, 4), s.state);
      await program.run({ label: "networks", clock, from, to });
      const place = (out: Float32Array) => (row: number) => ({ out, row, rows: B });
      unpackRows(await gpu.readF32(program.buffer("states")), chunk, B, T + 1, N, roundUp(N, 4), place(r));
      unpackRows(await gpu.readF32(program.buffer("y_all")), chunk, B, T, O, roundUp(O, 4), place(y));
      // What belongs to a group comes behind its last chunk.
      const next = batch.chunkPasses[i + 1]?.from ?? batch.plan.passes.length;
      await program.run({ label: "networks", clock, from: to, to: next });
    }
    const stats = await gpu.read(program.buffer("stats"));
    const grads = await gpu.readF32(program.buffer("grads"));
    const field = (name: string, s: number) => readField(layouts.stats, stats, name)[s] as number;
    return {
      batch,
      networks: networks.map((_, s) => ({
        r: r.slice(s * (T + 1) * B * N, (s + 1) * (T + 1) * B * N),
        y: y.slice(s * T * B * O, (s + 1) * T * B * O),
        loss: field("loss", s),
        norm: field("norm", s),
        status: field("status", s),
        grads: unpackParameters(layout, grads.subarray(s * layout.stride, (s + 1) * layout.stride)),
      })),
    };
  } finally {
    program.destroy();
    clock.destroy();
  }
}
