/** Runs trained networks on fresh test trajectories, noise on: their error, and what they did. */
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import { type RecordLayouts, readField } from "../kernels/records.ts";
import { chunkRows } from "../kernels/recurrence.ts";
import { adapterSpec } from "../kernels/spec.ts";
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

export async function testBatch(
  gpu: Gpu,
  spec: TrainSpec,
  trained: ReadonlyMap<string, DeviceBuffer>,
  layouts: RecordLayouts,
  count: number,
  options: { keep?: boolean; onCompile?: (kernel: string, index: number, of: number) => void },
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
    let at = 0;
    for (const { chunk, from, to } of batch.chunkPasses) {
      await program.run({
        label: "test",
        clock,
        from: at,
        to,
        ...(options.onCompile ? { onCompile: options.onCompile } : {}),
      });
      at = to;
      if (!positions || !readout || !last) continue;
      const rows = chunkRows(chunk);
      const n4 = Math.ceil(N / 4) * 4;
      const o4 = Math.ceil(O / 4) * 4;
      const pos = await gpu.readF32(program.buffer("positions"));
      const y = await gpu.readF32(program.buffer("y_all"));
      const r = await gpu.readF32(program.buffer("states"), T * rows * n4 * 4, rows * n4 * 4);
      for (let s = 0; s < chunk.networks; s++) {
        const own = Math.min(chunk.rowsPerNetwork, count - chunk.row0);
        for (let b = 0; b < own; b++) {
          const row = s * chunk.rowsPerNetwork + b;
          const to = chunk.row0 + b;
          for (let t = 0; t <= T; t++) {
            const p = (t * rows + row) * 2;
            positions.set(pos.subarray(p, p + 2), (((chunk.network0 + s) * (T + 1) + t) * count + to) * 2);
          }
          for (let t = 0; t < T; t++) {
            const p = (t * rows + row) * o4;
            readout.set(y.subarray(p, p + O), (((chunk.network0 + s) * T + t) * count + to) * O);
          }
          last.set(r.subarray(row * n4, row * n4 + N), ((chunk.network0 + s) * count + to) * N);
        }
      }
    }
    await program.run({ label: "test", clock, from: at });
    const stats = await gpu.read(program.buffer("stats"), 0, S * layouts.stats.bytes);
    return { mse: readField(layouts.stats, stats, "loss"), positions, readout, last };
  } finally {
    program.destroy();
    clock.destroy();
  }
}
