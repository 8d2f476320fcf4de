/**
 * Runs a dump's rollouts window by window and hands every block of every array over, unpadded. While the host takes a
 * window, writes it and waits for the disk, the GPU computes the next.
 */
import type { CodeSpec } from "../code/population.ts";
import { BUFFER_USAGE, type DeviceBuffer, type Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import { recordLayouts } from "../kernels/records.ts";
import { type Chunk, chunkRows, type TimeWindow } from "../kernels/recurrence.ts";
import type { RolloutSpec } from "../kernels/spec.ts";
import { roundUp } from "../model/parameters.ts";
import { packRows, type RowRecord } from "../model/rows.ts";
import type { DumpChunk, DumpPlan } from "./plan.ts";
import { type Block, Cutter, regionsOf } from "./readback.ts";
import type { Selection } from "./selection.ts";

/** Rows of the plan that are one rollout of the dump. */
export interface Section {
  readonly name: string;
  readonly row0: number;
  readonly rows: number;
  readonly awake: boolean;
}

export interface RolloutJob {
  readonly plan: DumpPlan;
  readonly rollout: RolloutSpec;
  readonly code: CodeSpec | null;
  /** [network][row] */
  readonly rows: readonly (readonly RowRecord[])[];
  readonly sections: readonly Section[];
  /** Iteration of the clock. */
  readonly iteration: number;
  /** (S, repeats, N) to start from, by a row's trajectory; null where the plan makes r_0. */
  readonly startStates: { readonly states: Float32Array; readonly repeats: number } | null;
  /** Whether the rows have positions, s_0 … s_T. */
  readonly hasPositions: boolean;
  /** Brings what a chunk's first passes read. @throws DataError */
  readonly bring?: (gpu: Gpu, program: Program, chunk: Chunk) => void;
}

/** Where the time of a dump went, seconds; the three follow one another on the host. */
export interface DumpTimes {
  /** Waiting for the GPU to compute. */
  compute: number;
  /** Waiting for what it computed. */
  readback: number;
  /** Sorting, checksums, writing. */
  write: number;
}

export interface RolloutHooks {
  readonly signal?: AbortSignal;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
  /** Windows done, of so many. */
  readonly onWindow?: (done: number, of: number) => void;
  readonly times?: DumpTimes;
}

const ownRows = (job: RolloutJob, c: Chunk): RowRecord[][] =>
  job.rows.slice(c.network0, c.network0 + c.networks).map((r) => r.slice(c.row0, c.row0 + c.rowsPerNetwork));

/** r_0 of a chunk's rows, where it is given; padding is 0. */
function startSlot({ startStates, rollout, ...job }: RolloutJob, c: Chunk): Float32Array<ArrayBuffer> | null {
  if (!startStates) return null;
  const { units } = rollout.model.shape;
  const padded = roundUp(units, 4);
  const out = new Float32Array(chunkRows(c) * padded);
  ownRows({ startStates, rollout, ...job }, c).forEach((rows, s) => {
    rows.forEach(({ trajectory }, b) => {
      const from = ((c.network0 + s) * startStates.repeats + trajectory) * units;
      out.set(startStates.states.subarray(from, from + units), (s * c.rowsPerNetwork + b) * padded);
    });
  });
  return out;
}

/** A window of the plan: which passes make it, and what the host takes of it. */
interface Step extends ReturnType<typeof regionsOf> {
  readonly c: DumpChunk;
  readonly window: TimeWindow;
  readonly from: number;
  readonly to: number;
}

/**
 * @param trained `weights` and `recurrent_t`
 * @param emit is done with a block when it returns
 * Throws GpuError, and the signal's reason when it comes.
 */
export async function runRollout(
  gpu: Gpu,
  job: RolloutJob,
  trained: ReadonlyMap<string, DeviceBuffer>,
  s: Selection,
  emit: (block: Block) => void,
  hooks: RolloutHooks = {},
): Promise<void> {
  const steps = job.plan.chunks.flatMap((c) =>
    c.windows.map((w): Step => ({ c, ...w, ...regionsOf(job, s, c, w.window) })),
  );
  const bytes = 4 * Math.max(...steps.map((step) => step.floats));
  const shared = new Map(["weights", "recurrent_t"].map((name) => [name, trained.get(name) as DeviceBuffer]));
  const program = await Program.create(gpu, job.plan.plan, shared);
  const clock = new Clock(gpu, 1);
  const staging = gpu.createBuffer("dump", bytes, BUFFER_USAGE.readback);
  const cutter = new Cutter();
  const times = hooks.times ?? { compute: 0, readback: 0, write: 0 };
  const timed = async <T>(what: keyof DumpTimes, work: Promise<T>): Promise<T> => {
    const began = performance.now();
    const value = await work;
    times[what] += (performance.now() - began) / 1000;
    return value;
  };
  /** Begins with a window; the queue keeps its order, so that one which is still to be copied is safe. */
  const start = (i: number): Promise<void> => {
    const step = steps[i];
    if (!step) return Promise.resolve();
    if (step.window.t0 === 0) {
      job.bring?.(gpu, program, step.c.chunk);
      const given = startSlot(job, step.c.chunk);
      if (given) gpu.write(program.buffer("states"), given);
      // v_0 and c_0 are 0 by definition and never written.
      if (job.rollout.extraHistory) program.clear("extra");
    }
    const { onCompile } = hooks;
    return program.run({
      label: "window",
      clock,
      from: step.from,
      to: step.to,
      ...(i === 0 && onCompile ? { onCompile } : {}),
    });
  };
  const copy = ({ regions, floats }: Step): Promise<void> => {
    const encoder = gpu.device.createCommandEncoder({ label: "copy" });
    for (const { buffer, copies } of regions) {
      const b = program.buffer(buffer);
      for (const { from, to, floats: n } of copies) {
        encoder.copyBufferToBuffer(b.buffer, b.offset + 4 * from, staging.buffer, 4 * to, 4 * n);
      }
    }
    gpu.device.queue.submit([encoder.finish()]);
    return gpu.map(staging.buffer, 4 * floats);
  };
  try {
    if (program.clockKernel) {
      const record = { iteration: job.iteration, slot: 0, progress: 0, correction1: 1, correction2: 1 };
      clock.set(0, program.clockKernel, record);
    }
    const { row } = recordLayouts(gpu.options.readShader);
    for (const { chunk } of job.plan.chunks) {
      gpu.write(program.buffer(chunk.table), packRows(row, ownRows(job, chunk), chunk.rowsPerNetwork));
    }
    let running = start(0);
    for (const [i, step] of steps.entries()) {
      await timed("compute", running);
      hooks.signal?.throwIfAborted();
      const copied = step.floats > 0 ? copy(step) : null;
      running = start(i + 1);
      // A rejection is awaited in the next turn; until then it must not count as unhandled.
      running.catch(() => undefined);
      if (copied) {
        await timed("readback", copied);
        const began = performance.now();
        const taken = new Float32Array(staging.buffer.getMappedRange(0, 4 * step.floats));
        for (const block of cutter.blocks(job, s, step.c, step.regions, taken)) emit(block);
        staging.buffer.unmap();
        times.write += (performance.now() - began) / 1000;
      }
      hooks.onWindow?.(i + 1, steps.length);
    }
    await running;
  } finally {
    await gpu.idle().catch(() => undefined);
    gpu.destroyBuffer(staging);
    program.destroy();
    clock.destroy();
  }
}
