/** Awake trajectories on their own, as training or testing would see them. */
import type { Gpu } from "../gpu/context.ts";
import { Clock, Program } from "../gpu/program.ts";
import { recordLayouts } from "../kernels/records.ts";
import type { ModelSpec } from "../kernels/spec.ts";
import type { StepParameters } from "../model/dynamics.ts";
import { packRows, paddedRows } from "../model/rows.ts";
import { STREAM, TEST_EPOCH } from "../model/streams.ts";
import { pathPass } from "./path-pass.ts";
import { pathKernel } from "./path-uniforms.ts";
import { inputScale, type PathTask } from "./paths.ts";

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
  /** (S, T, B, 2): masked, in units of the mean step */
  readonly input: Float32Array;
}

/** Runs the task's path kernel, network by network. Throws UsageError where the bytes do not fit. */
export async function generatePaths(gpu: Gpu, q: PathRequest): Promise<GeneratedPaths> {
  const layouts = recordLayouts(gpu.options.readShader);
  const rows = paddedRows(q.batch);
  const [S, T, B] = [q.networks.length, q.steps, q.batch];
  const program = await Program.create(gpu, {
    name: "paths",
    kind: "step",
    notes: [],
    buffers: [
      { name: "rows", bytes: rows * layouts.row.bytes, axes: "[R] row records" },
      { name: "positions", bytes: 8 * (T + 1) * rows, axes: "[T+1][R][2]" },
      { name: "input", bytes: 8 * T * rows, axes: "[T][R][2]" },
      { name: "e0", bytes: 8 * rows, axes: "[R][2]" },
    ],
    passes: [
      pathPass({
        path: pathKernel(q.task),
        inputScale: inputScale(q.task),
        ...q.model,
        stream: q.stream === "train" ? STREAM.trainPaths : STREAM.testPaths,
        rows,
        steps: T,
        inputStride: 2 * rows,
        bind: {
          rows: { buffer: "rows" },
          positions: { buffer: "positions" },
          input: { buffer: "input" },
          e0: { buffer: "e0" },
        },
      }),
    ],
  });
  const clock = new Clock(gpu, 1);
  try {
    const iteration = q.stream === "test" ? TEST_EPOCH : q.iteration;
    if (program.clockKernel)
      clock.set(0, program.clockKernel, { iteration, slot: 0, progress: 0, correction1: 1, correction2: 1 });
    const out = { positions: new Float32Array(S * (T + 1) * B * 2), input: new Float32Array(S * T * B * 2) };
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
        const device = await gpu.readF32(program.buffer(name));
        for (let t = 0; t < count; t++)
          out[name].set(device.subarray(t * rows * 2, (t * rows + B) * 2), (s * count + t) * B * 2);
      }
    }
    return out;
  } finally {
    program.destroy();
    clock.destroy();
  }
}
