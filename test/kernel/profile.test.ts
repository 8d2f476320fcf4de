/** Ceilings, timers and a whole profile on the adapter at hand, at a tiny size. */
import { describe, expect, test } from "vitest";
import { Program } from "../../src/gpu/program.ts";
import { bindingsOf, measureCeilings } from "../../src/profile/ceilings.ts";
import { makeJob } from "../../src/profile/jobs.ts";
import { profileShape } from "../../src/profile/profile.ts";
import { segmentsOf } from "../../src/profile/segments.ts";
import type { ProfileShape } from "../../src/profile/shapes.ts";
import { profileTable } from "../../src/profile/table.ts";
import { Timer } from "../../src/profile/timer.ts";
import { chromeTrace } from "../../src/profile/trace.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

const TINY: ProfileShape = { work: "train", networks: 2, batch: 20, steps: 5, units: 9, inputs: 2, outputs: 2 };

describe("microkernels", () => {
  test("fma_peak runs all its steps: x ← 2x from 1 gives 8 · 2^n", async () => {
    const gpu = await testGpu();
    const uniforms = { peak: { steps: 10, start: 1, a: 2, b: 0 } };
    const program = await Program.create(gpu, {
      name: "peak",
      kind: "step",
      notes: [],
      buffers: [{ name: "sums", bytes: 16 * 64, axes: "[64] quads" }],
      passes: [
        {
          kind: "dispatch",
          label: "peak",
          kernel: "profile/fma_peak",
          bind: { sums: { buffer: "sums" } },
          uniforms,
          groups: [1, 1, 1],
        },
      ],
    });
    await program.run({ label: "peak" });
    expect(new Set(await gpu.readF32(program.buffer("sums")))).toEqual(new Set([8 * 2 ** 10]));
    program.destroy();
  });

  test("ceilings are positive, and an empty dispatch is cheaper than a submit", async () => {
    const c = await measureCeilings(await testGpu(), 3);
    for (const s of [c.flopsPerSecond, c.bytesPerSecond, c.emptyDispatch]) expect(s.median).toBeGreaterThan(0);
    expect(c.emptyDispatch.median).toBeLessThan(c.roundTrip.median);
  });
});

describe("a profile", () => {
  test("accounts for the wall time, pass by pass", async () => {
    const gpu = await testGpu();
    const job = await makeJob(gpu, TINY, "step");
    const segments = segmentsOf(job.plan, (i) => bindingsOf(job.program, i));
    const timer = new Timer(gpu, job, segments);
    await timer.run();
    const run = await timer.run();
    timer.destroy();
    job.destroy();
    expect(segments.at(-1)?.to).toBe(job.plan.passes.length);
    if (!gpu.features.has("timestamp-query")) return;
    const timed = run.segments.flatMap((s) => (s ? [s] : []));
    expect(timed).toHaveLength(segments.length);
    for (const [i, s] of timed.entries()) {
      expect(s.seconds).toBeGreaterThanOrEqual(0);
      const before = timed[i - 1];
      // In order, and never two at once.
      if (before) expect(s.begin).toBeGreaterThanOrEqual(before.begin + before.seconds - 1e-6);
    }
    expect(run.span).toBeLessThanOrEqual(run.wall);
    expect(run.host).toBeLessThanOrEqual(run.wall);
  });

  test.each(["train", "replay"] as const)(
    "of a %s prints a line a pass, and its trace holds them all",
    async (work) => {
      const gpu = await testGpu();
      const profile = await profileShape(gpu, { shape: { ...TINY, work }, kind: "step", repeats: 2 });
      const table = profileTable(profile, gpu.adapter.name);
      for (const p of profile.passes) expect(table).toContain(p.label);
      const { traceEvents } = chromeTrace(profile, gpu.adapter.name);
      if (gpu.features.has("timestamp-query"))
        for (const p of profile.passes.filter((x) => x.kernel !== "copy"))
          expect(traceEvents.some((e) => e.name === p.label && e.ph === "X")).toBe(true);
      const { rest } = profile.whole;
      if (!rest) return;
      // An adapter that begins while the host encodes does both at once: no time is negative.
      const account = (median: number) =>
        profileTable({ ...profile, whole: { ...profile.whole, rest: { ...rest, median } } }, "");
      expect(account(-0.005)).toContain(" − host and passes at once 5.00 ms (");
      expect(account(0.005)).toContain(" + submit and wait 5.00 ms (");
    },
  );
});
