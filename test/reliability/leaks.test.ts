/** Figure 12: what a device took it gives back, and neither submits nor iterations take more and more. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testGpu } from "../gpu.ts";
import { type BuiltCommandLine, buildProduct, freshEnvironment } from "../story/command-line.ts";
import { record, SOAK, scale } from "./record.ts";

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
const SCRIPT = fileURLToPath(new URL("growth.mjs", import.meta.url));

let product: BuiltCommandLine;
beforeAll(() => {
  product = buildProduct();
});
afterAll(() => product?.remove());

/** What a process prints that does something so often: MiB of growth, and bytes on the device. */
function grown(what: string, times: number): number[] {
  const argv = ["--expose-gc", SCRIPT, join(product.folder, "dist"), what, String(times)];
  const run = spawnSync(process.execPath, argv, { encoding: "utf8", env: freshEnvironment(), cwd: product.folder });
  expect(run.status, run.stderr).toBe(0);
  return run.stdout.trim().split(" ").map(Number);
}

const CYCLES = scale(20, 100);

test(`${CYCLES} devices opened, used and closed: at most 60 MB of growth`, () => {
  const [ours] = grown("cycles", CYCLES) as [number];
  expect(ours).toBeLessThan(60);
  const bare = SOAK ? ` (${grown("bare", CYCLES)[0]?.toFixed(1)} MiB without reverie: the driver's)` : "";
  tally.push(`${CYCLES} device cycles ${ours.toFixed(1)} MiB${bare}`);
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
  const [host, device] = grown("iterations", ITERATIONS) as [number, number];
  expect(device).toBe(0);
  expect(host).toBeLessThan(20);
  tally.push(`${ITERATIONS} iterations ${host.toFixed(1)} MiB, ${device} bytes on the device`);
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
    (await testGpu()).adapter,
  );
}, 600_000);
