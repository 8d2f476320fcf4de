/** Runs trained networks on fresh test trajectories, noise on: their error, and what they did. */
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import { type RecordLayouts, readField } from "../kernels/records.ts";
import { chunkRows } from "../kernels/recurrence.ts";
import { adapterSpec } from "../kernels/spec.ts";
import { unpackRows } from "../kernels/unpack.ts";
import { roundUp } from "../model/parameters.ts";
import { STREAM, TEST_EPOCH } from "../model/streams.ts";
import { awakeRows, planAwake, resetStats, uploadRows } from "./plan.ts";
import type { TrainSpec } from "./spec.ts";

export interface TestResult {
  readonly mse: readonly number[];
  /** (S, T+1, count, 2), metres */
  readonly positions: Float32Array | null;
  /** (S, T, count, O): index t is the readout of r_{t+1}. */
  readonly readout: Float32Array | null;
  /** (S, count, N): r_T */
  readonly last: Float32Array | null;
}

/** Called with a network's true position at a step, metres, and r of the same step, which begins at `from`. */
export type StateVisitor = (network: number, x: number, y: number, states: Float32Array, from: number) => void;

export interface TestOptions {
  /** Also the trajectories, their readouts and last states. */
  readonly keep?: boolean;
  /** With `keep`: sees every state. */
  readonly onState?: StateVisitor;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
  readonly signal?: AbortSignal;
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
  const batch = planAwake(spec, spec.adapter ?? adapterSpec(gpu), layouts, {
    name: "test",
    batch: count,
    gradients: false,
    keepReadout: keep,
    stream: STREAM.testPaths,
  });
  const shared = new Map(["weights", "recurrent_t"].map((name) => [name, trained.get(name) as DeviceBuffer]));
  const program = await Program.create(gpu, batch.plan, shared);
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
    const positions = keep ? new Float32Array(S * (T + 1) * count * 2) : null;
    const readout = keep ? new Float32Array(S * T * count * O) : null;
    const last = keep ? new Float32Array(S * count * N) : null;
    const hooks = {
      ...(options.onCompile ? { onCompile: options.onCompile } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    };
    let at = 0;
    for (const { chunk, to } of batch.chunkPasses) {
      await program.run({ label: "test", clock, from: at, to, ...hooks });
      at = to;
      if (!positions || !readout || !last) continue;
      const size = chunkRows(chunk);
      const n4 = roundUp(N, 4);
      const take = (device: Float32Array, out: Float32Array, slots: number, width: number, padded: number) =>
        unpackRows(device, chunk, count, slots, width, padded, (row) => ({ out, row, rows: count }));
      const paths = await gpu.readF32(program.buffer("positions"));
      take(paths, positions, T + 1, 2, 2);
      take(await gpu.readF32(program.buffer("y_all")), readout, T, O, roundUp(O, 4));
      // One slot at a time: the whole history may be larger than the host's memory.
      for (let t = options.onState ? 1 : T; t <= T; t++) {
        const states = await gpu.readF32(program.buffer("states"), t * size * n4 * 4, size * n4 * 4);
        if (t === T) take(states, last, 1, N, n4);
        for (let s = 0; options.onState && s < chunk.networks; s++) {
          for (let b = 0; b < Math.min(chunk.rowsPerNetwork, count - chunk.row0); b++) {
            const row = s * chunk.rowsPerNetwork + b;
            const at = (t * size + row) * 2;
            options.onState(chunk.network0 + s, paths[at] as number, paths[at + 1] as number, states, row * n4);
          }
        }
      }
    }
    await program.run({ label: "test", clock, from: at, ...hooks });
    const stats = await gpu.read(program.buffer("stats"), 0, S * layouts.stats.bytes);
    return { mse: readField(layouts.stats, stats, "loss"), positions, readout, last };
  } finally {
    program.destroy();
    clock.destroy();
  }
}
