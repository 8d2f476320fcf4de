// Does something again and again, and prints by how many MiB the process has grown outside of its heap since it was warm.
// A process of its own: what a test runner keeps for itself does not count.
//
// Usage: node --expose-gc growth.mjs DIST cycles|bare|iterations TIMES
//   cycles      opens, uses and closes a device
//   bare        the same calls of the `webgpu` package without ours: what the driver keeps
//   iterations  of training; prints the bytes by which the device's buffers have grown as well
import { pathToFileURL } from "node:url";

const [dist, what, times] = process.argv.slice(2);
const from = async (file) => import(pathToFileURL(`${dist}/${file}`).href);
const { openGpu } = await from("gpu/open-node.js");
const WORDS = 1 << 18;

async function cycle() {
  const gpu = await openGpu();
  const b = gpu.createBuffer("b", 4 * WORDS);
  gpu.write(b, new Uint32Array(WORDS).fill(7));
  if (new Uint32Array(await gpu.read(b))[1000] !== 7) throw new Error("read something else than was written");
  await gpu.close();
}

const DOUBLES = `@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] *= 2u; }`;

async function bareCycles() {
  const { preloadLocalDriver } = await from("gpu/local-driver.js");
  preloadLocalDriver();
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const owner = create([]);
  // Collected, they would take the process down.
  globalThis.pinned = [owner];
  return async () => {
    const adapter = await owner.requestAdapter();
    const device = await adapter.requestDevice();
    globalThis.pinned.push(adapter, device);
    const module = device.createShaderModule({ code: DOUBLES });
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = globals.GPUBufferUsage;
    const b = device.createBuffer({ size: 4 * WORDS, usage: STORAGE | COPY_SRC | COPY_DST });
    device.queue.writeBuffer(b, 0, new Uint32Array(WORDS).fill(7));
    const staging = device.createBuffer({ size: 4 * WORDS, usage: MAP_READ | COPY_DST });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [{ binding: 0, resource: { buffer: b } }];
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(b, 0, staging, 0, 4 * WORDS);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    if (new Uint32Array(staging.getMappedRange())[1000] !== 7) throw new Error("read something else than was written");
    staging.unmap();
    await device.queue.onSubmittedWorkDone();
    device.destroy();
  };
}

// Natives that wait for the collector are no leak.
async function nativeMiB() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { rss, heapTotal } = process.memoryUsage();
  return (rss - heapTotal) / 2 ** 20;
}

async function grownBy(once, warm) {
  for (let i = 0; i < warm; i++) await once();
  const before = await nativeMiB();
  for (let i = 0; i < Number(times); i++) await once();
  return (await nativeMiB()) - before;
}

async function iterations() {
  const [{ Trainer }, { loadConfig }, { trainSpecOf }] = await Promise.all(
    ["train/trainer.js", "config/load.js", "run/experiment.js"].map(from),
  );
  const gpu = await openGpu();
  const WARM = 500;
  const values = {
    "train.iterations": Number(times) + WARM,
    "task.steps": 6,
    "train.batch": 4,
    "rnn.units": 8,
    seeds: [1],
  };
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: "growth" }));
  const trainer = await Trainer.create(gpu, trainSpecOf(loadConfig({ preset: "tiny", overrides }).config, "own-row"));
  await trainer.run({ until: WARM });
  const [held, before] = [gpu.allocated, await nativeMiB()];
  await trainer.run({});
  const grown = (await nativeMiB()) - before;
  if (trainer.iteration !== Number(times) + WARM) throw new Error(`stopped at iteration ${trainer.iteration}`);
  return `${grown} ${gpu.allocated - held}`;
}

const grown =
  what === "iterations" ? await iterations() : await grownBy(what === "bare" ? await bareCycles() : cycle, 10);
process.stdout.write(`${grown}\n`);
process.exit(0);
