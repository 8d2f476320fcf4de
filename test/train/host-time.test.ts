/** Encoding an iteration costs the host next to nothing: the GPU never waits for JavaScript. */
import { expect, test } from "vitest";
import type { PlanKind } from "../../src/gpu/plan.ts";
import { Clock } from "../../src/gpu/program.ts";
import { makeJob } from "../../src/profile/jobs.ts";
import { shapeNamed } from "../../src/profile/shapes.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

const ITERATIONS = 8;

// Twice the milliseconds of the design: machines are slower, or busy. A small batch, as the host does the same for a
// large one.
test.each<[PlanKind, number]>([
  ["own-row", 2 * 0.2],
  ["step", 2 * 1],
])("an iteration of 100 steps under %s takes the host at most %f ms", async (kind, most) => {
  const gpu = await testGpu();
  const job = await makeJob(gpu, { ...shapeNamed("anchor"), batch: 3, units: 13, inputs: 3, outputs: 5 }, kind);
  const clock = new Clock(gpu, ITERATIONS);
  try {
    const kernel = job.program.clockKernel ?? expect.fail("training keeps time");
    const times: number[] = [];
    for (let repeat = 0; repeat < 30; repeat++) {
      const began = performance.now();
      const encoder = gpu.device.createCommandEncoder({ label: "host time" });
      for (let slot = 0; slot < ITERATIONS; slot++) {
        clock.set(slot, kernel, { iteration: slot, slot: 0, progress: 0, correction1: 1, correction2: 1 });
        job.program.encode(encoder, "host time", clock, slot);
      }
      gpu.device.queue.submit([encoder.finish()]);
      times.push((performance.now() - began) / ITERATIONS);
      await gpu.idle();
    }
    const best = Math.min(...times);
    console.log(`${kind}: ${job.program.dispatches} dispatches, ${best.toFixed(3)} ms of the host at best`);
    expect(best).toBeLessThan(most);
  } finally {
    clock.destroy();
    job.destroy();
  }
});
