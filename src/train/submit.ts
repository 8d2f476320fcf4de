/** Iterations on their way to the device: as few submits as the limits allow, several iterations in each or several for one. */
import type { Gpu } from "../gpu/context.ts";
import { type Clock, MAX_DISPATCHES, type Program, submitsOf } from "../gpu/program.ts";
import type { AdapterSpec } from "../kernels/spec.ts";

/** A single iteration takes no longer than this at the adapter's cautious rate: systems reset a GPU over a long one. */
const MAX_SUBMIT_SECONDS = 1;

/** Passes of an iteration, in as many submits as they need: one, unless it is long. */
export type IterationSubmits = ReturnType<typeof submitsOf>;

export const iterationSubmits = ({ plan }: Program, { flopsPerSecond }: AdapterSpec): IterationSubmits =>
  submitsOf(plan.passes, MAX_SUBMIT_SECONDS * flopsPerSecond);

/** Submits `count` iterations, whose records are in the clock's slots from 0 on. @param last encodes what follows them */
export function submitIterations(
  gpu: Gpu,
  o: {
    readonly program: Program;
    readonly clock: Clock;
    readonly submits: IterationSubmits;
    readonly count: number;
    readonly label: string;
    readonly last?: (encoder: GPUCommandEncoder) => void;
  },
): void {
  const { program, clock, submits, label } = o;
  let encoder = gpu.device.createCommandEncoder({ label });
  let held = 0;
  for (let i = 0; i < o.count; i++) {
    for (const { from, to } of submits) {
      if (held > 0 && (submits.length > 1 || held + to - from > MAX_DISPATCHES)) {
        gpu.device.queue.submit([encoder.finish()]);
        encoder = gpu.device.createCommandEncoder({ label });
        held = 0;
      }
      program.encode(encoder, label, clock, i, from, to);
      held += to - from;
    }
  }
  o.last?.(encoder);
  gpu.device.queue.submit([encoder.finish()]);
}
