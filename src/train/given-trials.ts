/** Given trials on their own, as training or testing would see them: inputs masked as each network's are. */
import type { Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import { recordLayouts } from "../kernels/records.ts";
import { UNUSED_BUFFERS } from "../kernels/recurrence.ts";
import { placedStride, placedWidth, placePass, trialBuffers } from "../kernels/trials.ts";
import { packRows, paddedRows } from "../model/rows.ts";
import { TEST_EPOCH } from "../model/streams.ts";
import { type TensorsTask, TrialOrder } from "../task/tensors.ts";
import { awakeRows } from "./plan.ts";
import type { TrainSpec } from "./spec.ts";
import { writeTrials } from "./trials.ts";

export interface GivenTrials {
  /** Trials of the file, one per row; the same for all networks. */
  readonly trials: Uint32Array;
  /** (S, T, B, I): 0 where masked */
  readonly u: Float32Array;
}

/** The first training batch, or the first rows of the test. @throws UsageError where it does not fit, DataError */
export async function givenTrials(
  gpu: Gpu,
  spec: TrainSpec,
  task: TensorsTask,
  batch: number,
  stream: "train" | "test",
): Promise<GivenTrials> {
  const layouts = recordLayouts(gpu.options.readShader);
  const rows = paddedRows(batch);
  const [S, T, I] = [spec.networks.length, task.steps, task.inputs];
  const order = new TrialOrder(task, spec.model.rootSeed);
  const trials = stream === "train" ? order.training(0, batch) : order.test(batch);
  const [stride, width] = [placedStride(task, "u", rows), placedWidth(task, "u")];
  const chunk = { network0: 0, networks: 1, row0: 0, rowsPerNetwork: rows, table: "rows" };
  const program = await Program.create(gpu, {
    name: "trials",
    kind: "step",
    notes: [],
    buffers: [
      { name: "rows", bytes: rows * layouts.row.bytes, axes: "[R] row records" },
      { name: "input", bytes: 4 * T * stride, axes: "[T][R][I]" },
      ...trialBuffers(task, ["u"], rows),
      ...UNUSED_BUFFERS,
    ],
    passes: [placePass(spec.model, task, "u", chunk, { t0: 0, steps: T }, { buffer: "input" })],
  });
  const clock = new Clock(gpu, 1);
  try {
    const iteration = stream === "test" ? TEST_EPOCH : 0;
    if (program.clockKernel)
      clock.set(0, program.clockKernel, { iteration, slot: 0, progress: 0, correction1: 1, correction2: 1 });
    writeTrials(gpu, program, task, "u", trials);
    const u = new Float32Array(S * T * batch * I);
    for (const [s, own] of awakeRows(spec, batch).entries()) {
      gpu.write(program.buffer("rows"), packRows(layouts.row, [own], rows));
      await program.run({ label: "trials", clock });
      const device = await gpu.readF32(program.buffer("input"));
      for (let t = 0; t < T; t++) {
        for (let b = 0; b < batch; b++) {
          const from = t * stride + b * width;
          u.set(device.subarray(from, from + I), ((s * T + t) * batch + b) * I);
        }
      }
    }
    return { trials, u };
  } finally {
    program.destroy();
    clock.destroy();
  }
}
