/**
 * Usage: node scripts/probe-adapter.mjs system|loader|unpacked
 *
 * Prints the adapter that Dawn gives by default, after a kernel with a known answer ran on it. A child of setup.sh,
 * since a broken driver may take its process with it. The modes: the system's own Vulkan; the loader unpacked into
 * .drivers/ with the system's drivers; loader and driver of .drivers/.
 *
 * Exits 0 with one line on stdout: "<adapter>, <driver> (GPU|software)"; 3 with the reason on stderr.
 */
const mode = process.argv[2];
if (mode !== "system") {
  const { preloadLocalDriver } = await import("../dist/gpu/local-driver.js");
  preloadLocalDriver(process.env.REVERIE_HOME);
}
if (mode === "loader") {
  delete process.env.VK_DRIVER_FILES;
  delete process.env.VK_ICD_FILENAMES;
}
const { create, globals } = await import("webgpu");

const LENGTH = 64;
const KERNEL = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@compute @workgroup_size(${LENGTH})
fn square(@builtin(global_invocation_id) id: vec3u) {
  values[id.x] = id.x * id.x + 7u;
}`;

/** Garbage-collecting this object would end the process (Dawn's instance lives in it). */
const gpu = create([]);
globalThis.probeGpu = gpu;

function refuse(reason) {
  console.error(reason);
  process.exit(3);
}

async function compute(device) {
  const { GPUBufferUsage, GPUMapMode } = globals;
  const bytes = LENGTH * Uint32Array.BYTES_PER_ELEMENT;
  const values = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: {
      module: device.createShaderModule({ code: KERNEL }),
      entryPoint: "square",
    },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: values } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(values, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  return new Uint32Array(staging.getMappedRange().slice(0));
}

const adapter = await gpu.requestAdapter();
if (!adapter) refuse("no Vulkan driver gives an adapter");
const { vendor, device: model, description, isFallbackAdapter } = adapter.info;
if (!description && !model) refuse("the adapter has no name: it computes nothing");
const device = await adapter.requestDevice();
device.addEventListener("uncapturederror", ({ error }) => refuse(`${model || description}: ${error.message}`));
const wrong = (await compute(device)).findIndex((value, index) => value !== index * index + 7);
if (wrong >= 0) refuse(`${model || description} computes wrong numbers (element ${wrong} of a known answer)`);
console.log(`${[vendor, model].filter(Boolean).join(" ")}, ${description} (${isFallbackAdapter ? "software" : "GPU"})`);
device.destroy();
