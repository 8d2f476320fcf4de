/** Training holds what it allocated at the start, and gives it back (reliability.md, figure 12). */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within } from "../kernel/run-kernel.ts";
import { quiescent, replayed } from "../replay/quiescent.ts";
import { model, network, training } from "./experiments.ts";

gpuHygiene();

test("device bytes: constant over iterations, none left behind", async () => {
  const gpu = await testGpu();
  const before = gpu.allocated;
  const trainer = await Trainer.create(gpu, training([network(1), network(2)], { iterations: 200 }));
  const held = gpu.allocated;
  const needed = trainer.batch.plan.buffers.reduce((sum, b) => sum + b.bytes, 0);
  expect(held - before).toBeGreaterThanOrEqual(needed);
  for (const until of [1, 50, 200]) {
    await trainer.run({ until });
    expect(gpu.allocated).toBe(held);
  }
  await trainer.test(50, { keep: true });
  await trainer.warmUp(() => {});
  expect(gpu.allocated).toBe(held);
  trainer.destroy();
  expect(gpu.allocated).toBe(before);
  await replayed(gpu, quiescent([1]));
  expect(gpu.allocated).toBe(before);
});

/** Bytes of the process outside the collector's heap, after a collection: what Dawn, the driver and buffers hold. */
function nativeBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { rss, heapTotal } = process.memoryUsage();
  return rss - heapTotal;
}

test("host bytes: flat over 2000 small iterations", async () => {
  const gpu = await testGpu();
  const small = training([network(1)], { model: model(8), steps: 6, batch: 4, iterations: 3000, l2Activity: 0 });
  const trainer = await Trainer.create(gpu, small);
  const seen: number[] = [];
  const held: number[] = [];
  // Pools of the driver fill up first; wrappers of native objects wait for the collector.
  await trainer.run({ until: 500, onStats: (s) => seen.push(s.iteration) });
  while (trainer.iteration < 3000) {
    held.push(nativeBytes());
    await trainer.run({ until: trainer.iteration + 100, onStats: (s) => seen.push(s.iteration) });
  }
  trainer.destroy();
  expect(seen).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  const grown = Math.min(...held.slice(-5)) - Math.min(...held.slice(0, 5));
  // One wrapper of a command buffer leaked by each iteration would be twice this.
  within("growth over 2000 iterations, MiB", Math.max(0, grown) / 2 ** 20, 10);
});
