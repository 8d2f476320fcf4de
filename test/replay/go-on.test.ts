/** Rollouts that go on from given states (r, v, c): against float64, and bit for bit against those that were never cut. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/context.ts";
import { cellParams } from "../../src/model/dynamics.ts";
import { STREAM } from "../../src/model/streams.ts";
import { philoxNoise, rolloutReference } from "../../src/reference/rollout.ts";
import { widenTensors } from "../../src/reference/tensors.ts";
import type { GivenStates, ReplayOutcome, ReplaySpec } from "../../src/replay/replay.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within, worst } from "../kernel/run-kernel.ts";
import { differences, expectSameBits, limited } from "../train/experiments.ts";
import { FOUR, freeWeights, ofNetwork, quiescent, quiet, replayed, someWeights } from "./quiescent.ts";

gpuHygiene();

const SEEDS = [3, 21];
const S = SEEDS.length;
const N = 16;
/** Every condition with its own noise, v and c of every step kept. */
const SPEC = quiescent(SEEDS, { pairedNoise: false, saveExtra: true });
const { steps: T, repeats: B } = SPEC;

let gpu: Gpu;
let whole: ReplayOutcome;

beforeAll(async () => {
  gpu = await testGpu();
  whole = await replayed(gpu, SPEC);
});

type History = "states" | "v" | "c";
const historyOf = (o: ReplayOutcome, c: number, name: History): Float32Array => o.conditions[c]?.[name] as Float32Array;

/** Steps [from, to) of a history (S, saved, repeats, N). */
function during(history: Float32Array, from: number, to: number): Float32Array {
  const saved = history.length / (S * B * N);
  const out = new Float32Array(S * (to - from) * B * N);
  for (let s = 0; s < S; s++) {
    out.set(history.subarray((s * saved + from) * B * N, (s * saved + to) * B * N), s * (to - from) * B * N);
  }
  return out;
}

/** (S, conditions · repeats, N) of what every condition has at time t. */
function statesAt(o: ReplayOutcome, t: number): GivenStates {
  const take = (name: History) => {
    const conditions = o.conditions.length;
    const out = new Float32Array(S * conditions * B * N);
    for (let c = 0; c < conditions; c++) {
      const slot = during(historyOf(o, c, name), t - 1, t);
      for (let s = 0; s < S; s++) out.set(ofNetwork(slot, S, s), (s * conditions + c) * B * N);
    }
    return out;
  };
  return { step: t, r: take("states"), v: take("v"), c: take("c") };
}

function expectSameFrom(what: string, got: ReplayOutcome, t: number): void {
  for (let c = 0; c < FOUR.length; c++) {
    for (const name of ["states", "v", "c"] as const) {
      const wanted = during(historyOf(whole, c, name), t, T);
      expectSameBits(`${what}, condition ${c}: ${name}`, historyOf(got, c, name), wanted);
    }
  }
}

test("what is kept of v and c is what the step makes of r, and keeping it changes no bit", async () => {
  const without = await replayed(gpu, { ...SPEC, saveExtra: false });
  for (let c = 0; c < FOUR.length; c++) {
    expectSameBits(`condition ${c}`, historyOf(without, c, "states"), historyOf(whole, c, "states"));
    expect(without.conditions[c]?.v).toBeNull();
  }
  // r' = r + v', rounded once; at b_a = 0 there is no c.
  const [r, v] = [historyOf(whole, 2, "states"), historyOf(whole, 2, "v")];
  const next = during(r, 1, T).map(
    (x, i) => x - Math.fround((during(r, 0, T - 1)[i] as number) + (during(v, 1, T)[i] as number)),
  );
  expect(next.every((d) => d === 0)).toBe(true);
  expect(historyOf(whole, 0, "c").every((x) => x === 0)).toBe(true);
  expect(historyOf(whole, 1, "c").some((x) => x !== 0)).toBe(true);
});

describe("a rollout that is cut and goes on is the one that never was", () => {
  test.each([1, 7, T - 1])("at step %i", async (t) => {
    expectSameFrom(`cut at ${t}`, await replayed(gpu, { ...SPEC, steps: T - t, goOn: statesAt(whole, t) }), t);
  });

  test("into blocks of rows and windows too", async () => {
    const adapter = limited(gpu, { maxBuffer: 65_000, maxBinding: 15_000 });
    const got = await replayed(gpu, { ...SPEC, steps: T - 7, goOn: statesAt(whole, 7), adapter });
    expect(got.plan.chunks.length).toBeGreaterThan(4);
    expectSameFrom("in pieces", got, 7);
  });

  test.each(["step", "tile-persistent"] as const)("under plan %s", async (kind) => {
    expectSameFrom(kind, await replayed(gpu, { ...SPEC, kind, steps: T - 7, goOn: statesAt(whole, 7) }), 7);
  });

  // The claim needs teeth: a little of one variable must show.
  test.each(["r", "v", "c"] as const)("and a thousandth more of a row's %s is seen", async (name) => {
    const given = statesAt(whole, 7);
    const touched = given[name].slice();
    // The first row of network 0 under momentum and adaptation; of its units some are silent, where c does not matter.
    for (let u = 0; u < N; u++) touched[3 * B * N + u] = (touched[3 * B * N + u] as number) + 2 ** -10;
    const got = await replayed(gpu, { ...SPEC, steps: T - 7, goOn: { ...given, [name]: touched } });
    const wanted = during(historyOf(whole, 3, "states"), 7, T);
    expect(differences(historyOf(got, 3, "states"), wanted).count).toBeGreaterThan(0);
  });
});

test("the same (r, v, c) after different histories goes on with the same bits", async () => {
  // With λ = 1, τ_a = 1 and every unit silent, a step forgets v and c but not r: two histories meet after it.
  const silent = freeWeights(SPEC.model.shape, {
    b: new Float32Array(N).fill(-4),
    W_rec: someWeights(SPEC.model, 3).W_rec,
  });
  const conditions = [[quiet({ adaptStrength: 0.5, adaptTau: 1 }), quiet({ adaptStrength: 0.5, adaptTau: 1 })]];
  const before = (k: number) =>
    Float32Array.from({ length: 2 * B * N }, (_, i) => (i < B * N ? 0.1 : k) * (1 + (i % 7)));
  const same = Float32Array.from({ length: 2 * B * N }, (_, i) => Math.sin(i % (B * N)));
  const spec: ReplaySpec = { ...SPEC, seeds: [3], conditions, noiseOf: [5, 5], steps: 12 };
  const goOn = { step: 4, r: same, v: before(0.3), c: before(0.9) };
  const got = await replayed(gpu, { ...spec, goOn }, [silent]);
  expect(differences(goOn.c.slice(0, B * N), goOn.c.slice(B * N)).count).toBe(B * N);
  for (const name of ["states", "v", "c"] as const) {
    expectSameBits(name, historyOf(got, 1, name), historyOf(got, 0, name));
  }
  expect(historyOf(got, 0, "c").some((x) => x !== 0)).toBe(true);
});

test("against float64, noise of the right steps, one-step mean without it", async () => {
  const given: GivenStates = {
    step: 9,
    r: Float32Array.from({ length: S * 2 * B * N }, (_, i) => Math.sin(0.7 * i)),
    v: Float32Array.from({ length: S * 2 * B * N }, (_, i) => 0.2 * Math.cos(0.3 * i)),
    c: Float32Array.from({ length: S * 2 * B * N }, (_, i) => 0.3 + 0.3 * Math.sin(1.1 * i)),
  };
  const both = quiet({ friction: 0.6, adaptStrength: 0.2, adaptTau: 10 });
  const own = [both, { ...both, noiseStd: 0 }];
  const spec: ReplaySpec = { ...SPEC, conditions: SEEDS.map(() => own), goOn: given };
  const got = await replayed(gpu, spec);
  let [error, largest] = [0, 0];
  SEEDS.forEach((seed, s) => {
    const weights = widenTensors(someWeights(spec.model, seed));
    own.forEach((condition, k) => {
      const params = Array.from({ length: B }, () => cellParams(condition));
      const rows = (x: Float32Array) => Float64Array.from(x.subarray((s * 2 + k) * B * N, (s * 2 + k + 1) * B * N));
      const key = [spec.model.rootSeed, seed] as const;
      const drawn = { T, B, N, stream: STREAM.replayNoise, epoch: k, key, trajectory0: 0, params, step0: given.step };
      const wanted = rolloutReference({
        ...{ shape: spec.model.shape, weights, activation: "relu", leakySlope: 0.01, params, T, B, u: null },
        ...{ e0: new Float64Array(), r0: rows(given.r), v0: rows(given.v), c0: rows(given.c) },
        noise: philoxNoise(drawn),
      });
      for (const [name, twin] of [
        ["states", wanted.r],
        ["v", wanted.v],
        ["c", wanted.c],
      ] as const) {
        const mine = ofNetwork(historyOf(got, k, name), S, s);
        const after = twin.subarray(B * N);
        error = Math.max(error, worst(after.length, (i) => Math.abs((mine[i] as number) - (after[i] as number))).error);
      }
      largest = Math.max(largest, ...wanted.r.map(Math.abs));
    });
  });
  expect(largest).toBeLessThan(10);
  // Decision 19: 1e-5 · max(1, max |r|).
  within("r, v and c", error / Math.max(1, largest), 1e-5);
});

test("nothing goes on from step 0", async () => {
  const goOn = { ...statesAt(whole, 1), step: 0 };
  await expect(replayed(gpu, { ...SPEC, goOn })).rejects.toThrow("goes on from step 1 or later, not 0");
});
