/**
 * Training on place cells, changes of their rates in and rates out, gives the same bits under a quarter of the usual
 * binding, at the size of the paper: 512 units and cells, 1024 rows, 100 steps. Some minutes on a CPU, so only with
 * REVERIE_SOAK=1; `test/train/determinism.test.ts` splits small networks at every border.
 */
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { type Plan, planBytes } from "../../src/gpu/plan.ts";
import { trainSpecOf } from "../../src/run/experiment.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { expectSameNetwork, limited, networkOf, trained } from "../train/experiments.ts";
import { record, SOAK } from "./record.ts";

gpuHygiene();

const [N, B, T] = [512, 1024, 100];
const MIB = 1 << 20;

/** Bytes of the largest binding of a plan. */
function largestBinding(plan: Plan): number {
  const sizes = new Map(plan.buffers.map((b) => [b.name, b.bytes]));
  const views = plan.passes.flatMap((p) => (p.kind === "dispatch" ? Object.values(p.bind) : []));
  return Math.max(...views.map((v) => v.bytes ?? (sizes.get(v.buffer) as number) - (v.offset ?? 0)));
}

test.runIf(SOAK)("a quarter of the usual binding changes no bit", { timeout: 3_600_000 }, async () => {
  const gpu = await testGpu();
  const { config } = loadConfig({
    preset: "place-large",
    set: [
      "task.input=codeDelta",
      `rnn.units=${N}`,
      `task.cells.count=${N}`,
      `task.steps=${T}`,
      `train.batch=${B}`,
      "train.iterations=1",
    ],
  });
  const spec = trainSpecOf(config, "own-row");
  const usual = Math.min(gpu.limits.maxStorageBufferBindingSize, 128 * MIB);
  // Of a fast adapter: on a slow one the length of a dispatch cuts windows before a binding does.
  const of = (maxBinding: number) =>
    trained(gpu, { ...spec, adapter: limited(gpu, { maxBinding, flopsPerSecond: 1e13 }) });
  const whole = await of(usual);
  const quarter = usual / 4;
  expect(largestBinding(whole.batch.plan)).toBeGreaterThan(quarter);
  const split = await of(quarter);
  expect(largestBinding(split.batch.plan)).toBeLessThanOrEqual(quarter);
  expect(split.batch.plan.passes.length).toBeGreaterThan(whole.batch.plan.passes.length);
  expectSameNetwork("a quarter", networkOf(split, 0), networkOf(whole, 0));
  expect(whole.stats[0]?.gradNorm[0]).toBeGreaterThan(0);
  record(
    "place-cells",
    {
      order: 20,
      figure: `place cells, N = N_pc = ${N}, ${B} rows, ${T} steps, input in code space`,
      required: "same bits under a quarter of the usual binding",
      result: `weights, moments, loss and norm the same bits with bindings of at most ${Math.round(quarter / 1024)} KiB (${split.batch.plan.passes.length} passes) as with ${Math.round(largestBinding(whole.batch.plan) / 1024)} KiB (${whole.batch.plan.passes.length}); ${(planBytes(split.batch.plan) / 1e6).toFixed(1)} MB on the device`,
      command: "npm run test:soak -- place-cells",
    },
    gpu.adapter,
  );
});
