/** Awake trajectories on their own, as training or testing would see them. */
import type { Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import { recordLayouts } from "../kernels/records.ts";
import { UNUSED_BUFFERS, unusedWrite } from "../kernels/recurrence.ts";
import { adapterSpec, type ModelSpec } from "../kernels/spec.ts";
import type { StepParameters } from "../model/dynamics.ts";
import { roundUp } from "../model/parameters.ts";
import { packRows, paddedRows } from "../model/rows.ts";
import { STREAM, TEST_EPOCH } from "../model/streams.ts";
import { pathBuffers, pathPasses } from "./path-pass.ts";
import { pathKernel } from "./path-uniforms.ts";
import { inputScale, type PathTask, pathShape } from "./paths.ts";

export interface PathRequest {
  readonly model: Pick<ModelSpec, "rootSeed" | "noiseRounds">;
  readonly networks: readonly { readonly seed: number; readonly maskEvery: number; readonly step: StepParameters }[];
  readonly task: PathTask;
  readonly maskRandom: boolean;
  /** T */
  readonly steps: number;
  /** B, trajectories per network */
  readonly batch: number;
  readonly stream: "train" | "test";
  /** Training iteration whose trajectories are wanted; test trajectories have only one. */
  readonly iteration: number;
}

export interface GeneratedPaths {
  /** (S, T+1, B, 2), metres */
  readonly positions: Float32Array;
  /** (S, T, B, I): masked, in units of the mean step */
  readonly input: Float32Array;
}

/** Runs the task's path kernel, network by network. Throws UsageError where the bytes do not fit. */
export async function generatePaths(gpu: Gpu, q: PathRequest): Promise<GeneratedPaths> {
  const layouts = recordLayouts(gpu.options.readShader);
  const rows = paddedRows(q.batch);
  const [S, T, B] = [q.networks.length, q.steps, q.batch];
  const path = pathKernel(q.task);
  const I = pathShape(q.task).inputs;
  // Slots that a view may start at are 256 bytes apart.
  const stride = roundUp(rows * I, 64);
  const program = await Program.create(gpu, {
    name: "paths",
    kind: "step",
    notes: [],
    buffers: [
      { name: "rows", bytes: rows * layouts.row.bytes, axes: "[R] row records" },
      { name: "positions", bytes: 8 * (T + 1) * rows, axes: "[T+1][R][2]" },
      { name: "input", bytes: 4 * T * stride, axes: "[T][R][I]" },
      { name: "e0", bytes: 8 * rows, axes: "[R][2]" },
      ...pathBuffers(path, rows),
      ...UNUSED_BUFFERS,
    ],
    passes: pathPasses({
      path,
      inputScale: inputScale(q.task),
      ...q.model,
      stream: q.stream === "train" ? STREAM.trainPaths : STREAM.testPaths,
      rows,
      steps: T,
      buffers: { rows: "rows", positions: "positions", e0: "e0" },
      input: { buffer: "input", stride },
      unused: unusedWrite(2),
      adapter: adapterSpec(gpu),
    }),
  });
  const clock = new Clock(gpu, 1);
  try {
    const iteration = q.stream === "test" ? TEST_EPOCH : q.iteration;
    if (program.clockKernel)
      clock.set(0, program.clockKernel, { iteration, slot: 0, progress: 0, correction1: 1, correction2: 1 });
    const out = { positions: new Float32Array(S * (T + 1) * B * 2), input: new Float32Array(S * T * B * I) };
    for (const [s, n] of q.networks.entries()) {
      const own = Array.from({ length: B }, (_, trajectory) => ({
        step: n.step,
        networkSeed: n.seed,
        trajectory,
        epoch: 0,
        maskEvery: n.maskEvery,
        maskRandom: q.maskRandom,
      }));
      gpu.write(program.buffer("rows"), packRows(layouts.row, [own], rows));
      await program.run({ label: "paths", clock });
      for (const [name, count] of [
        ["positions", T + 1],
        ["input", T],
      ] as const) {
        const [width, slot] = name === "positions" ? [2, 2 * rows] : [I, stride];
        const device = await gpu.readF32(program.buffer(name));
        for (let t = 0; t < count; t++)
          out[name].set(device.subarray(t * slot, t * slot + B * width), (s * count + t) * B * width);
      }
    }
    return out;
  } finally {
    program.destroy();
    clock.destroy();
  }
}
