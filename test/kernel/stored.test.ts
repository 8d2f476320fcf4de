/**
 * Activations stored as float16: every plan gives the same bits, half the bytes, and a loss and gradient near float32's.
 * The bounds: a stored number is off by 2⁻¹¹ of itself, and T steps of the recurrence add such errors up.
 */
import { describe, expect, test } from "vitest";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import type { StoredAs } from "../../src/model/stored.ts";
import { makeJob } from "../../src/profile/jobs.ts";
import type { ProfileShape } from "../../src/profile/shapes.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

const SHAPE: ProfileShape = { work: "train", networks: 2, batch: 20, steps: 12, units: 13, inputs: 2, outputs: 3 };

async function iteration(kind: (typeof PLAN_KINDS)[number], stored: StoredAs, shape = SHAPE) {
  const gpu = await testGpu();
  const job = await makeJob(gpu, { ...shape, stored }, kind);
  try {
    await job.program.run({ label: "iteration", clock: job.clock });
    const f32 = async (name: string) => gpu.readF32(job.program.buffer(name));
    const bytes = job.program.buffer("states").bytes;
    return { grads: await f32("grads"), losses: await f32("loss_rows"), weights: await f32("weights"), bytes };
  } finally {
    job.destroy();
  }
}

const norm = (x: Float32Array) => Math.hypot(...x);
const distance = (a: Float32Array, b: Float32Array) => norm(a.map((x, i) => x - (b[i] as number))) / norm(b);
const words = (x: Float32Array) => new Uint32Array(x.buffer, x.byteOffset, x.length);

// Two precisions of a dozen kernels each are compiled here.
const COMPILING = 300_000;

describe("float16 storage", () => {
  test(
    "is within a few units of its last digit of float32, in half the bytes",
    async () => {
      const [half, wide] = [await iteration("step", "f16"), await iteration("step", "f32")];
      expect(half.bytes).toBe(wide.bytes / 2);
      const [loss, gradient] = [distance(half.losses, wide.losses), distance(half.grads, wide.grads)];
      console.log(
        `float16 storage: losses differ by ${loss.toExponential(1)}, gradients by ${gradient.toExponential(1)}`,
      );
      expect(loss).toBeLessThan(2e-3);
      expect(gradient).toBeLessThan(5e-3);
      // It is float16: float32 would be a thousand times nearer.
      expect(gradient).toBeGreaterThan(1e-6);
    },
    COMPILING,
  );

  test.each([
    ["few inputs", SHAPE],
    ["many inputs and a wide readout", { ...SHAPE, inputs: 20, outputs: 33, steps: 4 }],
  ])(
    "has the same bits under every plan: %s",
    async (_, shape) => {
      const [first, ...others] = await Promise.all(PLAN_KINDS.map((kind) => iteration(kind, "f16", shape)));
      for (const other of others) {
        expect(words(other.losses)).toEqual(words(first?.losses as Float32Array));
        expect(words(other.grads)).toEqual(words(first?.grads as Float32Array));
      }
    },
    COMPILING,
  );
});
