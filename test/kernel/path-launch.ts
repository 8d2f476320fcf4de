/** Awake paths through the passes of the planners, in windows and chunks as asked; buffers start as NaN. */
import { Clock, Program } from "../../src/gpu/program.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import { UNUSED_BUFFERS, unusedWrite } from "../../src/kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec } from "../../src/kernels/spec.ts";
import { roundUp } from "../../src/model/parameters.ts";
import { packRows, paddedRows } from "../../src/model/rows.ts";
import type { PathRequest } from "../../src/reference/masked-inputs.ts";
import { pathBuffers, pathPasses } from "../../src/task/path-pass.ts";
import { pathKernel } from "../../src/task/path-uniforms.ts";
import { inputScale, type PathTask, pathShape } from "../../src/task/paths.ts";
import { testGpu } from "../gpu.ts";

/** All-default step parameters: paths do not look at them. */
const STEP = {
  leak: 1,
  gain: 1,
  noiseStd: 0,
  noiseScale: 1,
  friction: 1,
  noiseFriction: false,
  adaptStrength: 0,
  adaptTau: 1,
};

export interface LaunchedPaths {
  /** (T+1, B, 2) */
  readonly positions: Float32Array;
  /** (T, B, I) */
  readonly input: Float32Array;
  /** (B, 2) */
  readonly e0: Float32Array;
  /** Everything that padded rows hold. */
  readonly padding: Float32Array;
  readonly dispatches: number;
}

/** `window`: steps of a launch at most. */
export async function launchPaths(task: PathTask, r: PathRequest, window = 1e9): Promise<LaunchedPaths> {
  const gpu = await testGpu();
  const layouts = recordLayouts(gpu.options.readShader);
  const rows = paddedRows(r.B);
  const path = pathKernel(task);
  const I = pathShape(task).inputs;
  const stride = roundUp(rows * I, 64);
  // 0.25 s at this rate are `window` steps.
  const adapter: AdapterSpec = {
    ...adapterSpec(gpu),
    flopsPerSecond: 4.001 * window * rows * path.flopsPerStep,
  };
  const program = await Program.create(gpu, {
    name: "paths",
    kind: "step",
    notes: [],
    buffers: [
      { name: "rows", bytes: rows * layouts.row.bytes, axes: "" },
      { name: "positions", bytes: 8 * (r.T + 1) * rows, axes: "" },
      { name: "input", bytes: Math.max(16, 4 * r.T * stride), axes: "" },
      { name: "e0", bytes: 8 * rows, axes: "" },
      ...pathBuffers(path, rows),
      ...UNUSED_BUFFERS,
    ],
    passes: pathPasses({
      path,
      inputScale: inputScale(task),
      rootSeed: r.key[0],
      noiseRounds: r.rounds ?? 7,
      stream: r.stream,
      rows,
      steps: r.T,
      buffers: { rows: "rows", positions: "positions", e0: "e0" },
      input: { buffer: "input", stride },
      unused: unusedWrite(2),
      adapter,
    }),
  });
  const clock = new Clock(gpu, 1);
  try {
    const own = Array.from({ length: r.B }, (_, b) => ({
      step: STEP,
      networkSeed: r.key[1],
      trajectory: r.trajectory0 + b,
      epoch: 0,
      maskEvery: r.maskEvery,
      maskRandom: r.maskOffset === "random",
    }));
    gpu.write(program.buffer("rows"), packRows(layouts.row, [own], rows));
    const kernel = program.clockKernel;
    if (kernel) clock.set(0, kernel, { iteration: r.epoch, slot: 0, progress: 0, correction1: 1, correction2: 1 });
    await program.run({ label: "paths", clock });
    const padding: number[] = [];
    const take = async (name: string, slots: number, width: number, slot: number): Promise<Float32Array> => {
      const device = await gpu.readF32(program.buffer(name));
      const out = new Float32Array(slots * r.B * width);
      for (let t = 0; t < slots; t++) {
        out.set(device.subarray(t * slot, t * slot + r.B * width), t * r.B * width);
        padding.push(...device.subarray(t * slot + r.B * width, t * slot + rows * width));
      }
      return out;
    };
    return {
      positions: await take("positions", r.T + 1, 2, 2 * rows),
      input: await take("input", r.T, I, stride),
      e0: await take("e0", 1, 2, 2 * rows),
      padding: Float32Array.from(padding),
      dispatches: program.dispatches,
    };
  } finally {
    program.destroy();
    clock.destroy();
    await gpu.checkGuards();
  }
}
