/** Padding stays exactly 0 on the device, though every buffer starts as NaN here (decision 2). */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeviceBuffer, Gpu } from "../../src/gpu/context.ts";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import { Clock, Program } from "../../src/gpu/program.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import { adapterSpec } from "../../src/kernels/spec.ts";
import { packRows } from "../../src/model/rows.ts";
import { replayPlanOf } from "../../src/replay/replay.ts";
import { uploadWeights } from "../../src/run/weights.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { quiescent, quiet, someWeights } from "../replay/quiescent.ts";
import { model, network, step, training } from "../train/experiments.ts";

gpuHygiene();

/** N = 13 pads to 16, O = 2 to 4, five rows of each of two networks to 32. */
const [N, O, B, S, T] = [13, 2, 5, 2, 9];
const [UNITS, OUTPUTS, ROWS] = [16, 4, 32];
const MODEL = model(N);
const MODIFIED = step({ friction: 0.8, adaptStrength: 0.05, adaptTau: 20 });

/** Which element of [slots][rows][width] is padding, rows and columns alike. */
const padding =
  (columns: number, width: number) =>
  (i: number): boolean =>
    Math.floor(i / width) % ROWS >= B || i % width >= columns;

/** First padding element that is not 0, first other one that is not finite, and how many of either there are. */
function judge(data: Float32Array, isPadding: (i: number) => boolean) {
  const found = { dirty: -1, unwritten: -1 };
  let [paddings, zeros] = [0, 0];
  data.forEach((x, i) => {
    if (isPadding(i)) {
      paddings++;
      if (x !== 0 && found.dirty < 0) found.dirty = i;
    } else {
      if (x === 0) zeros++;
      if (!Number.isFinite(x) && found.unwritten < 0) found.unwritten = i;
    }
  });
  return { ...found, someOfBoth: paddings > 0 && zeros < data.length - paddings };
}

const CLEAN = { dirty: -1, unwritten: -1, someOfBoth: true };

describe.each(PLAN_KINDS)("training, %s", (kind) => {
  let gpu: Gpu;
  let trainer: Trainer;

  beforeAll(async () => {
    gpu = await testGpu();
    const networks = [network(1, { step: MODIFIED }), network(2)];
    trainer = await Trainer.create(gpu, training(networks, { model: MODEL, batch: B, steps: T, iterations: 3, kind }));
    await trainer.run({});
  });
  afterAll(() => trainer.destroy());

  const read = (name: string): Promise<Float32Array> => gpu.readF32(trainer.buffers.get(name) as DeviceBuffer);

  test.each([
    ["states", N, UNITS],
    ["extra", N, UNITS],
    ["du", N, UNITS],
    ["carry", N, UNITS],
    ["y", O, OUTPUTS],
    ["positions", 2, 2],
    ["input", 2, 2],
    ["e0", 2, 2],
  ] as const)("rows and columns of %s", async (name, columns, width) => {
    expect(judge(await read(name), padding(columns, width))).toEqual(CLEAN);
  });

  test("losses of padded rows", async () => {
    const used = (await read("loss_rows")).subarray(0, S * T * ROWS);
    expect(judge(used, (i) => i % ROWS >= B)).toEqual(CLEAN);
  });

  test("weights, gradients and moments outside their tensors", async () => {
    const { slices, stride } = MODEL.layout;
    const counted = new Set<number>();
    for (const { offset, shape, paddedShape } of Object.values(slices)) {
      for (let i = 0; i < shape[0]; i++)
        for (let j = 0; j < shape[1]; j++) counted.add(offset + i * paddedShape[1] + j);
    }
    expect(counted.size).toBe(MODEL.layout.count);
    for (const name of ["weights", "grads", "moment1", "moment2"]) {
      expect(
        judge(await read(name), (i) => !counted.has(i % stride)),
        name,
      ).toEqual(CLEAN);
    }
  });

  test("the transpose follows the weights after every update, padding included", async () => {
    const [weights, transpose] = [await read("weights"), await read("recurrent_t")];
    const { offset } = MODEL.layout.slices.W_rec;
    let wrong = 0;
    for (let s = 0; s < S; s++) {
      for (let i = 0; i < UNITS; i++) {
        for (let j = 0; j < UNITS; j++) {
          const w = weights[s * MODEL.layout.stride + offset + i * UNITS + j];
          if (transpose[(s * UNITS + j) * UNITS + i] !== w) wrong++;
        }
      }
    }
    expect(wrong).toBe(0);
  });
});

test.each(PLAN_KINDS)("replay, %s: states, momentum, adaptation, readouts", async (kind) => {
  const gpu = await testGpu();
  const layouts = recordLayouts(gpu.options.readShader);
  const seeds = [3, 4];
  const condition = quiet({ friction: 0.6, adaptStrength: 0.2, adaptTau: 10 });
  const spec = quiescent(seeds, { model: MODEL, conditions: seeds.map(() => [condition]), repeats: B, steps: T, kind });
  const { plan, chunks } = replayPlanOf(spec, adapterSpec(gpu), layouts);
  const shared = uploadWeights(
    gpu,
    MODEL,
    seeds.map((seed) => someWeights(MODEL, seed)),
  );
  const program = await Program.create(gpu, plan, shared);
  const clock = new Clock(gpu, 1);
  const rows = seeds.map((networkSeed) =>
    Array.from({ length: B }, (_, trajectory) => ({
      step: condition,
      networkSeed,
      trajectory,
      epoch: 0,
      maskEvery: 1,
      maskRandom: false,
    })),
  );
  expect(chunks.length).toBe(1);
  gpu.write(program.buffer(chunks[0]?.chunk.table as string), packRows(layouts.row, rows, ROWS));
  const record = { iteration: 0, slot: 0, progress: 0, correction1: 1, correction2: 1 };
  if (program.clockKernel) clock.set(0, program.clockKernel, record);
  await program.run({ label: "replay", clock });
  for (const [name, columns, width] of [
    ["states", N, UNITS],
    ["extra", N, UNITS],
    ["r_all", N, UNITS],
    ["y_all", O, OUTPUTS],
    ["e0", 2, 2],
  ] as const) {
    // A readout of a padded row is b_out, which nobody reads: only its padded columns are 0.
    const isPadding = name === "y_all" ? (i: number) => i % width >= columns : padding(columns, width);
    expect(judge(await gpu.readF32(program.buffer(name)), isPadding), name).toEqual(CLEAN);
  }
  program.destroy();
  clock.destroy();
  for (const b of shared.values()) gpu.destroyBuffer(b);
});
