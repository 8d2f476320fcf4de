/**
 * The training loop. An iteration is a fixed list of passes; many iterations share a submit, and only the networks'
 * losses, norms and flags come back, through a ring of staging buffers, while the next submits run.
 */
import { BUFFER_USAGE, type DeviceBuffer, type Gpu } from "../gpu/context.ts";
import { packArray } from "../gpu/pack.ts";
import { Clock, Program } from "../gpu/program.ts";
import type { BatchPlan } from "../kernels/batch.ts";
import { ADAM } from "../kernels/gradients.ts";
import { type RecordLayouts, readField, recordLayouts } from "../kernels/records.ts";
import { adapterSpec, withRoom } from "../kernels/spec.ts";
import { initialiseGroups, initialiseUniform } from "../model/initialise-uniforms.ts";
import { transposeRecurrent } from "../model/parameters.ts";
import { STREAM } from "../model/streams.ts";
import { type TensorsTask, TrialOrder } from "../task/tensors.ts";
import type { NetworkOutcome, Outcome } from "./outcome.ts";
import { awakeRows, MAX_ITERATIONS_PER_SUBMIT, planAwake, resetStats, uploadRows } from "./plan.ts";
import type { TrainSpec } from "./spec.ts";
import { type IterationSubmits, iterationSubmits, submitIterations } from "./submit.ts";
import { type TestOptions, type TestResult, testBatch } from "./test-batch.ts";
import { pieces, runOnTrials, writeChunk } from "./trials.ts";

/** One iteration of every network, in the order of `networks`. */
export interface IterationStats {
  readonly iteration: number;
  readonly loss: readonly number[];
  readonly gradNorm: readonly number[];
  readonly status: readonly number[];
  readonly bad: readonly number[];
}

export interface TrainState {
  /** (S, stride) flat vectors. */
  readonly weights: Float32Array;
  readonly moment1: Float32Array;
  readonly moment2: Float32Array;
  /** Iterations done. */
  readonly iteration: number;
  /** Per network: 0 sound, i + 1 stopped at iteration i. */
  readonly status: readonly number[];
  readonly bad: readonly number[];
}

/** What the next iteration computes from a state: stored with it, it tells whether another adapter computes the same. */
export interface StepProbe {
  readonly loss: readonly number[];
  readonly gradNorm: readonly number[];
}

/** A submit should take about this long: short enough for Ctrl-C and a display, long enough to hide the host. */
const TARGET_SUBMIT_MS = 200;
const SUBMITS_IN_FLIGHT = 3;

/**
 * Trains the networks of a spec: every iteration draws a batch on the device, and one submit runs several. Made by
 * `Trainer.create`, ended by `destroy`. Without files: `trainNetworks` keeps checkpoints and losses.
 */
export class Trainer {
  readonly spec: TrainSpec;
  readonly batch: BatchPlan;
  /** Iterations done. */
  iteration = 0;
  readonly #gpu: Gpu;
  readonly #program: Program;
  readonly #clock: Clock;
  readonly #layouts: RecordLayouts;
  readonly #submits: IterationSubmits;
  /** Of the last iteration read back, or of the state loaded. */
  #stats: Pick<IterationStats, "status" | "bad"> | null = null;
  #compiled = false;
  /** Of given trials. */
  readonly #order: TrialOrder | null;

  private constructor(gpu: Gpu, spec: TrainSpec, batch: BatchPlan, program: Program, layouts: RecordLayouts) {
    this.#gpu = gpu;
    this.spec = spec;
    this.batch = batch;
    this.#program = program;
    this.#layouts = layouts;
    this.#clock = new Clock(gpu, MAX_ITERATIONS_PER_SUBMIT);
    this.#submits = iterationSubmits(program, spec.adapter ?? adapterSpec(gpu));
    this.#order = spec.task.kind === "tensors" ? new TrialOrder(spec.task, spec.model.rootSeed) : null;
  }

  /** Allocates, and initialises weights by the networks' seeds. @throws UsageError where it does not fit the adapter, GpuError */
  static async create(gpu: Gpu, spec: TrainSpec): Promise<Trainer> {
    const layouts = recordLayouts(gpu.options.readShader);
    const { batch, program } = await withRoom(spec.adapter ?? adapterSpec(gpu), async (adapter) => {
      const planned = planAwake(spec, adapter, layouts, {
        name: "train",
        batch: spec.batch,
        gradients: true,
        keepReadout: false,
        stream: STREAM.trainPaths,
      });
      return { batch: planned, program: await Program.create(gpu, planned.plan) };
    });
    uploadRows(gpu, program, batch, layouts, awakeRows(spec, spec.batch));
    const records = spec.networks.map((n) => ({
      seed: n.seed,
      initial_gain: n.initialGain,
      learning_rate: n.learningRate,
      final_learning_rate: n.finalLearningRate,
    }));
    gpu.write(program.buffer("networks"), packArray(layouts.network, records));
    resetStats(gpu, program);
    const trainer = new Trainer(gpu, spec, batch, program, layouts);
    await trainer.#initialise();
    return trainer;
  }

  /** Buffers by name, for tests, test batches and replay: `weights`, `recurrent_t`, `networks`, … */
  get buffers(): ReadonlyMap<string, DeviceBuffer> {
    return this.#program.buffers;
  }

  async #initialise(): Promise<void> {
    const { shape, rootSeed, noiseRounds } = this.spec.model;
    const program = await Program.create(
      this.#gpu,
      {
        name: "initialise",
        kind: this.spec.kind,
        buffers: [],
        notes: [],
        passes: [
          {
            kind: "dispatch",
            label: "initialise",
            kernel: "rnn/initialise",
            tune: { PHILOX_ROUNDS: noiseRounds },
            bind: {
              networks: { buffer: "networks" },
              weights: { buffer: "weights" },
              recurrent_t: { buffer: "recurrent_t" },
            },
            uniforms: { initialise: initialiseUniform(shape, rootSeed) },
            groups: initialiseGroups(shape, this.spec.networks.length),
          },
        ],
      },
      this.buffers,
    );
    await program.run({ label: "initialise" });
    program.destroy();
    // Partials too: no kernel writes the gap between the last tensor and the stride, yet the norm reads it.
    this.#program.clear("moment1", "moment2", "partials");
  }

  /** Puts a checkpoint's state in place; training goes on from its iteration. */
  load(state: TrainState): void {
    const { model } = this.spec;
    const write = (name: string, data: Float32Array) =>
      this.#gpu.write(this.#program.buffer(name), data as Float32Array<ArrayBuffer>);
    write("weights", state.weights);
    write("recurrent_t", transposeRecurrent(model.shape, model.layout, state.weights));
    write("moment1", state.moment1);
    write("moment2", state.moment2);
    this.iteration = state.iteration;
    this.#restoreStats(state);
  }

  #restoreStats(state: TrainState): void {
    const stats = state.status.map((status, s) => ({
      loss: 0,
      norm: 0,
      clip: 1,
      status,
      bad: state.bad[s] ?? 0xffffffff,
    }));
    this.#gpu.write(this.#program.buffer("stats"), packArray(this.#layouts.stats, stats));
    this.#stats = { status: state.status, bad: state.bad };
  }

  /** Everything a checkpoint needs, after all submitted work. */
  async state(): Promise<TrainState> {
    const read = (name: string) =>
      this.#gpu.readF32(this.#program.buffer(name), 0, 4 * this.spec.networks.length * this.spec.model.layout.stride);
    const stats = await this.#gpu.read(
      this.#program.buffer("stats"),
      0,
      this.spec.networks.length * this.#layouts.stats.bytes,
    );
    return {
      weights: await read("weights"),
      moment1: await read("moment1"),
      moment2: await read("moment2"),
      iteration: this.iteration,
      status: readField(this.#layouts.stats, stats, "status"),
      bad: readField(this.#layouts.stats, stats, "bad"),
    };
  }

  #clockRecord(iteration: number, slot: number) {
    const n = this.spec.iterations;
    return {
      iteration,
      slot,
      progress: n > 1 ? iteration / (n - 1) : 0,
      correction1: 1 - ADAM.beta1 ** (iteration + 1),
      correction2: 1 - ADAM.beta2 ** (iteration + 1),
    };
  }

  /** An iteration on given trials: they come chunk by chunk, before the passes that read them. */
  #submitTrials(order: TrialOrder, task: TensorsTask, staging: GPUBuffer): void {
    const kernel = this.#program.clockKernel;
    if (kernel) this.#clock.set(0, kernel, this.#clockRecord(this.iteration, 0));
    const trials = order.training(this.iteration, this.spec.batch);
    const label = `train/iteration ${this.iteration}`;
    const history = this.#program.buffer("history");
    for (const { chunk, from, to } of pieces(this.batch)) {
      writeChunk(this.#gpu, this.#program, task, chunk, trials);
      const encoder = this.#gpu.device.createCommandEncoder({ label });
      this.#program.encode(encoder, label, this.#clock, 0, from, to);
      if (to === this.batch.plan.passes.length)
        encoder.copyBufferToBuffer(history.buffer, history.offset, staging, 0, this.#recordBytes);
      this.#gpu.device.queue.submit([encoder.finish()]);
    }
    this.iteration++;
  }

  #submit(count: number, staging: GPUBuffer): void {
    const { task } = this.spec;
    if (task.kind === "tensors" && this.#order) {
      this.#submitTrials(this.#order, task, staging);
      return;
    }
    const kernel = this.#program.clockKernel;
    for (let i = 0; i < count; i++) if (kernel) this.#clock.set(i, kernel, this.#clockRecord(this.iteration + i, i));
    const label = `train/iterations ${this.iteration}–${this.iteration + count - 1}`;
    const history = this.#program.buffer("history");
    submitIterations(this.#gpu, {
      program: this.#program,
      clock: this.#clock,
      submits: this.#submits,
      count,
      label,
      last: (encoder) =>
        encoder.copyBufferToBuffer(history.buffer, history.offset, staging, 0, count * this.#recordBytes),
    });
    this.iteration += count;
  }

  get #recordBytes(): number {
    return this.spec.networks.length * this.#layouts.stats.bytes;
  }

  #parse(bytes: ArrayBuffer, first: number, count: number): IterationStats[] {
    const out: IterationStats[] = [];
    for (let i = 0; i < count; i++) {
      const own = bytes.slice(i * this.#recordBytes, (i + 1) * this.#recordBytes);
      const field = (name: string) => readField(this.#layouts.stats, own, name);
      out.push({
        iteration: first + i,
        loss: field("loss"),
        gradNorm: field("norm"),
        status: field("status"),
        bad: field("bad"),
      });
    }
    return out;
  }

  /** Compiles the kernels, one after another, so that a user sees what takes seconds on a software adapter. */
  async warmUp(onCompile: (kernel: string, index: number, of: number) => void): Promise<void> {
    if (!this.#compiled) await this.probe(await this.state(), onCompile);
  }

  /**
   * Loss and gradient norm of the next iteration, which is not done: the networks are marked as stopped meanwhile, and
   * no weight changes. `state` is the one that is on the device.
   */
  async probe(state: TrainState, onCompile?: (kernel: string, index: number, of: number) => void): Promise<StepProbe> {
    const stats = this.#program.buffer("stats");
    const frozen = state.status.map(() => ({ loss: 0, norm: 0, clip: 1, status: 1, bad: 0 }));
    this.#gpu.write(stats, packArray(this.#layouts.stats, frozen));
    if (this.#program.clockKernel) this.#clock.set(0, this.#program.clockKernel, this.#clockRecord(this.iteration, 0));
    const { task } = this.spec;
    const how = { label: "probe", clock: this.#clock, ...(onCompile ? { onCompile } : {}) };
    if (task.kind === "tensors" && this.#order) {
      const trials = this.#order.training(this.iteration, this.spec.batch);
      await runOnTrials(this.#gpu, this.#program, this.batch, task, trials, how);
    } else await this.#program.run(how);
    const bytes = await this.#gpu.read(stats, 0, this.#recordBytes);
    this.#restoreStats(state);
    this.#compiled = true;
    return {
      loss: readField(this.#layouts.stats, bytes, "loss"),
      gradNorm: readField(this.#layouts.stats, bytes, "norm"),
    };
  }

  /**
   * Trains up to iteration `until` (all by default). `onStats` gets every iteration's losses, in order; `signal` stops
   * after the submit under way, and so does `pause`, for a checkpoint. Throws GpuError when the device fails.
   */
  async run(options: {
    until?: number;
    signal?: AbortSignal;
    pause?: () => boolean;
    onStats?: (stats: IterationStats) => void;
  }): Promise<Outcome> {
    const until = options.until ?? this.spec.iterations;
    const ring = Array.from({ length: SUBMITS_IN_FLIGHT }, (_, i) =>
      this.#gpu.device.createBuffer({
        label: `history ${i}`,
        size: MAX_ITERATIONS_PER_SUBMIT * this.#recordBytes,
        usage: BUFFER_USAGE.readback,
      }),
    );
    const inFlight: Promise<void>[] = [];
    let count = 1;
    let finished = performance.now();
    let stopped = this.#stats?.status.filter((x) => x !== 0).length ?? 0;
    try {
      for (
        let turn = 0;
        this.iteration < until && !options.signal?.aborted && !options.pause?.() && stopped < this.spec.networks.length;
        turn++
      ) {
        if (inFlight.length === SUBMITS_IN_FLIGHT) await inFlight.shift();
        const staging = ring[turn % SUBMITS_IN_FLIGHT] as GPUBuffer;
        const n = Math.min(count, until - this.iteration);
        const first = this.iteration;
        this.#submit(n, staging);
        inFlight.push(
          this.#gpu.map(staging, n * this.#recordBytes).then(() => {
            const bytes = staging.getMappedRange(0, n * this.#recordBytes).slice(0);
            staging.unmap();
            for (const s of this.#parse(bytes, first, n)) {
              this.#stats = s;
              stopped = s.status.filter((x) => x !== 0).length;
              options.onStats?.(s);
            }
            const now = performance.now();
            // Given trials come with every iteration.
            count = this.#order ? 1 : nextCount(n, now - finished);
            finished = now;
          }),
        );
        // A rejection is awaited below; until then it must not count as unhandled.
        inFlight.at(-1)?.catch(() => undefined);
      }
      await Promise.all(inFlight);
      await this.#gpu.idle();
    } finally {
      await Promise.allSettled(inFlight);
      for (const b of ring) b.destroy();
    }
    return this.#outcome(until);
  }

  #outcome(until: number): Outcome {
    const status = this.#stats?.status ?? this.spec.networks.map(() => 0);
    const batchRows = this.batch.batchRows;
    const networks = status.map((s, i): NetworkOutcome => {
      if (s === 0) return { kind: "completed" };
      const bad = this.#stats?.bad[i] ?? 0xffffffff;
      return bad === 0xffffffff
        ? { kind: "nonFinite", iteration: s - 1 }
        : { kind: "nonFinite", iteration: s - 1, step: Math.floor(bad / batchRows), row: bad % batchRows };
    });
    if (networks.some((n) => n.kind === "nonFinite")) {
      return {
        kind: "nonFinite",
        networks,
        remedy: "lower train.learningRate, rnn.gain or rnn.initialGain, or raise rnn.leak",
      };
    }
    if (this.iteration < until) return { kind: "interrupted", networks, remedy: "go on with --resume" };
    return { kind: "completed", networks, remedy: "" };
  }

  /**
   * Mean squared error on `count` fresh test trajectories, noise on: one number a network. Also, when asked for, the
   * trajectories and their readouts, (S, T+1, count, 2) and (S, T, count, O).
   */
  async test(count: number, options: TestOptions = {}): Promise<TestResult> {
    return testBatch(this.#gpu, this.spec, this.buffers, this.#layouts, count, options);
  }

  /** Frees the device's buffers. */
  destroy(): void {
    this.#program.destroy();
    this.#clock.destroy();
  }
}

/** Iterations of the next submit, from how long the last one took; grows at most fourfold. */
function nextCount(count: number, ms: number): number {
  const ideal = Math.round((count * TARGET_SUBMIT_MS) / Math.max(ms, 0.1));
  return Math.max(1, Math.min(ideal, 4 * count, MAX_ITERATIONS_PER_SUBMIT));
}
