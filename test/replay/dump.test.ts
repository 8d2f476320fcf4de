/** A dump's windows: no seam between them whatever their size, and the GPU at work on the next while the host has one. */
import { expect, test } from "vitest";
import { replayJob } from "../../src/dump/jobs.ts";
import { runRollout } from "../../src/dump/rollout.ts";
import type { Gpu } from "../../src/gpu/context.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import { type AdapterSpec, adapterSpec } from "../../src/kernels/spec.ts";
import { uploadWeights } from "../../src/run/weights.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { quiescent, replayed, someWeights } from "./quiescent.ts";

gpuHygiene();

const SEEDS = [3, 8, 21];
const SPEC = quiescent(SEEDS);
const { steps: T, repeats: B } = SPEC;
const N = 16;
const NAMES = ["plain", "adaptation", "momentum", "both"];
const everything = { networks: [0, 1, 2], rows: [0, B], from: 0, to: T, every: 1, wants: () => true } as const;

/** Every array, put together by name and place. */
async function dumped(gpu: Gpu, limits: Partial<AdapterSpec>, onBlock: (array: string) => void = () => {}) {
  const weights = uploadWeights(
    gpu,
    SPEC.model,
    SEEDS.map((seed) => someWeights(SPEC.model, seed)),
  );
  const context = { adapter: { ...adapterSpec(gpu), ...limits }, records: recordLayouts(gpu.options.readShader) };
  const job = replayJob(SPEC, NAMES, { ...context, selection: everything });
  const found = new Map<string, number[]>();
  await runRollout(gpu, job, weights, everything, ({ array, origin, shape, data }) => {
    onBlock(array);
    const whole = found.get(array) ?? [];
    found.set(array, whole);
    const [times, width] = [/_(r|v|c)$/.test(array) ? T + 1 : T, shape.at(-1) as number];
    if (array.endsWith("e0")) return;
    for (let i = 0; i < data.length; i++) {
      const [t, row] = [Math.floor(i / width / (shape[2] as number)), Math.floor(i / width) % (shape[2] as number)];
      const [s, t0, row0] = origin as [number, number, number];
      whole[((s * times + t0 + t) * B + row0 + row) * width + (i % width)] = data[i] as number;
    }
  });
  for (const buffer of weights.values()) gpu.destroyBuffer(buffer);
  return { found, windows: job.plan.chunks.reduce((sum, c) => sum + c.windows.length, 0) };
}

test("windows and chunks of any size give the same bits, those of a replay", async () => {
  const gpu = await testGpu();
  const whole = await dumped(gpu, {});
  const split = await dumped(gpu, { maxBinding: 50_000 });
  expect(split.windows).toBeGreaterThan(3 * whole.windows);
  for (const [name, values] of whole.found) expect(split.found.get(name), name).toEqual(values);
  const replay = await replayed(gpu, SPEC);
  for (const [c, name] of NAMES.entries()) {
    const r = whole.found.get(`replay_${name}_r`) as number[];
    const kept = SEEDS.flatMap((_, s) => r.slice((s * (T + 1) + 1) * B * N, (s + 1) * (T + 1) * B * N));
    expect(Float32Array.from(kept)).toEqual(replay.conditions[c]?.states);
  }
});

test("the next window is with the GPU before the host begins to write one", async () => {
  const gpu = await testGpu();
  const { device } = gpu;
  const encoder = device.createCommandEncoder.bind(device);
  const events: string[] = [];
  // Encoded and submitted in one go.
  device.createCommandEncoder = (descriptor) => {
    events.push(descriptor?.label ?? "");
    return encoder(descriptor);
  };
  try {
    await dumped(gpu, { maxBinding: 50_000 }, () => events.push("write"));
  } finally {
    device.createCommandEncoder = encoder;
  }
  const order = events.filter((e, i) => e !== events[i - 1]).join(" ");
  // A window's passes, the copy for the host, and before that is written the next window's passes.
  expect(order).toMatch(/window copy window write copy window write/);
});
