/** Figure 12: what a device took it gives back, and neither submits nor iterations take more and more. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Trainer } from "../../src/train/trainer.ts";
import { testGpu } from "../gpu.ts";
import { buildProduct, freshEnvironment } from "../story/command-line.ts";
import { model, network, training } from "../train/experiments.ts";
import { record, scale } from "./record.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** MiB of the process outside the collector's own heap, after a collection: natives that wait for it are no leak. */
async function nativeMiB(): Promise<number> {
  collect();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  const { rss, heapTotal } = process.memoryUsage();
  return (rss - heapTotal) / 2 ** 20;
}

const tally: string[] = [];
const SCRIPT = fileURLToPath(new URL("cycles.mjs", import.meta.url));

const CYCLES = scale(20, 100);

test(`${CYCLES} devices opened, used and closed: at most 60 MB of growth`, () => {
  const product = buildProduct();
  try {
    const argv = ["--expose-gc", SCRIPT, join(product.folder, "dist"), String(CYCLES)];
    const { stdout, stderr, status } = spawnSync(process.execPath, argv, { encoding: "utf8", env: freshEnvironment() });
    expect(status, stderr).toBe(0);
    expect(Number(stdout)).toBeLessThan(60);
    tally.push(`${CYCLES} device cycles ${Number(stdout).toFixed(1)} MiB`);
  } finally {
    product.remove();
  }
}, 600_000);

const SUBMITS = scale(5_000, 50_000);

test(`${SUBMITS} submits: at most 20 MB of growth`, async () => {
  const gpu = await testGpu();
  const [from, to] = [gpu.createBuffer("from", 4096), gpu.createBuffer("to", 4096)];
  const submit = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const encoder = gpu.device.createCommandEncoder({ label: "copy" });
      encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, 4096);
      gpu.device.queue.submit([encoder.finish()]);
      if (i % 256 === 255) await gpu.idle();
    }
    await gpu.idle();
  };
  await submit(2000);
  const before = await nativeMiB();
  await submit(SUBMITS);
  const grown = (await nativeMiB()) - before;
  for (const b of [from, to]) gpu.destroyBuffer(b);
  expect(grown).toBeLessThan(20);
  tally.push(`${SUBMITS} submits ${grown.toFixed(1)} MiB`);
}, 600_000);

const ITERATIONS = scale(1_000, 10_000);

test(`${ITERATIONS} iterations: the device's bytes stay the same, the host's grow by at most 20 MB`, async () => {
  const gpu = await testGpu();
  const small = { model: model(8), steps: 6, batch: 4, iterations: ITERATIONS + 500, l2Activity: 0 };
  const trainer = await Trainer.create(gpu, training([network(1)], small));
  await trainer.run({ until: 500 });
  const [held, before] = [gpu.allocated, await nativeMiB()];
  await trainer.run({});
  const grown = (await nativeMiB()) - before;
  expect(gpu.allocated).toBe(held);
  expect(trainer.iteration).toBe(ITERATIONS + 500);
  trainer.destroy();
  expect(grown).toBeLessThan(20);
  tally.push(`${ITERATIONS} iterations ${grown.toFixed(1)} MiB, 0 bytes on the device`);
  // Of a figure that was missed there is nothing to write down.
  expect(tally).toHaveLength(3);
  record(
    "leaks",
    {
      order: 12,
      figure: "Growth of the process outside of its heap",
      required: "100 device cycles ≤ 60 MB, 50,000 submits ≤ 20 MB, device memory flat over 10,000 iterations",
      result: tally.join(", "),
      command: "npm run test:soak -- leaks",
    },
    gpu.adapter,
  );
}, 600_000);
