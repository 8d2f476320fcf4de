/** Some passes of the planners on buffers filled by hand: what a test of one kernel with its true uniforms needs. */
import { expect } from "vitest";
import type { FieldValues } from "../../src/gpu/pack.ts";
import type { Pass } from "../../src/gpu/plan.ts";
import { Clock, Program } from "../../src/gpu/program.ts";
import { UNUSED_BUFFERS } from "../../src/kernels/recurrence.ts";
import { testGpu } from "../gpu.ts";
import type { KernelOutput } from "./run-kernel.ts";

/** Contents of a buffer, or the bytes of one that starts as NaN. */
type Content = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | number;

export const NO_CLOCK = { iteration: 0, slot: 0, progress: 0, correction1: 1, correction2: 1 };

/** Runs the passes once per clock (once in all without), and gives back what the buffers hold then. */
export async function runPasses(
  buffers: Readonly<Record<string, Content>>,
  passes: readonly Pass[],
  clocks: readonly FieldValues[] = [NO_CLOCK],
): Promise<KernelOutput> {
  const gpu = await testGpu();
  const specs = Object.entries(buffers).map(([name, content]) => ({
    name,
    bytes: typeof content === "number" ? content : content.byteLength,
    axes: "",
  }));
  const program = await Program.create(gpu, {
    name: "some passes",
    kind: "step",
    notes: [],
    buffers: [...specs, ...UNUSED_BUFFERS],
    passes,
  });
  const clock = new Clock(gpu, clocks.length);
  const contents = new Map<string, ArrayBuffer>();
  try {
    for (const [name, content] of Object.entries(buffers)) {
      if (typeof content !== "number") gpu.write(program.buffer(name), content);
    }
    for (const [slot, values] of clocks.entries()) {
      if (program.clockKernel) clock.set(slot, program.clockKernel, values);
      await program.run({ label: "some passes", clock, slot });
    }
    for (const { name } of specs) contents.set(name, await gpu.read(program.buffer(name)));
  } finally {
    program.destroy();
    clock.destroy();
  }
  const bytes = (name: string): ArrayBuffer => contents.get(name) ?? expect.unreachable(`no buffer ${name}`);
  return { f32: (name) => new Float32Array(bytes(name)), u32: (name) => new Uint32Array(bytes(name)) };
}
