/** Same seed, same replay: however rows, networks and steps are split, whatever is kept, and whoever replays beside. */
import { beforeAll, describe, expect, test, vi } from "vitest";
import { OutOfDeviceMemory } from "../../src/errors.ts";
import type { Gpu } from "../../src/gpu/context.ts";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import { Program } from "../../src/gpu/program.ts";
import type { AdapterSpec } from "../../src/kernels/spec.ts";
import type { StepParameters } from "../../src/model/dynamics.ts";
import type { ReplayPlan } from "../../src/replay/plan.ts";
import type { ReplayOutcome, ReplaySpec } from "../../src/replay/replay.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { differences, expectSameBits, limited, model } from "../train/experiments.ts";
import { expectSameReplay, expectSameReplays, FOUR, ofNetwork, quiescent, quiet, replayed } from "./quiescent.ts";

gpuHygiene();

const SEEDS = [3, 8, 21];
const S = SEEDS.length;
const SPEC = quiescent(SEEDS);
const { steps: T, repeats: B } = SPEC;
const [N, O] = [16, 2];

let gpu: Gpu;
let whole: ReplayOutcome;

beforeAll(async () => {
  gpu = await testGpu();
  whole = await replayed(gpu, SPEC);
});

const stateOf = (outcome: ReplayOutcome, c: number): Float32Array => outcome.conditions[c]?.states as Float32Array;

/** Forward launches of the plan's first chunk. */
const forwards = ({ plan, chunks }: ReplayPlan): number =>
  plan.passes.slice(chunks[0]?.from, chunks[0]?.to).filter((p) => p.label === "forward").length;

const groupsOf = ({ chunks }: ReplayPlan): number => new Set(chunks.map(({ chunk }) => chunk.network0)).size;

test("the baseline is not split, and its conditions differ", () => {
  expect(whole.kind).toBe("completed");
  expect(whole.rowSteps).toBe(S * FOUR.length * B * T);
  expect({ chunks: whole.plan.chunks.length, forwards: forwards(whole.plan) }).toEqual({ chunks: 1, forwards: 1 });
  for (const c of [1, 2, 3]) {
    expect(differences(stateOf(whole, c), stateOf(whole, 0)).count).toBeGreaterThan(0.5 * S * T * B * N);
  }
});

test("again", async () => {
  expectSameReplays("second run", await replayed(gpu, SPEC), whole);
});

test("on a device that had no room at first", async () => {
  const create = vi.spyOn(Program, "create").mockRejectedValueOnce(new OutOfDeviceMemory("no room"));
  const outcome = await replayed(gpu, SPEC);
  const calls = create.mock.calls.length;
  create.mockRestore();
  expect(calls).toBe(2);
  expectSameReplays("second attempt", outcome, whole);
});

describe("split", () => {
  // Kept of a row: 24 steps × (4 + 16) floats, 1920 bytes; of a slot of 32 rows: 2 KiB. 25 repeats straddle every border.
  const cases: [string, Partial<AdapterSpec>, { groups: number; chunks: number; forwards: number }][] = [
    ["into groups of networks", { maxBuffer: 300_000 }, { groups: 3, chunks: 3, forwards: 1 }],
    ["into blocks of rows", { maxBuffer: 130_000 }, { groups: 3, chunks: 6, forwards: 1 }],
    ["into windows", { maxBinding: 200_000 }, { groups: 1, chunks: 1, forwards: 4 }],
    ["into launches", { flopsPerSecond: 4e6 }, { groups: 1, chunks: 1, forwards: 5 }],
    ["into all of these", { maxBuffer: 65_000, maxBinding: 15_000 }, { groups: 3, chunks: 12, forwards: 4 }],
    ["into single steps", { flopsPerSecond: 1 }, { groups: 1, chunks: 1, forwards: T }],
  ];
  test.each(cases)("%s", async (_, limits, wanted) => {
    const got = await replayed(gpu, { ...SPEC, adapter: limited(gpu, limits) });
    const { plan } = got;
    expect({ groups: groupsOf(plan), chunks: plan.chunks.length, forwards: forwards(plan) }).toEqual(wanted);
    expectSameReplays("split", got, whole);
  });

  test.each(PLAN_KINDS.filter((kind) => kind !== SPEC.kind))("plan %s, whole and split", async (kind) => {
    for (const limits of [{}, { maxBuffer: 65_000, maxBinding: 15_000 }]) {
      const got = await replayed(gpu, { ...SPEC, kind, adapter: limited(gpu, limits) });
      expectSameReplays(kind, got, whole);
    }
  });

  test("padded units, from given states, in groups of four networks", async () => {
    const seeds = [0, 1, 2, 3, 4, 5];
    const startStates = Float32Array.from({ length: seeds.length * 7 * 10 }, (_, i) => Math.sin(i));
    const spec = quiescent(seeds, { model: model(10), repeats: 7, startStates });
    const split = await replayed(gpu, { ...spec, adapter: limited(gpu, { maxBuffer: 220_000, maxBinding: 40_000 }) });
    expect(new Set(split.plan.chunks.map(({ chunk }) => chunk.networks))).toEqual(new Set([4, 2]));
    expect(forwards(split.plan)).toBeGreaterThan(1);
    expectSameReplays("groups of four", split, await replayed(gpu, spec));
  });
});

describe("what is kept", () => {
  test.each([2, 5, 24])("every %d steps: the same, less of it", async (saveEvery) => {
    // Windows of 7 steps do not end on the steps that are kept.
    const got = await replayed(gpu, { ...SPEC, saveEvery, adapter: limited(gpu, { maxBinding: 200_000 }) });
    expect(forwards(got.plan)).toBe(4);
    const kept = Math.floor(T / saveEvery);
    const subset = (all: Float32Array, width: number): Float32Array => {
      const slot = B * width;
      const out = new Float32Array(S * kept * slot);
      for (let s = 0; s < S; s++) {
        for (let t = 0; t < kept; t++) {
          const from = (s * T + (t + 1) * saveEvery - 1) * slot;
          out.set(all.subarray(from, from + slot), (s * kept + t) * slot);
        }
      }
      return out;
    };
    FOUR.forEach((_, c) => {
      const [thin, full] = [got.conditions[c], whole.conditions[c]];
      expectSameBits(
        `condition ${c}: readout`,
        thin?.readout as Float32Array,
        subset(full?.readout as Float32Array, O),
      );
      expectSameBits(`condition ${c}: states`, thin?.states as Float32Array, subset(full?.states as Float32Array, N));
      expectSameBits(`condition ${c}: last`, thin?.last as Float32Array, full?.last as Float32Array);
    });
  });

  test("the last state is the last that was saved, and nothing depends on saving states", async () => {
    const without = await replayed(gpu, { ...SPEC, saveStates: false });
    whole.conditions.forEach((condition, c) => {
      for (let s = 0; s < S; s++) {
        const last = ofNetwork(condition.states as Float32Array, S, s).slice((T - 1) * B * N);
        expectSameBits(`condition ${c}, network ${s}`, ofNetwork(condition.last, S, s), last);
      }
      expect(without.conditions[c]?.states).toBeNull();
      expectSameReplay(`condition ${c} without states`, without.conditions[c], condition);
    });
  });

  test("a shorter replay is the beginning of a longer one", async () => {
    const short = await replayed(gpu, { ...SPEC, steps: 11 });
    FOUR.forEach((_, c) => {
      for (let s = 0; s < S; s++) {
        expectSameBits(
          `condition ${c}, network ${s}`,
          ofNetwork(stateOf(short, c), S, s),
          ofNetwork(stateOf(whole, c), S, s).slice(0, 11 * B * N),
        );
      }
    });
  });
});

const withConditions = (conditions: readonly StepParameters[], own: Partial<ReplaySpec> = {}): ReplaySpec =>
  quiescent(SEEDS, { conditions: SEEDS.map(() => conditions), ...own });

const pick = <T>(all: readonly T[], order: readonly number[]): T[] => order.map((i) => all[i] as T);

describe("neighbours", () => {
  test("conditions in another order, and one alone: noise and starts are shared, so nothing changes", async () => {
    const order = [3, 1, 0, 2];
    const got = await replayed(gpu, withConditions(pick(FOUR, order)));
    order.forEach((c, at) => {
      expectSameReplay(`condition ${c} at ${at}`, got.conditions[at], whole.conditions[c]);
    });
    // Without momentum and adaptation anywhere in the launch, another variant of the kernel runs.
    const plain = await replayed(gpu, withConditions([quiet()]));
    expectSameReplay("plain alone", plain.conditions[0], whole.conditions[0]);
  });

  test("unpaired, the place of a condition counts and what comes after it does not", async () => {
    const unpaired = { pairedNoise: false };
    const all = await replayed(gpu, withConditions(FOUR, unpaired));
    const first = await replayed(gpu, withConditions(pick(FOUR, [0, 1]), unpaired));
    for (const c of [0, 1]) expectSameReplay(`condition ${c}`, first.conditions[c], all.conditions[c]);
    expectSameReplay("condition 0 is as if paired", all.conditions[0], whole.conditions[0]);
    expect(differences(stateOf(all, 1), stateOf(whole, 1)).count).toBeGreaterThan(0.9 * S * T * B * N);
  });

  test("unpaired, conditions start elsewhere: without noise they would be the same otherwise", async () => {
    const silent = quiet({ noiseStd: 0 });
    const pair = [silent, silent, quiet()];
    const [a, b] = (await replayed(gpu, withConditions(pair))).conditions;
    expectSameReplay("paired", b, a);
    const [c, d] = (await replayed(gpu, withConditions(pair, { pairedNoise: false }))).conditions;
    expect(differences(c?.states as Float32Array, d?.states as Float32Array).count).toBeGreaterThan(
      0.5 * S * T * B * N,
    );
  });

  test("networks alone, and in another order", async () => {
    for (const order of [[1], [2, 0], [0, 2, 1, 0]]) {
      const got = await replayed(gpu, quiescent(pick(SEEDS, order)));
      order.forEach((s, at) => {
        got.conditions.forEach((condition, c) => {
          for (const key of ["readout", "states", "last"] as const) {
            expectSameBits(
              `network ${s} at ${at}, condition ${c}: ${key}`,
              ofNetwork(condition[key] as Float32Array, order.length, at),
              ofNetwork(whole.conditions[c]?.[key] as Float32Array, S, s),
            );
          }
        });
      });
    }
  });

  test("more repeats do not change the first ones", async () => {
    const more = await replayed(gpu, { ...SPEC, repeats: 41 });
    for (let s = 0; s < S; s++) {
      for (let t = 0; t < T; t++) {
        const at = (s * T + t) * N;
        const [few, many] = [stateOf(whole, 1), stateOf(more, 1)];
        expectSameBits(
          `network ${s}, step ${t}`,
          many.slice(at * 41, at * 41 + B * N),
          few.slice(at * B, at * B + B * N),
        );
      }
    }
  });

  test("other seeds give other replays", async () => {
    const weights = undefined;
    const root = await replayed(gpu, { ...SPEC, model: model(16, { rootSeed: 12 }) }, weights);
    expect(differences(stateOf(root, 0), stateOf(whole, 0)).count).toBeGreaterThan(0.9 * S * T * B * N);
  });
});

describe("in between", () => {
  test("progress tells every window and ends at the whole; an abort stops after the window under way", async () => {
    const spec = { ...SPEC, adapter: limited(gpu, { maxBuffer: 65_000, maxBinding: 15_000 }) };
    const seen: number[] = [];
    const total = S * FOUR.length * B * T;
    const done = await replayed(gpu, spec, undefined, {
      onProgress: (now, of) => {
        expect(of).toBe(total);
        seen.push(now);
      },
    });
    expect(seen.length).toBe(12 * 4);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    expect(seen.at(-1)).toBe(total);
    expect(done.rowSteps).toBe(total);
    const stop = new AbortController();
    let calls = 0;
    const stopped = await replayed(gpu, spec, undefined, {
      signal: stop.signal,
      onProgress: () => {
        if (++calls === 3) stop.abort();
      },
    });
    expect({ kind: stopped.kind, rowSteps: stopped.rowSteps, calls }).toEqual({
      kind: "interrupted",
      rowSteps: seen[2],
      calls: 3,
    });
  });
});
