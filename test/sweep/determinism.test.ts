/** The same lines, byte for byte, however a sweep is split, interrupted, or shared out. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/context.ts";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import type { AdapterSpec } from "../../src/kernels/spec.ts";
import { type Launch, planLaunch, planLaunches } from "../../src/sweep/plan.ts";
import { planOptionsOf } from "../../src/sweep/spec.ts";
import { machineOptions, partOf } from "../../src/sweep/sweep.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { expectSameBits, limited } from "../train/experiments.ts";
import { MemorySink, SEEDS, sweep, swept } from "./sweeps.ts";

gpuHygiene();

const SWEEP = sweep();
let gpu: Gpu;
let whole: string;

beforeAll(async () => {
  gpu = await testGpu();
  whole = (await swept(gpu, SWEEP)).text;
});

const launchesOf = (adapter: AdapterSpec, budget: number, d = SWEEP): { launches: Launch[]; windows: number } => {
  const o = planOptionsOf(d, machineOptions(gpu, { kind: "own-row", budget, adapter }));
  const launches = planLaunches(o, 0, d.conditions.length, d.conditionsPerShard);
  return { launches, windows: planLaunch(o, launches[0] as Launch).marks.length };
};

test("one launch, one window; a line for every network awake and under every condition, all different", () => {
  const { launches, windows } = launchesOf(limited(gpu, {}), 2 ** 30);
  expect({ launches: launches.length, windows }).toEqual({ launches: 1, windows: 1 });
  const lines = whole.trim().split("\n");
  expect(lines).toHaveLength(SEEDS.length * (1 + SWEEP.conditions.length));
  const values = lines.map((l) => JSON.stringify(JSON.parse(l).values));
  expect(new Set(values).size).toBe(lines.length);
});

test("again", async () => {
  expect((await swept(gpu, SWEEP)).text).toBe(whole);
});

describe("split", () => {
  const cases: [string, Partial<AdapterSpec>, number, { launches: number; windows: number }][] = [
    ["by the budget", {}, 900_000, { launches: 4, windows: 1 }],
    ["by a smaller budget", {}, 340_000, { launches: 12, windows: 2 }],
    ["by the smallest budget", {}, 310_000, { launches: 12, windows: 12 }],
    ["by the bindings", { maxBinding: 110_000 }, 2 ** 30, { launches: 8, windows: 1 }],
    ["into short dispatches", { flopsPerSecond: 3e6 }, 2 ** 30, { launches: 1, windows: 5 }],
    ["into single steps and launches", { flopsPerSecond: 1 }, 2 ** 30, { launches: 12, windows: 24 }],
  ];
  test.each(cases)("%s", async (_, limits, budget, wanted) => {
    const adapter = limited(gpu, limits);
    const { launches, windows } = launchesOf(adapter, budget);
    expect({ launches: launches.length, windows }).toEqual(wanted);
    expect((await swept(gpu, SWEEP, { adapter, budget })).text).toBe(whole);
  });

  test.each(PLAN_KINDS)("plan %s", async (kind) => {
    const adapter = limited(gpu, { flopsPerSecond: 1e6 });
    expect((await swept(gpu, SWEEP, { kind, adapter })).text).toBe(whole);
  });

  test("groups of four networks, padded units, from awake states", async () => {
    const d = sweep(
      { shape: { units: 10, inputs: 2, outputs: 2, encoderInputs: 2 }, start: "awakeEnd" },
      [0, 1, 2, 3, 4, 5],
    );
    const budget = 700_000;
    const { launches } = launchesOf(limited(gpu, {}), budget, d);
    expect(new Set(launches.map((l) => l.networks))).toEqual(new Set([4, 2]));
    expect((await swept(gpu, d, { budget })).text).toBe((await swept(gpu, d)).text);
  });

  test("a budget for not even one condition is refused", async () => {
    await expect(swept(gpu, SWEEP, { budget: 20_000 })).rejects.toThrow(/needs .* larger --budget/);
  });
});

describe("shared out", () => {
  test.each([2, 3, 4, 6])("in %d parts", async (of) => {
    const sink = new MemorySink();
    for (let i = of - 1; i >= 0; i--) {
      const own = await swept(gpu, SWEEP, { part: partOf(SWEEP, i, of) });
      for (const [key, record] of own.known) {
        // Awake lines come from every part, the same each time.
        if (sink.known.has(key)) expect(record).toEqual(sink.known.get(key));
        sink.known.set(key, record);
      }
    }
    expect(sink.text).toBe(whole);
  });

  test("parts cover every condition once, whole shards each", () => {
    for (let conditions = 1; conditions < 40; conditions++) {
      for (const per of [0, 1, 3, 7]) {
        for (const of of [1, 2, 5, 9]) {
          const d = sweep({ conditions: Array(conditions).fill({}), conditionsPerShard: per });
          const parts = Array.from({ length: of }, (_, i) => partOf(d, i, of));
          expect(parts[0]?.from).toBe(0);
          expect(parts.at(-1)?.to).toBe(conditions);
          parts.slice(1).forEach((p, i) => {
            expect(p.from).toBe(parts[i]?.to);
            if (p.from < conditions) expect(p.from % Math.max(1, per)).toBe(0);
          });
        }
      }
    }
  });
});

describe("interrupted after any window", () => {
  test("what is left is run, and the lines are the same", async () => {
    const adapter = limited(gpu, { flopsPerSecond: 1e6 });
    const budget = 310_000;
    const { launches, windows } = launchesOf(adapter, budget);
    const all = launches.length * windows;
    expect(all).toBeGreaterThan(20);
    for (const stopAt of [1, 2, Math.floor(all / 2), all - 1]) {
      const sink = new MemorySink();
      const stop = new AbortController();
      let calls = 0;
      const onProgress = () => {
        if (++calls === stopAt) stop.abort();
      };
      await swept(gpu, SWEEP, { adapter, budget, sink, signal: stop.signal, onProgress });
      expect(calls).toBe(stopAt);
      const known = sink.known.size;
      expect(known).toBeLessThan(whole.trim().split("\n").length);
      let first = -1;
      // Another budget cuts elsewhere.
      const resumed = await swept(gpu, SWEEP, {
        budget: stopAt % 2 === 0 ? budget : 900_000,
        sink,
        onProgress: (done) => {
          if (first < 0) first = done;
        },
      });
      expect(resumed.text).toBe(whole);
      if (stopAt > all / 4) expect(first).toBeGreaterThan(SWEEP.repeats);
    }
  });

  test("a finished sweep runs nothing", async () => {
    const sink = await swept(gpu, SWEEP);
    let calls = 0;
    await swept(gpu, SWEEP, { sink, onProgress: () => void calls++ });
    expect(calls).toBe(0);
  });
});

describe("positions", () => {
  const decoded = sweep({ save: "states", saveEvery: 3, stateRepeats: 2, conditionsPerShard: 3 });

  test("the files are the same, however launches are cut, and resuming writes those that are missing", async () => {
    const all = await swept(gpu, decoded);
    expect([...all.shards.keys()]).toEqual([0, 1]);
    const split = await swept(gpu, decoded, { budget: 350_000, adapter: limited(gpu, { flopsPerSecond: 1e6 }) });
    expect(split.text).toBe(all.text);
    const compare = (other: MemorySink) =>
      all.shards.forEach((shard, i) => {
        expectSameBits(`positions ${i}`, other.shards.get(i)?.positions as Float32Array, shard.positions);
        expectSameBits(`states ${i}`, other.shards.get(i)?.states as Float32Array, shard.states as Float32Array);
      });
    compare(split);
    split.shards.delete(1);
    await swept(gpu, decoded, { sink: split });
    compare(split);
  });
});
