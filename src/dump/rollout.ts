/** Runs a dump's rollouts window by window and hands every block of every array over, unpadded. */
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import { type RecordLayouts, recordLayouts } from "../kernels/records.ts";
import { chunkRows, type TimeWindow } from "../kernels/recurrence.ts";
import { type RolloutSpec, slots } from "../kernels/spec.ts";
import { roundUp } from "../model/parameters.ts";
import { packRows, type RowRecord } from "../model/rows.ts";
import { AWAKE_ONLY, HAS_END, type RolloutArray } from "./arrays.ts";
import type { DumpChunk, DumpPlan } from "./plan.ts";

/** Part of an array: `data` fills `shape` and begins at `origin`. */
export interface Block {
  readonly array: string;
  readonly origin: readonly number[];
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Selection {
  /** Indices of networks, ascending. */
  readonly networks: readonly number[];
  /** Rows [from, to) of every rollout. */
  readonly rows: readonly [number, number];
  /** Time: from, from + every, … up to `to`, which only arrays with an end have. */
  readonly from: number;
  readonly to: number;
  readonly every: number;
  readonly wants: (array: string) => boolean;
}

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
  /** [network][row] */
  readonly rows: readonly (readonly RowRecord[])[];
  readonly sections: readonly Section[];
  /** Iteration of the clock. */
  readonly iteration: number;
}

/** Entries of the time axis of an array under a selection. */
export function keptTimes(s: Pick<Selection, "from" | "to" | "every">, steps: number, end: boolean): number {
  const last = Math.min(s.to, steps) - (end ? 0 : 1);
  return last < s.from ? 0 : Math.floor((last - s.from) / s.every) + 1;
}

/** Where an array lies on the device, in floats. */
interface Source {
  readonly buffer: string;
  /** Slot of time t0 of a window. */
  readonly slot: number;
  /** From one slot to the next, and within a slot where the array begins. */
  readonly stride: number;
  readonly skip: number;
  readonly padded: number;
  readonly width: number;
}

function sources(r: RolloutSpec, rows: number, w: TimeWindow): Record<Exclude<RolloutArray, "e0">, Source> {
  const s = slots(r, rows);
  const { units: N, outputs: O } = r.model.shape;
  const n = roundUp(N, 4);
  const ofUnits = { slot: 0, stride: s.state, skip: 0, padded: n, width: N };
  const whole = { slot: w.t0, skip: 0 };
  return {
    r: { buffer: "states", ...ofUnits },
    v: { buffer: "extra", ...ofUnits, stride: s.extra },
    c: { buffer: "extra", ...ofUnits, stride: s.extra, skip: s.state },
    noise: { buffer: "noise", ...ofUnits },
    a: { buffer: "a", ...ofUnits },
    y: { buffer: "y", slot: 0, stride: s.output, skip: 0, padded: roundUp(O, 4), width: O },
    u: { buffer: "input", ...whole, stride: s.input, padded: r.inputs, width: r.inputs },
    visible: { buffer: "visible", ...whole, stride: rows, padded: 1, width: 1 },
    positions: { buffer: "positions", ...whole, stride: 2 * rows, padded: 2, width: 2 },
  };
}

/** Kept times of a window: index in the window of each, and the index of the first on the array's own axis. */
function kept(s: Selection, w: TimeWindow, end: boolean): { slots: number[]; first: number } {
  const slots: number[] = [];
  // The state at a window's start belongs to the window before, unless there is none.
  const [from, to] = end ? [w.t0 === 0 ? 0 : 1, w.steps] : [0, w.steps - 1];
  const last = s.to - (end ? 0 : 1);
  for (let i = from; i <= to; i++) {
    const t = w.t0 + i;
    if (t >= s.from && t <= last && (t - s.from) % s.every === 0) slots.push(i);
  }
  return { slots, first: slots.length > 0 ? (w.t0 + (slots[0] as number) - s.from) / s.every : 0 };
}

/** The rows of a chunk that a section and a selection keep: [from, to) within the network. */
function rowsOf(section: Section, s: Selection, { chunk }: DumpChunk): [number, number] {
  const from = Math.max(section.row0 + s.rows[0], chunk.row0);
  const to = Math.min(section.row0 + Math.min(s.rows[1], section.rows), chunk.row0 + chunk.rowsPerNetwork);
  return [from, Math.max(from, to)];
}

function gather(device: Float32Array, x: Source, slots: readonly number[], row0: number, rows: number): Float32Array {
  const out = new Float32Array(slots.length * rows * x.width);
  let to = 0;
  for (const slot of slots) {
    const at = slot * x.stride + x.skip + row0 * x.padded;
    if (x.padded === x.width) {
      out.set(device.subarray(at, at + rows * x.width), to);
      to += rows * x.width;
      continue;
    }
    for (let b = 0; b < rows; b++, to += x.width) {
      out.set(device.subarray(at + b * x.padded, at + b * x.padded + x.width), to);
    }
  }
  return out;
}

type Emit = (block: Block) => void;

/** Blocks of a window, read from the device into the host's memory: the next window may then overwrite it. */
async function takeWindow(gpu: Gpu, program: Program, job: RolloutJob, s: Selection, c: DumpChunk, w: TimeWindow) {
  const rows = chunkRows(c.chunk);
  const blocks: Block[] = [];
  const read = new Map<string, Float32Array>();
  const device = async (x: Source, slots: number) => {
    const found = read.get(x.buffer);
    if (found) return found;
    const data = await gpu.readF32(program.buffer(x.buffer), 4 * x.slot * x.stride, 4 * slots * x.stride);
    read.set(x.buffer, data);
    return data;
  };
  for (const [name, x] of Object.entries(sources(job.rollout, rows, w)) as [RolloutArray, Source][]) {
    const end = HAS_END.includes(name);
    const { slots: own, first } = kept(s, w, end);
    for (const section of job.sections) {
      const array = `${section.name}_${name}`;
      const [from, to] = rowsOf(section, s, c);
      if (own.length === 0 || to === from || !s.wants(array) || x.width === 0) continue;
      if (!section.awake && AWAKE_ONLY.includes(name)) continue;
      const data = await device(x, w.steps + (end ? 1 : 0));
      // v_0 and c_0 are 0 by definition and never written.
      if (x.buffer === "extra" && w.t0 === 0) data.fill(0, 0, x.stride);
      for (const [i, network] of s.networks.entries()) {
        const within = network - c.chunk.network0;
        if (within < 0 || within >= c.chunk.networks) continue;
        const row0 = within * c.chunk.rowsPerNetwork + from - c.chunk.row0;
        const origin = [i, first, from - section.row0 - s.rows[0]];
        const shape = [1, own.length, to - from];
        const axes = name === "visible" ? [] : [x.width];
        blocks.push({
          array,
          origin: [...origin, ...axes.map(() => 0)],
          shape: [...shape, ...axes],
          data: gather(data, x, own, row0, to - from),
        });
      }
    }
  }
  if (w.t0 === 0) blocks.push(...(await takeStarts(gpu, program, job, s, c)));
  return blocks;
}

/** e_0 of a chunk. */
async function takeStarts(gpu: Gpu, program: Program, job: RolloutJob, s: Selection, c: DumpChunk): Promise<Block[]> {
  const width = job.rollout.model.shape.encoderInputs;
  const x = { buffer: "e0", slot: 0, stride: 0, skip: 0, padded: width, width };
  const wanted = job.sections.filter((section) => s.wants(`${section.name}_e0`));
  if (wanted.length === 0) return [];
  const data = await gpu.readF32(program.buffer("e0"), 0, 4 * chunkRows(c.chunk) * width);
  return wanted.flatMap((section) => {
    const [from, to] = rowsOf(section, s, c);
    return s.networks.flatMap((network, i): Block[] => {
      const within = network - c.chunk.network0;
      if (within < 0 || within >= c.chunk.networks || to === from) return [];
      const row0 = within * c.chunk.rowsPerNetwork + from - c.chunk.row0;
      const origin = [i, from - section.row0 - s.rows[0], 0];
      const data0 = gather(data, x, [0], row0, to - from);
      return [{ array: `${section.name}_e0`, origin, shape: [1, to - from, width], data: data0 }];
    });
  });
}

export interface RolloutHooks {
  readonly signal?: AbortSignal;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
  /** Windows done, of so many. */
  readonly onWindow?: (done: number, of: number) => void;
}

/**
 * Runs the job; while a window's blocks are handed over, the GPU computes the next one.
 * @param trained `weights` and `recurrent_t`
 * Throws GpuError, and the signal's reason when it comes.
 */
export async function runRollout(
  gpu: Gpu,
  job: RolloutJob,
  trained: ReadonlyMap<string, DeviceBuffer>,
  s: Selection,
  emit: Emit,
  hooks: RolloutHooks = {},
): Promise<void> {
  const layouts: RecordLayouts = recordLayouts(gpu.options.readShader);
  const shared = new Map(["weights", "recurrent_t"].map((name) => [name, trained.get(name) as DeviceBuffer]));
  const program = await Program.create(gpu, job.plan.plan, shared);
  const clock = new Clock(gpu, 1);
  const windows = job.plan.chunks.flatMap((c) => c.windows.map((w) => ({ c, ...w })));
  try {
    if (program.clockKernel) {
      const record = { iteration: job.iteration, slot: 0, progress: 0, correction1: 1, correction2: 1 };
      clock.set(0, program.clockKernel, record);
    }
    for (const { chunk } of job.plan.chunks) {
      const own = job.rows
        .slice(chunk.network0, chunk.network0 + chunk.networks)
        .map((r) => r.slice(chunk.row0, chunk.row0 + chunk.rowsPerNetwork));
      gpu.write(program.buffer(chunk.table), packRows(layouts.row, own, chunk.rowsPerNetwork));
    }
    const start = (i: number): Promise<void> => {
      const w = windows[i];
      if (!w) return Promise.resolve();
      const { onCompile } = hooks;
      const { from, to } = w;
      return program.run({ label: "dump", clock, from, to, ...(i === 0 && onCompile ? { onCompile } : {}) });
    };
    let running = start(0);
    for (const [i, { c, window }] of windows.entries()) {
      await running;
      hooks.signal?.throwIfAborted();
      const blocks = await takeWindow(gpu, program, job, s, c, window);
      running = start(i + 1);
      // A rejection is awaited in the next turn; until then it must not count as unhandled.
      running.catch(() => undefined);
      for (const block of blocks) emit(block);
      hooks.onWindow?.(i + 1, windows.length);
    }
    await running;
  } finally {
    await gpu.idle().catch(() => undefined);
    program.destroy();
    clock.destroy();
  }
}
