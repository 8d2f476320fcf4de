/** What a sweep says of its rollouts: the same as replay's positions measured by the host, in float64. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/context.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { conditionalMutualInformation } from "../../src/metrics/markov.ts";
import { awakeReference, measure } from "../../src/metrics/measure.ts";
import { statesOf, trajectoriesOf } from "../../src/metrics/trajectories.ts";
import type { ReplayOutcome } from "../../src/replay/replay.ts";
import { runReplay } from "../../src/replay/replay.ts";
import { uploadWeights } from "../../src/run/weights.ts";
import type { SweepDefinition } from "../../src/sweep/definition.ts";
import { AWAKE, type ResultRecord, resultKey } from "../../src/sweep/results.ts";
import { awakeSpec, modelOfSweep } from "../../src/sweep/spec.ts";
import { stepOf } from "../../src/sweep/table.ts";
import { triangleTask } from "../../src/task/paths.ts";
import { type TestResult, testBatch } from "../../src/train/test-batch.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { quiet, someWeights } from "../replay/quiescent.ts";
import { expectSameBits } from "../train/experiments.ts";
import { linesOf, type MemorySink, sweep, swept } from "./sweeps.ts";

gpuHygiene();

let gpu: Gpu;
beforeAll(async () => {
  gpu = await testGpu();
});

const DECODED = sweep({ save: "states", stateRepeats: 20, conditionsPerShard: 4 }, [3, 8]);

async function hostSide(d: SweepDefinition): Promise<{ replay: ReplayOutcome; awake: TestResult }> {
  const model = modelOfSweep(d);
  const trained = uploadWeights(
    gpu,
    model,
    d.networks.map((n) => someWeights(model, n.seed)),
  );
  try {
    const layouts = recordLayouts(gpu.options.readShader);
    const awake = await testBatch(
      gpu,
      awakeSpec(d, "own-row", 0, d.networks.length),
      trained,
      layouts,
      d.awakeTrajectories,
      { keep: true },
    );
    const replay = await runReplay(
      gpu,
      {
        model,
        seeds: d.networks.map((n) => n.seed),
        conditions: d.networks.map((_, s) => d.conditions.map((__, c) => stepOf(d, s, c))),
        repeats: d.repeats,
        steps: d.steps,
        saveEvery: 1,
        saveStates: true,
        pairedNoise: d.pairedNoise,
        task: d.task,
        startStates: null,
        kind: "own-row",
      },
      trained,
    );
    return { replay, awake };
  } finally {
    for (const b of trained.values()) gpu.destroyBuffer(b);
  }
}

const recordOf = (sink: MemorySink, network: number, condition: number | typeof AWAKE): ResultRecord =>
  sink.known.get(resultKey({ network, condition })) as ResultRecord;

describe.each([
  ["T-maze", DECODED],
  ["triangle, unpaired", { ...DECODED, task: triangleTask("twoWay"), pairedNoise: false }],
])("%s", (_, d) => {
  let sink: MemorySink;
  let host: Awaited<ReturnType<typeof hostSide>>;
  const [S, C, B, T, N] = [2, 4, d.repeats, d.steps, 16];
  beforeAll(async () => {
    sink = await swept(gpu, d);
    host = await hostSide(d);
  });

  test("positions and states are those of replay, bit for bit", () => {
    const shard = sink.shards.get(0);
    for (let c = 0; c < C; c++) {
      const cut = (all: Float32Array, width: number) => {
        const out = new Float32Array(S * T * B * width);
        for (let at = 0; at < S * T; at++) {
          out.set(all.subarray((at * C + c) * B * width, (at * C + c + 1) * B * width), at * B * width);
        }
        return out;
      };
      const replay = host.replay.conditions[c];
      expectSameBits("positions", cut(shard?.positions as Float32Array, 2), replay?.readout as Float32Array);
      expectSameBits("states", cut(shard?.states as Float32Array, N), replay?.states as Float32Array);
    }
  });

  test("every metric that both sides have agrees", () => {
    const geometry = geometryOf(d.task);
    const shared = [
      "reach_median",
      "reach_fraction",
      "reach_rmean",
      "junction_median",
      "speed5",
      "path_length",
      "msd_exponent",
    ];
    shared.push(
      "output_variance",
      "autocorrelation10",
      "laps",
      "abs_laps",
      "track",
      "cells",
      "coverage_entropy",
      "regions",
    );
    shared.push("entries", "both_arms", "occupancy_entropy", "offpath", "diverged", "cmi1", "cmi5");
    let compared = 0;
    for (let s = 0; s < S; s++) {
      const awakePaths = trajectoriesOf(
        { data: host.awake.readout as Float32Array, shape: [S, d.awakeSteps, d.awakeTrajectories, 2] },
        s,
      );
      const reference = awakeReference(awakePaths, geometry);
      const compare = (record: ResultRecord, values: Readonly<Record<string, number>>) => {
        for (const name of shared) {
          if (record.condition === AWAKE && name.startsWith("cmi")) continue;
          const [got, wanted] = [record.values[name], values[name] as number];
          const what = `${name} of network ${s}, condition ${record.condition}`;
          if (!Number.isFinite(wanted)) {
            expect(got, what).toEqual(wanted);
            continue;
          }
          // Sums of float32 over 24 steps, on positions that are the same.
          expect(Math.abs((got as number) - wanted), what).toBeLessThanOrEqual(2e-5 * Math.max(1, Math.abs(wanted)));
          compared++;
        }
      };
      compare(recordOf(sink, s, AWAKE), { ...measure(awakePaths, reference, geometry, d.awakeSteps) });
      for (let c = 0; c < C; c++) {
        const replay = host.replay.conditions[c];
        const positions = trajectoriesOf({ data: replay?.readout as Float32Array, shape: [S, T, B, 2] }, s);
        const states = statesOf({ data: replay?.states as Float32Array, shape: [S, T, B, N] }, s);
        const [cmi1, cmi5] = conditionalMutualInformation(states, [1, 5]);
        compare(recordOf(sink, s, c), {
          ...measure(positions, reference, geometry, d.awakeSteps),
          cmi1: cmi1 as number,
          cmi5: cmi5 as number,
        });
      }
    }
    expect(compared).toBeGreaterThan(100);
  });

  test("occupancy counts every step in the box", () => {
    for (const r of sink.known.values()) {
      const steps = r.occupancy.reduce((sum, [, n]) => sum + n, 0);
      const T = r.condition === AWAKE ? d.awakeSteps : d.steps;
      expect(steps).toBe(Math.round((r.values.inside as number) * (r.values.n_sound as number) * T));
      expect(r.occupancy.map(([cell]) => cell)).toEqual([...r.occupancy.map(([cell]) => cell)].sort((a, b) => a - b));
    }
  });
});

test("a condition that diverges is counted, and touches no other", async () => {
  const wild = { gain: 1e6, leak: 0 };
  const both = sweep({ conditions: [{}, wild, { friction: 0.6 }] });
  const tame = sweep({ conditions: [{}, {}, { friction: 0.6 }] });
  const [a, b] = [await swept(gpu, both), await swept(gpu, tame)];
  for (let s = 0; s < 3; s++) {
    const lost = recordOf(a, s, 1);
    expect(lost.values).toMatchObject({ diverged: 1, n_sound: 0 });
    expect(lost.values.diverged_at).toBeLessThan(20);
    expect([lost.values.speed5, lost.values.sw_binned, lost.values.msd_exponent]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ]);
    const others = (sink: MemorySink) => linesOf(sink.text, s).filter((line) => !line.includes('"condition":1,'));
    expect(others(a)).toHaveLength(3);
    expect(others(a)).toEqual(others(b));
  }
});

test("each network keeps its own step parameters where a condition says nothing", async () => {
  const own = sweep({ conditions: [{ friction: 0.6 }] }, [3, 8]);
  const networks = own.networks.map((n, i) => (i === 1 ? { ...n, step: quiet({ leak: 0.9 }) } : n));
  const changed = await swept(gpu, { ...own, networks });
  const explicit = await swept(gpu, { ...own, conditions: [{ friction: 0.6, leak: 0.9 }] });
  const plain = await swept(gpu, own);
  expect(recordOf(changed, 0, 0)).toEqual(recordOf(plain, 0, 0));
  expect(recordOf(changed, 1, 0)).toEqual(recordOf(explicit, 1, 0));
  expect(recordOf(changed, 1, 0)).not.toEqual(recordOf(plain, 1, 0));
});
