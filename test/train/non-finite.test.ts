/** A network that diverges stops with its iteration, step, row and a remedy, and its neighbours never notice. */
import { beforeAll, describe, expect, test } from "vitest";
import type { DeviceBuffer, Gpu } from "../../src/gpu/context.ts";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import { readField, recordLayouts } from "../../src/kernels/records.ts";
import { cellParams } from "../../src/model/dynamics.ts";
import { transposeRecurrent, unpackParameters } from "../../src/model/parameters.ts";
import { STREAM } from "../../src/model/streams.ts";
import { philoxNoise, rolloutReference } from "../../src/reference/rollout.ts";
import { widenTensors } from "../../src/reference/tensors.ts";
import { awakePathsReference } from "../../src/reference/train-step.ts";
import type { PathTask } from "../../src/task/paths.ts";
import { describeNetwork, type Outcome } from "../../src/train/outcome.ts";
import type { NetworkSpec, TrainSpec } from "../../src/train/spec.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import {
  expectSameNetwork,
  limited,
  network,
  networkOf,
  step,
  type Trained,
  trained,
  training,
} from "./experiments.ts";

gpuHygiene();

const GOOD = [network(3), network(21, { maskEvery: 2 })] as const;
const NAN = new Float32Array(new Uint32Array([0x7fc00000]).buffer);
const MINUS_NAN = new Float32Array(new Uint32Array([0xffc00001]).buffer);
const INFINITE = Float32Array.of(Number.POSITIVE_INFINITY);

let gpu: Gpu;
let undisturbed: Trained;

beforeAll(async () => {
  gpu = await testGpu();
  undisturbed = await trained(gpu, training(GOOD));
});

/** The bad network stands between the good ones. */
const beside = (bad: NetworkSpec, own: Partial<TrainSpec> = {}): TrainSpec => training([GOOD[0], bad, GOOD[1]], own);

interface Run extends Trained {
  readonly outcome: Outcome;
}

async function run(spec: TrainSpec, plant: (trainer: Trainer) => Promise<void> = async () => {}): Promise<Run> {
  let outcome: Outcome | undefined;
  const got = await trained(gpu, spec, async (trainer, onStats) => {
    await plant(trainer);
    outcome = await trainer.run({ onStats });
  });
  return { ...got, outcome: outcome as Outcome };
}

function expectNeighboursUndisturbed(got: Trained): void {
  expectSameNetwork("before it", networkOf(got, 0), networkOf(undisturbed, 0));
  expectSameNetwork("behind it", networkOf(got, 2), networkOf(undisturbed, 1));
}

/** Smallest step, then row, whose squared error float32 cannot hold, when the weights of network 1 run once more. */
function firstBad(spec: TrainSpec, weights: Float32Array, iteration: number): { step: number; row: number } {
  const { shape, layout, rootSeed, activation, slope } = spec.model;
  const own = spec.networks[1] as NetworkSpec;
  const [T, B] = [spec.steps, spec.batch];
  const draw = { T, B, key: [rootSeed, own.seed] as const, epoch: iteration, trajectory0: 0 };
  const paths = awakePathsReference(spec.task as PathTask, {
    ...draw,
    stream: STREAM.trainPaths,
    maskEvery: own.maskEvery,
    maskOffset: "random",
  });
  const params = Array.from({ length: B }, () => cellParams(own.step));
  const { y } = rolloutReference({
    shape,
    weights: widenTensors(unpackParameters(layout, weights.subarray(layout.stride, 2 * layout.stride))),
    activation,
    leakySlope: slope,
    params,
    e0: paths.e0,
    u: paths.u,
    noise: philoxNoise({ ...draw, N: shape.units, stream: STREAM.awakeNoise, params }),
    T,
    B,
  });
  for (let t = 0; t < T; t++) {
    for (let row = 0; row < B; row++) {
      const at = (t * B + row) * 2;
      const error = (o: number) => (y[at + o] as number) - (paths.positions[at + B * 2 + o] as number);
      if (!(error(0) ** 2 + error(1) ** 2 < 2 ** 128)) return { step: t, row };
    }
  }
  throw new Error("this rollout stays finite");
}

function expectStopped(got: Run, where: { iteration: number; step: number; row: number }): void {
  const { outcome } = got;
  expect(outcome.networks).toEqual([{ kind: "completed" }, { kind: "nonFinite", ...where }, { kind: "completed" }]);
  expect(outcome.kind).toBe("nonFinite");
  expect(outcome.remedy).toMatch(/^lower .*learningRate.*gain/);
  const line = describeNetwork(1, 8, outcome.networks[1] as Outcome["networks"][number]);
  expect(line).toMatch(
    new RegExp(
      `^network 1 \\(seed 8\\) stopped at iteration ${where.iteration}: .*step ${where.step}, row ${where.row}; lower `,
    ),
  );
  // The network keeps its last finite weights, though the gradient of the iteration that stopped it was not finite.
  for (const data of Object.values(networkOf(got, 1)).slice(0, 3)) expect(data.every(Number.isFinite)).toBe(true);
  expectNeighboursUndisturbed(got);
}

describe.each(PLAN_KINDS)("diverging, %s", (kind) => {
  test("by its gain: the first iteration, at the step where float32 ends", async () => {
    const spec = beside(network(8, { step: step({ gain: 1e6 }) }), { kind });
    const got = await run(spec);
    const where = firstBad(spec, got.state.weights, 0);
    expect(where.step).toBeGreaterThan(0);
    expectStopped(got, { iteration: 0, ...where });
    expect(got.stats.map((s) => s.status[1])).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test("by its learning rate: after the update that ruined it", async () => {
    const spec = beside(network(8, { learningRate: 1e9, finalLearningRate: 1e9 }), { kind });
    const got = await run(spec);
    expectStopped(got, { iteration: 1, ...firstBad(spec, got.state.weights, 1) });
    expect(got.stats.map((s) => s.status[1])).toEqual([0, 2, 2, 2, 2, 2]);
  });
});

/** Writes one float into the weights of network 1, and into the transpose where it belongs there. */
async function plantWeight(trainer: Trainer, offset: number, value: Float32Array): Promise<void> {
  const { layout, shape } = trainer.spec.model;
  const buffers = trainer.buffers;
  const weights = await gpu.readF32(buffers.get("weights") as DeviceBuffer);
  new Uint32Array(weights.buffer)[layout.stride + offset] = new Uint32Array(value.buffer)[0] as number;
  gpu.write(buffers.get("weights") as DeviceBuffer, weights as Float32Array<ArrayBuffer>);
  gpu.write(buffers.get("recurrent_t") as DeviceBuffer, transposeRecurrent(shape, layout, weights));
}

describe("planted", () => {
  // Shader compilers may assume that there is no NaN: only the bits tell, whatever its sign and payload.
  test.each([
    ["NaN", NAN],
    ["NaN with its sign set", MINUS_NAN],
    ["infinity", INFINITE],
  ])("%s in the bias of the encoder: every row, from the first step on", async (_, value) => {
    const got = await run(beside(network(8)), (trainer) =>
      plantWeight(trainer, trainer.spec.model.layout.slices.b_enc.offset + 5, value),
    );
    expect(got.outcome.networks[1]).toEqual({ kind: "nonFinite", iteration: 0, step: 0, row: 0 });
    expectNeighboursUndisturbed(got);
  });

  test("NaN in the parameters of one row, of a batch in blocks and windows", async () => {
    // Row 37 lies in the second block of rows, which is a chunk of its own.
    const adapter = limited(gpu, { maxBinding: 22_000, maxBuffer: 27_000 });
    const spec = beside(network(8), { adapter });
    const got = await run(spec, async (trainer) => {
      const range = trainer.batch.chunkPasses.find(({ chunk }) => chunk.network0 === 1 && chunk.row0 === 32);
      const { row } = recordLayouts(gpu.options.readShader);
      const gain = row.fields.find((f) => f.name === "cell.gain");
      const table = trainer.buffers.get(range?.chunk.table as string) as DeviceBuffer;
      gpu.write(table, NAN, (37 - 32) * row.bytes + (gain?.offset as number));
    });
    expect(got.outcome.networks).toEqual([
      { kind: "completed" },
      { kind: "nonFinite", iteration: 0, step: 0, row: 37 },
      { kind: "completed" },
    ]);
    expectNeighboursUndisturbed(got);
  });

  test("a gradient that is not finite though the loss is", async () => {
    // r stays 0 without drive, noise and start; errors of 1e17 have finite squares, their gradient's squares not.
    const bad = network(8, { step: step({ noiseStd: 0, gain: 0 }) });
    const got = await run(beside(bad, { clipNorm: 0 }), async (trainer) => {
      const { layout } = trainer.spec.model;
      const weights = await gpu.readF32(trainer.buffers.get("weights") as DeviceBuffer);
      weights.fill(0, layout.stride, 2 * layout.stride);
      weights[layout.stride + layout.slices.b_enc.offset] = 1;
      weights[layout.stride + layout.slices.W_out.offset] = 1e18;
      gpu.write(trainer.buffers.get("weights") as DeviceBuffer, weights as Float32Array<ArrayBuffer>);
    });
    expect(got.stats[0]?.loss[1]).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(got.stats[0]?.gradNorm[1]).toBe(Number.POSITIVE_INFINITY);
    const stopped = got.outcome.networks[1] as Outcome["networks"][number];
    expect(stopped).toEqual({ kind: "nonFinite", iteration: 0 });
    expect(describeNetwork(1, 8, stopped)).toMatch(/stopped at iteration 0: not finite at its gradient; lower /);
  });

  test("a replayed neighbour of NaN weights stays finite", async () => {
    const trainer = await Trainer.create(gpu, beside(network(8)));
    await plantWeight(trainer, trainer.spec.model.layout.slices.W_rec.offset, NAN);
    const { mse } = await trainer.test(40);
    trainer.destroy();
    const clean = await Trainer.create(gpu, training(GOOD));
    const wanted = (await clean.test(40)).mse;
    clean.destroy();
    expect([mse[0], mse[2]]).toEqual(wanted);
    expect(mse[1]).toBeNaN();
  });
});

describe("a stopped network stays so", () => {
  const spec = beside(network(8, { learningRate: 1e9, finalLearningRate: 1e9 }));

  test("through a checkpoint, and its neighbours go on to the same bits", async () => {
    const first = await trained(gpu, spec, (trainer, onStats) => trainer.run({ until: 4, onStats }));
    expect(first.state.status).toEqual([0, 2, 0]);
    const { step: at, row } = firstBad(spec, first.state.weights, 1);
    const rows = first.batch.batchRows;
    expect(first.state.bad[1]).toBe(at * rows + row);
    let outcome: Outcome | undefined;
    const second = await trained(gpu, spec, async (trainer, onStats) => {
      trainer.load(first.state);
      outcome = await trainer.run({ onStats });
    });
    expect(outcome?.networks[1]).toEqual({ kind: "nonFinite", iteration: 1, step: at, row });
    expectNeighboursUndisturbed({ ...second, stats: [...first.stats, ...second.stats] });
    expectSameNetwork(
      "stopped",
      { weights: networkOf(second, 1).weights as Float32Array },
      { weights: networkOf(first, 1).weights as Float32Array },
    );
  });

  test("a finished run that is loaded again still says so, and a sound one that it is sound", async () => {
    const done = await trained(gpu, spec);
    const trainer = await Trainer.create(gpu, spec);
    trainer.load(done.state);
    const outcome = await trainer.run({});
    const fresh = await Trainer.create(gpu, spec);
    trainer.load(await fresh.state());
    const sound = await trainer.run({ until: 0 });
    trainer.destroy();
    fresh.destroy();
    expect(outcome.kind).toBe("nonFinite");
    expect(outcome.networks.map((n) => n.kind)).toEqual(["completed", "nonFinite", "completed"]);
    expect(sound.networks.map((n) => n.kind)).toEqual(["completed", "completed", "completed"]);
  });

  test("training ends early once none is left", async () => {
    const bad = (seed: number) => network(seed, { step: step({ gain: 1e6 }) });
    let outcome: Outcome | undefined;
    const got = await trained(gpu, training([bad(1), bad(2)], { iterations: 1000 }), async (trainer, onStats) => {
      outcome = await trainer.run({ onStats });
    });
    expect(outcome?.networks.map((n) => n.iteration)).toEqual([0, 0]);
    expect(got.state.iteration).toBeLessThan(200);
  });
});

test("status words of the device are read back as they are", () => {
  const { stats } = recordLayouts(gpu.options.readShader);
  const bytes = new ArrayBuffer(2 * stats.bytes);
  const at = (name: string) => stats.fields.find((f) => f.name === name)?.offset as number;
  new DataView(bytes).setUint32(stats.bytes + at("bad"), 0xfffffffe, true);
  expect(readField(stats, bytes, "bad")).toEqual([0, 0xfffffffe]);
});
