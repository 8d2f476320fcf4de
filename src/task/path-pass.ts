/** The pass that generates awake trajectories. Pure. */
import type { BufferView, DispatchPass } from "../gpu/plan.ts";
import type { PathKernel } from "./path-uniforms.ts";

export interface PathPassOptions {
  readonly path: PathKernel;
  /** Mean step length, metres. */
  readonly inputScale: number;
  readonly rootSeed: number;
  readonly noiseRounds: number;
  readonly stream: number;
  readonly rows: number;
  /** 0: only the starts are made. */
  readonly steps: number;
  /** Floats from one time slot of the input to the next. */
  readonly inputStride: number;
  readonly bind: Readonly<Record<"rows" | "positions" | "input" | "e0", BufferView>>;
}

export function pathPass(o: PathPassOptions): DispatchPass {
  return {
    kind: "dispatch",
    label: o.steps > 0 ? "paths" : "starts",
    kernel: o.path.kernel,
    tune: { PHILOX_ROUNDS: o.noiseRounds },
    bind: o.bind,
    uniforms: {
      path_pass: {
        rows: o.rows,
        steps: o.steps,
        root_seed: o.rootSeed,
        stream: o.stream,
        input_stride: o.inputStride,
        input_scale: o.inputScale,
      },
      ...o.path.uniforms,
    },
    groups: [Math.ceil(o.rows / 32), 1, 1],
  };
}
