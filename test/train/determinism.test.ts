/** Same seed, same bits: however the batch is split, whatever the plan, and whoever trains beside it (decisions 6–8). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { CodeSpec } from "../../src/code/population.ts";
import type { Gpu } from "../../src/gpu/context.ts";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/io/checkpoint.ts";
import { type AdapterSpec, modelSpec } from "../../src/kernels/spec.ts";
import { checkpointArrays, statusWord, trainState } from "../../src/run/weights.ts";
import type { NetworkSpec } from "../../src/train/spec.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import {
  differences,
  expectSameBits,
  expectSameNetwork,
  launches,
  limited,
  model,
  network,
  networkOf,
  step,
  type Trained,
  trained,
  training,
} from "./experiments.ts";

gpuHygiene();

/** One plain, one with momentum and adaptation, one that differs in all a network may differ in. */
const NETWORKS: readonly NetworkSpec[] = [
  network(3),
  network(8, { step: step({ friction: 0.8, adaptStrength: 0.05, adaptTau: 20 }), maskEvery: 3 }),
  network(21, {
    step: step({ leak: 0.2, gain: 0.7, noiseStd: 0.02 }),
    maskEvery: 1,
    learningRate: 3e-3,
    finalLearningRate: 3e-3,
    initialGain: 0.2,
  }),
];
const SPEC = training(NETWORKS);
const OTHER_KINDS = PLAN_KINDS.filter((kind) => kind !== SPEC.kind);

let gpu: Gpu;
let whole: Trained;

beforeAll(async () => {
  gpu = await testGpu();
  whole = await trained(gpu, SPEC);
});

function expectSameTraining(what: string, got: Trained, wanted: Trained = whole): void {
  for (let s = 0; s < wanted.state.status.length; s++) {
    expectSameNetwork(`${what}, network ${s}`, networkOf(got, s), networkOf(wanted, s));
  }
}

test("the baseline learns, clips and is not split", () => {
  expect(whole.stats.map((s) => s.iteration)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(whole.state.iteration).toBe(6);
  for (const s of whole.stats) for (const norm of s.gradNorm) expect(norm).toBeGreaterThan(SPEC.clipNorm);
  expect(whole.batch.chunkPasses.length).toBe(1);
  expect(launches(whole.batch)).toMatchObject({ forward: 1, loss: 1, adjoint: 1 });
});

test("again", async () => {
  expectSameTraining("second run", await trained(gpu, SPEC));
});

test.each(OTHER_KINDS)("plan %s", async (kind) => {
  expectSameTraining(kind, await trained(gpu, { ...SPEC, kind }));
});

describe("split", () => {
  // A state slot of one network's block is 2 KiB, its partials (12 slices) are 21 KiB; maxBuffer holds 13 such slots.
  const ONE_BLOCK = { maxBinding: 22_000, maxBuffer: 27_000 };
  // Forward windows of 4 steps, gradient windows of 4, readout windows of 6, at 192 rows.
  const SHORT = { flopsPerSecond: 2e6 };
  const cases: [string, Partial<AdapterSpec>, { groups: number; chunks: number; windows: number }][] = [
    ["into windows of time", SHORT, { groups: 1, chunks: 1, windows: 3 }],
    ["into groups of networks", { maxBuffer: 60_000 }, { groups: 3, chunks: 3, windows: 1 }],
    ["into groups, blocks of rows and windows", ONE_BLOCK, { groups: 3, chunks: 6, windows: 2 }],
    ["into single steps", { ...ONE_BLOCK, flopsPerSecond: 1 }, { groups: 3, chunks: 6, windows: 12 }],
  ];
  describe.each(PLAN_KINDS)("%s", (kind) => {
    test.each(cases)("%s", async (_, limits, wanted) => {
      const got = await trained(gpu, { ...SPEC, kind, adapter: limited(gpu, limits) });
      const { groups, chunkPasses } = got.batch;
      expect({ groups: groups.length, chunks: chunkPasses.length }).toEqual({
        groups: wanted.groups,
        chunks: wanted.chunks,
      });
      const counts = launches(got.batch);
      if (kind !== "step") {
        expect(counts.forward).toBe(wanted.windows);
        expect(counts.adjoint).toBeGreaterThanOrEqual(wanted.windows === 1 ? 1 : 2);
      }
      if (wanted.windows > 1) for (const label of ["loss", "readout"]) expect(counts[label]).toBeGreaterThan(1);
      expectSameTraining(kind, got);
    });
  });

  // 11 steps of 32 rows: a network's losses take an odd multiple of 128 bytes, and bindings begin at multiples of 256.
  test("an odd number of steps, in groups of one network", async () => {
    const odd = { ...SPEC, steps: 11, batch: 20, iterations: 3 };
    const split = await trained(gpu, { ...odd, adapter: limited(gpu, { maxBuffer: 30_000 }) });
    expect(split.batch.groups.length).toBe(3);
    expectSameTraining("odd", split, await trained(gpu, odd));
  });

  // N = 10 pads to 12, whose 12 × 12 floats do not end on 256 bytes: groups hold multiples of four networks.
  test("units that are no multiple of the padding, in groups of four networks", async () => {
    const six = training(
      [0, 1, 2, 3, 4, 5].map((seed) => network(seed, { maskEvery: 1 + seed })),
      { model: model(10), batch: 5, steps: 9, iterations: 3 },
    );
    const split = await trained(gpu, { ...six, adapter: limited(gpu, { maxBuffer: 80_000 }) });
    expect(split.batch.groups.map((g) => g.networks)).toEqual([4, 2]);
    expectSameTraining("groups of four", split, await trained(gpu, six));
  });
});

describe("changes of 33 place cells in, their rates out", () => {
  const cells = 33;
  const centres = Array.from({ length: cells }, (_, i) => [Math.sin(i), Math.cos(2 * i)] as const);
  const code: CodeSpec = {
    population: { centres, width: 0.4, tuning: "softmax" },
    decoder: { method: "topK", k: 3 },
    deltaInput: true,
  };
  const shape = { units: 16, inputs: cells, outputs: cells, encoderInputs: cells };
  const spec = { ...training(NETWORKS.slice(0, 2)), model: modelSpec({ ...model(16), shape }), code };
  // A network's parameters take 13 KiB, its partials twelve times as much; at one flop a second,
  // windows are one step forward and one block of two in the gradient.
  const SMALL = { maxBinding: 170_000, maxBuffer: 170_000, flopsPerSecond: 1 };
  let coded: Trained;
  beforeAll(async () => {
    coded = await trained(gpu, spec);
  });

  test.each(PLAN_KINDS)("%s, whole and in pieces", async (kind) => {
    if (kind !== spec.kind) expectSameTraining(kind, await trained(gpu, { ...spec, kind }), coded);
    const split = await trained(gpu, { ...spec, kind, adapter: limited(gpu, SMALL) });
    expect(split.batch.groups.length).toBe(2);
    expect(launches(split.batch)["code change"]).toBe(spec.steps + spec.steps / 2);
    expectSameTraining(`${kind}, in pieces`, split, coded);
  });
});

describe("neighbours", () => {
  test.each([0, 1, 2])("network %d alone", async (s) => {
    const alone = await trained(gpu, training([NETWORKS[s] as NetworkSpec]));
    expectSameNetwork("alone", networkOf(alone, 0), networkOf(whole, s));
  });

  test("in another order, one of them twice", async () => {
    const order = [2, 0, 1, 0];
    const got = await trained(gpu, training(order.map((s) => NETWORKS[s] as NetworkSpec)));
    order.forEach((s, at) => {
      expectSameNetwork(`network ${s} at ${at}`, networkOf(got, at), networkOf(whole, s));
    });
  });

  test("another learning rate changes its own network only", async () => {
    const changed = NETWORKS.map((n, s) => (s === 1 ? { ...n, learningRate: 1.1e-3 } : n));
    const got = await trained(gpu, training(changed));
    for (const s of [0, 2]) expectSameNetwork(`network ${s}`, networkOf(got, s), networkOf(whole, s));
    expect(
      differences(networkOf(got, 1).weights as Float32Array, networkOf(whole, 1).weights as Float32Array).count,
    ).toBeGreaterThan(0);
    // The first loss belongs to the weights before any update.
    expect(got.stats[0]?.loss[1]).toBe(whole.stats[0]?.loss[1]);
    expect(got.stats[5]?.loss[1]).not.toBe(whole.stats[5]?.loss[1]);
  });
});

describe("other seeds give other bits", () => {
  test("of the root", async () => {
    const got = await trained(gpu, { ...SPEC, model: model(16, { rootSeed: 12 }), iterations: 1 });
    for (let s = 0; s < 3; s++) expect(got.stats[0]?.loss[s]).not.toBe(whole.stats[0]?.loss[s]);
  });

  test("of a network, and of no other", async () => {
    const got = await trained(
      gpu,
      training([{ ...(NETWORKS[0] as NetworkSpec), seed: 4 }, NETWORKS[1] as NetworkSpec]),
    );
    expectSameNetwork("network 1", networkOf(got, 1), networkOf(whole, 1));
    for (let i = 0; i < 6; i++) expect(got.stats[i]?.loss[0]).not.toBe(whole.stats[i]?.loss[0]);
  });
});

describe("pieces", () => {
  test("one iteration a submit", async () => {
    const got = await trained(gpu, SPEC, async (trainer, onStats) => {
      for (let i = 1; i <= 6; i++) await trainer.run({ until: i, onStats });
    });
    expectSameTraining("one by one", got);
  });

  test("compiled before, tested in between, interrupted at once", async () => {
    const got = await trained(gpu, SPEC, async (trainer, onStats) => {
      await trainer.warmUp(() => {});
      const none = await trainer.run({ onStats, signal: AbortSignal.abort() });
      expect(none.kind).toBe("interrupted");
      expect(trainer.iteration).toBe(0);
      await trainer.run({ until: 2, onStats });
      await trainer.test(40);
      await trainer.run({ onStats });
    });
    expectSameTraining("in pieces", got);
  });

  test("from a checkpoint on disk, in a trainer of its own and in another order of its buffers' past", async () => {
    const first = await trained(gpu, SPEC, (trainer, onStats) => trainer.run({ until: 3, onStats }));
    const directory = mkdtempSync(join(tmpdir(), "reverie-resume-"));
    try {
      saveCheckpoint(directory, {
        arrays: checkpointArrays(SPEC.model, first.state),
        meta: {
          iteration: first.state.iteration,
          shape: SPEC.model.shape,
          configHash: "none",
          rootSeed: SPEC.model.rootSeed,
          networkSeeds: NETWORKS.map((n) => n.seed),
          status: first.state.status.map((status, s) => statusWord(status, first.state.bad[s] as number)),
          adapter: gpu.adapter.name,
          driver: gpu.adapter.driver,
          lossHistoryLength: 3,
        },
      });
      const { arrays, meta } = loadCheckpoint(directory);
      const second = await trained(gpu, SPEC, async (trainer, onStats) => {
        await trainer.run({ until: 1 });
        trainer.load(trainState(SPEC.model, arrays, meta.iteration, meta.status));
        await trainer.run({ onStats });
      });
      expectSameTraining("resumed", { ...second, stats: [...first.stats, ...second.stats] });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

describe("test error", () => {
  test("the same when split, under the other plans, and beside others; trajectories do not depend on their number", async () => {
    const trainer = await Trainer.create(gpu, SPEC);
    const all = await trainer.test(70, { keep: true });
    const fewer = await trainer.test(33, { keep: true });
    trainer.destroy();
    const variants = [
      ...OTHER_KINDS.map((kind) => ({ ...SPEC, kind })),
      { ...SPEC, adapter: limited(gpu, { maxBinding: 22_000, maxBuffer: 27_000, flopsPerSecond: 2e6 }) },
    ];
    for (const spec of variants) {
      const other = await Trainer.create(gpu, spec);
      const got = await other.test(70, { keep: true });
      other.destroy();
      expect(got.mse).toEqual(all.mse);
      for (const key of ["positions", "readout", "last"] as const) {
        expectSameBits(`${spec.kind} ${key}`, got[key] as Float32Array, all[key] as Float32Array);
      }
    }
    const lone = await Trainer.create(gpu, training([NETWORKS[2] as NetworkSpec]));
    expect((await lone.test(70)).mse).toEqual(all.mse.slice(2));
    lone.destroy();
    for (let s = 0; s < 3; s++) {
      for (let t = 0; t < 12; t++) {
        const from = (s * 12 + t) * 70 * 2;
        const to = (s * 12 + t) * 33 * 2;
        expectSameBits(
          `network ${s}, step ${t}`,
          (fewer.readout as Float32Array).slice(to, to + 66),
          (all.readout as Float32Array).slice(from, from + 66),
        );
      }
    }
  });
});
