/** Awake trajectories on their own, as training or testing would see them. */
import { deltaPass, normsPasses, ratesPass } from "../code/passes.ts";
import { type CodeSpec, cellsOf } from "../code/population.ts";
import type { Gpu } from "../gpu/context.ts";
import type { BufferSpec, Pass } from "../gpu/plan.ts";
import { Clock, Program } from "../gpu/program.ts";
import { recordLayouts } from "../kernels/records.ts";
import { slotView, UNUSED_BUFFERS, unusedWrite } from "../kernels/recurrence.ts";
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
  /** Place cells whose rates are wanted, and their changes where these are the input. */
  readonly code?: CodeSpec | null;
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
  /** (S, T+1, B, O): rates of place cells. */
  readonly rates?: Float32Array;
  /** (S, T, B, O): masked changes of rates over u_scale, where they are the input. */
  readonly codeInput?: Float32Array;
}

/** What place cells make of the paths, step by step: a whole tensor may be larger than a binding. */
function codePasses(q: PathRequest, { population, deltaInput }: CodeSpec, rows: number): Pass[] {
  const [T, O] = [q.steps, cellsOf(population)];
  const width = roundUp(O, 4);
  const at = (buffer: string, floats: number, t: number, count: number) => slotView(buffer, floats * rows, t, count);
  const passes: Pass[] = normsPasses(population, (T + 1) * rows, { buffer: "positions" }, { buffer: "norms" });
  for (let t = 0; t <= T; t++) {
    const bind = { positions: at("positions", 2, t, 1), norms: at("norms", 2, t, 1), rates: at("rates", width, t, 1) };
    passes.push(ratesPass(population, rows, width, bind));
  }
  const { rootSeed } = q.model;
  for (let t = 0; deltaInput && t < T; t++) {
    const w = { t0: t, steps: 1 };
    passes.push(
      deltaPass(population, { rows, rootSeed, inputScale: inputScale(q.task) }, w, {
        rows: { buffer: "rows" },
        positions: at("positions", 2, t, 2),
        norms: at("norms", 2, t, 2),
        input: at("code_input", width, t, 1),
      }),
    );
  }
  return passes;
}

function codeBuffers({ population, deltaInput }: CodeSpec, T: number, rows: number): BufferSpec[] {
  const slot = 4 * rows * roundUp(cellsOf(population), 4);
  return [
    { name: "norms", bytes: 8 * (T + 1) * rows, axes: "[T+1][R][2]" },
    { name: "rates", bytes: (T + 1) * slot, axes: "[T+1][R][O]" },
    ...(deltaInput ? [{ name: "code_input", bytes: T * slot, axes: "[T][R][O]" }] : []),
  ];
}

/** Runs the task's path kernel, network by network. Throws UsageError where the bytes do not fit. */
export async function generatePaths(gpu: Gpu, q: PathRequest): Promise<GeneratedPaths> {
  const layouts = recordLayouts(gpu.options.readShader);
  const rows = paddedRows(q.batch);
  const [S, T, B] = [q.networks.length, q.steps, q.batch];
  const { code } = q;
  const O = code ? cellsOf(code.population) : 0;
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
      ...(code ? codeBuffers(code, T, rows) : []),
      ...UNUSED_BUFFERS,
    ],
    passes: [
      ...pathPasses({
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
      ...(code ? codePasses(q, code, rows) : []),
    ],
  });
  const clock = new Clock(gpu, 1);
  try {
    const iteration = q.stream === "test" ? TEST_EPOCH : q.iteration;
    if (program.clockKernel)
      clock.set(0, program.clockKernel, { iteration, slot: 0, progress: 0, correction1: 1, correction2: 1 });
    const out = {
      positions: new Float32Array(S * (T + 1) * B * 2),
      input: new Float32Array(S * T * B * I),
      ...(code ? { rates: new Float32Array(S * (T + 1) * B * O) } : {}),
      ...(code?.deltaInput ? { codeInput: new Float32Array(S * T * B * O) } : {}),
    };
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
      const take = async (
        name: string,
        to: Float32Array,
        count: number,
        width: number,
        padded: number,
        slot: number,
      ) => {
        const device = await gpu.readF32(program.buffer(name));
        for (let t = 0; t < count; t++) {
          for (let b = 0; b < B; b++) {
            const from = t * slot + b * padded;
            to.set(device.subarray(from, from + width), ((s * count + t) * B + b) * width);
          }
        }
      };
      await take("positions", out.positions, T + 1, 2, 2, 2 * rows);
      await take("input", out.input, T, I, I, stride);
      const o4 = roundUp(O, 4);
      if (out.rates) await take("rates", out.rates, T + 1, O, o4, o4 * rows);
      if (out.codeInput) await take("code_input", out.codeInput, T, O, o4, o4 * rows);
    }
    return out;
  } finally {
    program.destroy();
    clock.destroy();
  }
}
