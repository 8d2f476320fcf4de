/** Runs trained networks on fresh test trajectories, noise on: their error, and what they did. */
import { shownOf } from "../code/passes.ts";
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import type { BatchPlan } from "../kernels/batch.ts";
import { type RecordLayouts, readField } from "../kernels/records.ts";
import { chunkRows } from "../kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec, withRoom } from "../kernels/spec.ts";
import { unpackRows } from "../kernels/unpack.ts";
import { roundUp } from "../model/parameters.ts";
import { STREAM, TEST_EPOCH } from "../model/streams.ts";
import { TrialOrder } from "../task/tensors.ts";
import { awakeRows, planAwake, resetStats, uploadRows } from "./plan.ts";
import type { TrainSpec } from "./spec.ts";
import { writeChunk } from "./trials.ts";

export interface TestResult {
  readonly mse: readonly number[];
  /** (S, T+1, count, 2), metres; null of given trials, which are those of `TrialOrder.test`. */
  readonly positions: Float32Array | null;
  /** (S, T, count, O): index t is the readout of r_{t+1}; of place cells the position that it stands for, O = 2. */
  readonly readout: Float32Array | null;
  /** (S, T, count, O): the activity of place cells itself, where it was asked for. */
  readonly code: Float32Array | null;
  /** Per network the median distance of the decoded position from the true one, metres; null without place cells. */
  readonly decodingError: readonly number[] | null;
  /** (S, count, N): r_T */
  readonly last: Float32Array | null;
}

/** Called with a network's true position at a step t of a row, metres, and r of the same step, which begins at `from`. */
export type StateVisitor = (
  network: number,
  x: number,
  y: number,
  states: Float32Array,
  from: number,
  t: number,
  row: number,
) => void;

export interface TestOptions {
  /** Also the trajectories, their readouts and last states. */
  readonly keep?: boolean;
  /** With `keep`: sees every state. */
  readonly onState?: StateVisitor;
  /** Also the activity of place cells. */
  readonly keepCode?: boolean;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
  readonly signal?: AbortSignal;
}

/** The plan of a test. Pure. */
export function testPlan(
  spec: TrainSpec,
  adapter: AdapterSpec,
  layouts: RecordLayouts,
  count: number,
  { keep = false, keepCode = false }: Pick<TestOptions, "keep" | "keepCode"> = {},
): BatchPlan {
  return planAwake(spec, spec.adapter ?? adapter, layouts, {
    name: "test",
    batch: count,
    gradients: false,
    keepReadout: spec.code ? keepCode : keep,
    decode: true,
    stream: STREAM.testPaths,
  });
}

/** Throws the signal's reason when it comes. */
export async function testBatch(
  gpu: Gpu,
  spec: TrainSpec,
  trained: ReadonlyMap<string, DeviceBuffer>,
  layouts: RecordLayouts,
  count: number,
  options: TestOptions,
): Promise<TestResult> {
  const keep = options.keep === true;
  const keepCode = options.keepCode === true;
  const { code } = spec;
  const shared = new Map(["weights", "recurrent_t"].map((name) => [name, trained.get(name) as DeviceBuffer]));
  const { batch, program } = await withRoom(spec.adapter ?? adapterSpec(gpu), async (adapter) => {
    const planned = testPlan({ ...spec, adapter }, adapter, layouts, count, options);
    return { batch: planned, program: await Program.create(gpu, planned.plan, shared) };
  });
  const clock = new Clock(gpu, 1);
  try {
    uploadRows(gpu, program, batch, layouts, awakeRows(spec, count));
    resetStats(gpu, program);
    if (program.clockKernel)
      clock.set(0, program.clockKernel, {
        iteration: TEST_EPOCH,
        slot: 0,
        progress: 0,
        correction1: 1,
        correction2: 1,
      });
    const { shape } = spec.model;
    const [S, T, N, O] = [spec.networks.length, spec.steps, shape.units, shape.outputs];
    const shown = shownOf(code, O);
    const { task } = spec;
    const trials = task.kind === "tensors" ? { task, of: new TrialOrder(task, spec.model.rootSeed).test(count) } : null;
    const positions = !trials && (keep || code) ? new Float32Array(S * (T + 1) * count * 2) : null;
    const readout = keep || code ? new Float32Array(S * T * count * shown.width) : null;
    const activity = code && keepCode ? new Float32Array(S * T * count * O) : null;
    const last = keep ? new Float32Array(S * count * N) : null;
    const hooks = {
      ...(options.onCompile ? { onCompile: options.onCompile } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    };
    let at = 0;
    for (const { chunk, to } of batch.chunkPasses) {
      if (trials) writeChunk(gpu, program, trials.task, chunk, trials.of);
      await program.run({ label: "test", clock, from: at, to, ...hooks });
      at = to;
      if (!readout) continue;
      const size = chunkRows(chunk);
      const n4 = roundUp(N, 4);
      const take = (device: Float32Array, out: Float32Array, slots: number, width: number, padded: number) =>
        unpackRows(device, chunk, count, slots, width, padded, (row) => ({ out, row, rows: count }));
      const paths = positions ? await gpu.readF32(program.buffer("positions")) : null;
      if (paths && positions) take(paths, positions, T + 1, 2, 2);
      take(await gpu.readF32(program.buffer(code ? "decoded" : "y_all")), readout, T, shown.width, shown.floats);
      if (activity) take(await gpu.readF32(program.buffer("y_all")), activity, T, O, roundUp(O, 4));
      if (!last) continue;
      // One slot at a time: the whole history may be larger than the host's memory.
      const onState = paths ? options.onState : undefined;
      for (let t = onState ? 1 : T; t <= T; t++) {
        const states = await gpu.readF32(program.buffer("states"), t * size * n4 * 4, size * n4 * 4);
        if (t === T) take(states, last, 1, N, n4);
        for (let s = 0; onState && paths && s < chunk.networks; s++) {
          for (let b = 0; b < Math.min(chunk.rowsPerNetwork, count - chunk.row0); b++) {
            const row = s * chunk.rowsPerNetwork + b;
            const at = (t * size + row) * 2;
            const [x, y] = [paths[at] as number, paths[at + 1] as number];
            onState(chunk.network0 + s, x, y, states, row * n4, t, chunk.row0 + b);
          }
        }
      }
    }
    await program.run({ label: "test", clock, from: at, ...hooks });
    const stats = await gpu.read(program.buffer("stats"), 0, S * layouts.stats.bytes);
    return {
      mse: readField(layouts.stats, stats, "loss"),
      positions: keep ? positions : null,
      readout: keep ? readout : null,
      code: activity,
      decodingError: code && positions && readout ? decodingErrors(positions, readout, S, T, count) : null,
      last,
    };
  } finally {
    program.destroy();
    clock.destroy();
  }
}

/** Per network the median over steps and rows of |decoded y_{t+1} − s_{t+1}|, metres. */
function decodingErrors(positions: Float32Array, decoded: Float32Array, S: number, T: number, B: number): number[] {
  return Array.from({ length: S }, (_, s) => {
    const own = new Float64Array(T * B);
    for (let i = 0; i < own.length; i++) {
      // Slot 0 of the positions is s_0.
      const [at, from] = [2 * (s * T * B + i), 2 * ((s * (T + 1) + 1) * B + i)];
      const dx = (decoded[at] as number) - (positions[from] as number);
      const dy = (decoded[at + 1] as number) - (positions[from + 1] as number);
      own[i] = Math.hypot(dx, dy);
    }
    own.sort();
    return own[Math.floor(own.length / 2)] as number;
  });
}
