// Opens, uses and closes a device again and again, and prints by how many MiB the process has grown outside of its heap.
// Usage: node --expose-gc cycles.mjs DIST CYCLES
import { pathToFileURL } from "node:url";

const [dist, cycles] = process.argv.slice(2);
const { openGpu } = await import(pathToFileURL(`${dist}/gpu/open-node.js`).href);

async function cycle() {
  const gpu = await openGpu();
  const b = gpu.createBuffer("b", 1 << 20);
  gpu.write(b, new Uint32Array(1 << 18).fill(7));
  if (new Uint32Array(await gpu.read(b))[1000] !== 7) throw new Error("read something else than was written");
  await gpu.close();
}

// Outside the collector's own heap. Natives that wait for it are no leak.
async function nativeMiB() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { rss, heapTotal } = process.memoryUsage();
  return (rss - heapTotal) / 2 ** 20;
}

for (let i = 0; i < 10; i++) await cycle();
const before = await nativeMiB();
for (let i = 0; i < Number(cycles); i++) await cycle();
process.stdout.write(`${(await nativeMiB()) - before}\n`);
process.exit(0);
