/** The passes that generate awake trajectories, window by window. Pure. */
import type { BufferSpec, BufferView, DispatchPass } from "../gpu/plan.ts";
import { longestWindow, slotView, timeWindows } from "../kernels/recurrence.ts";
import type { AdapterSpec } from "../kernels/spec.ts";
import type { PathKernel } from "./path-uniforms.ts";

export interface PathPassOptions {
  readonly path: PathKernel;
  /** u_scale: metres, or radians of head direction. */
  readonly inputScale: number;
  readonly rootSeed: number;
  readonly noiseRounds: number;
  readonly stream: number;
  readonly rows: number;
  /** 0: only the starts are made. */
  readonly steps: number;
  /** Names of the buffers; positions [T+1][R][2], input [T] slots, e0 [R][2]. `input` null: another kernel makes it. */
  readonly buffers: { readonly rows: string; readonly positions: string; readonly e0: string };
  readonly input: { readonly buffer: string; readonly stride: number } | null;
  /** Stands in for an input that is not made. */
  readonly unused: BufferView;
  readonly adapter: AdapterSpec;
}

/** What a path kernel keeps from window to window. */
export const PATH_CARRY = "path_carry";

/** Buffers of the path passes that are nobody else's. */
export function pathBuffers(path: PathKernel, rows: number): BufferSpec[] {
  return [
    { name: PATH_CARRY, bytes: 16 * rows, axes: "[R][4], of path kernels" },
    ...path.tables.map((t) => ({
      name: tableBuffer(t.binding),
      bytes: t.data.byteLength,
      axes: t.axes,
      contents: () => t.data,
    })),
  ];
}

const tableBuffer = (binding: string): string => `path_${binding}`;

export function pathPasses(o: PathPassOptions): DispatchPass[] {
  const { path, rows, adapter } = o;
  const stride = o.input?.stride ?? 0;
  const slotFloats = 2 * rows;
  const work = { slotBytes: 4 * Math.max(slotFloats, stride), extraSlots: 1, flopsPerStep: rows * path.flopsPerStep };
  const total = path.lead + o.steps;
  // A task without a lead and a launch of no steps still have to make the starts.
  const windows = total === 0 ? [{ t0: 0, steps: 0 }] : timeWindows(total, longestWindow(adapter, work));
  const slot = (step: number): number => Math.max(0, step - path.lead);
  return windows.map(({ t0, steps }): DispatchPass => {
    const [from, to] = [slot(t0), slot(t0 + steps)];
    return {
      kind: "dispatch",
      label: o.steps > 0 ? "paths" : "starts",
      kernel: path.kernel,
      tune: { PHILOX_ROUNDS: o.noiseRounds },
      bind: {
        rows: { buffer: o.buffers.rows },
        positions: slotView(o.buffers.positions, slotFloats, from, to - from + 1),
        input: o.input && to > from ? slotView(o.input.buffer, stride, from, to - from) : o.unused,
        e0: { buffer: o.buffers.e0 },
        carry: { buffer: PATH_CARRY },
        ...Object.fromEntries(path.tables.map((t) => [t.binding, { buffer: tableBuffer(t.binding) }])),
      },
      uniforms: {
        path_pass: {
          rows,
          t0,
          steps,
          lead: path.lead,
          root_seed: o.rootSeed,
          stream: o.stream,
          input_stride: stride,
          input_on: o.input ? 1 : 0,
          input_scale: o.inputScale,
        },
        ...path.uniforms,
      },
      groups: [Math.ceil(rows / 32), 1, 1],
      flops: steps * work.flopsPerStep,
    };
  });
}
