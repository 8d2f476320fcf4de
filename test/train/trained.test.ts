/**
 * Networks trained at the defaults reach the error that an independent prototype reached (model.md section 10 of the
 * design: T-maze .0053, two-way triangle .013, within 15 %), in the same 1400 iterations, and their replays tell the
 * story of section 9. Seeds differ much under adaptation, so what is asserted of every network held for every one of
 * fifteen (T-maze) or nine (triangle) that were trained to find the margins; the rest is compared in the mean, or printed
 * only. Rounding matters less: initial weights changed by 1e-7 leave every number within 4 % after training.
 *
 * A lane of its own (npm run test:trained): it trains for minutes, and story/paper.test.ts asks most of this of networks
 * that train for less.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { pathTask } from "../../src/config/resolve.ts";
import type { ExperimentConfig } from "../../src/config/schema.ts";
import { adapterSpec, choosePlanKind } from "../../src/kernels/spec.ts";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { type MetricRecord, measureRun } from "../../src/metrics/measure.ts";
import type { MetricName } from "../../src/metrics/table.ts";
import { savedSteps } from "../../src/replay/plan.ts";
import { runReplay } from "../../src/replay/replay.ts";
import { replaySpecOf, trainSize, trainSpecOf } from "../../src/run/experiment.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

const SECONDS = 1000;
const NETWORKS = 3;
const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

interface Trained {
  readonly mse: readonly number[];
  /** Training loss [iteration][network]. */
  readonly losses: readonly (readonly number[])[];
  readonly records: readonly MetricRecord[];
}

async function trainAndReplay(config: ExperimentConfig): Promise<Trained> {
  const gpu = await testGpu();
  const kind = choosePlanKind(adapterSpec(gpu), trainSize(config));
  const trainer = await Trainer.create(gpu, trainSpecOf(config, kind));
  try {
    const losses: (readonly number[])[] = [];
    expect((await trainer.run({ onStats: (s) => losses.push(s.loss) })).kind).toBe("completed");
    const { mse } = await trainer.test(config.test.trajectories);
    const { repeats, steps, saveEvery, conditions } = config.replay;
    const awake = await trainer.test(repeats, { keep: true });
    const replay = await runReplay(gpu, replaySpecOf(config, kind, null), trainer.buffers);
    const S = config.seeds.length;
    const records = measureRun({
      seeds: config.seeds,
      geometry: geometryOf(pathTask(config)),
      awake: { data: awake.readout as Float32Array, shape: [S, config.task.steps, repeats, 2] },
      conditions: Object.keys(conditions).map((name, i) => ({
        name,
        positions: {
          data: replay.conditions[i]?.readout as Float32Array,
          shape: [S, savedSteps(steps, saveEvery), repeats, 2],
        },
      })),
    });
    return { mse, losses, records };
  } finally {
    trainer.destroy();
  }
}

/** A metric of each network at the defaults under a condition. */
const of = (t: Trained, condition: string, metric: MetricName): number[] =>
  t.records.filter((r) => r.condition === condition && r.network < NETWORKS).map((r) => r.values[metric]);

const ratios = (t: Trained, metric: MetricName, over: string, under: string): number[] =>
  of(t, over, metric).map((x, i) => x / (of(t, under, metric)[i] as number));

const differences = (t: Trained, metric: MetricName, left: string, right: string): number[] =>
  of(t, left, metric).map((x, i) => x - (of(t, right, metric)[i] as number));

function print(name: string, t: Trained): void {
  const rows = ["plain", "adaptation", "momentum", "both"].map((c) => {
    const numbers = (["reach_rmean", "track", "regions", "cells"] as const).map(
      (m) =>
        `${m} ${of(t, c, m)
          .map((x) => x.toPrecision(3))
          .join(" ")}`,
    );
    return `  ${c.padEnd(11)} ${numbers.join("; ")}`;
  });
  console.log([`${name}: test error ${t.mse.map((x) => x.toPrecision(3)).join(", ")} m²`, ...rows].join("\n"));
}

const isAsked = process.env.REVERIE_TRAINED !== undefined;

describe.skipIf(!isAsked)("T-maze, 3 seeds, 1400 iterations", () => {
  let t: Trained;
  beforeAll(async () => {
    // A fourth network trains beside the three, without leak and with the small initial gain that it needs.
    const overrides = [
      { path: "seeds", value: [0, 1, 2, 3], origin: "test" },
      { path: "networks", value: [{}, {}, {}, { leak: 0, initialGain: 0.05 }], origin: "test" },
    ];
    t = await trainAndReplay(loadConfig({ preset: "tmaze", overrides }).config);
    print("T-maze", t);
  }, 600 * SECONDS);

  test("test error within 15 % of .0053", () => {
    const error = mean(t.mse.slice(0, NETWORKS));
    expect(error).toBeGreaterThan(0.0053 * 0.85);
    expect(error).toBeLessThan(0.0053 * 1.15);
  });

  test("leakage helps: without it the error ends higher, and is passed in less than half of the iterations", () => {
    // Prototype: .0065 to .0075 without leak, reached after 300 to 400 of 1400 iterations with it.
    const leakless = t.mse[NETWORKS] as number;
    expect(leakless / mean(t.mse.slice(0, NETWORKS))).toBeGreaterThan(1.15);
    const window = 25;
    const smooth = (network: number, end: number): number =>
      mean(t.losses.slice(end - window, end).map((loss) => loss[network] as number));
    const last = smooth(NETWORKS, t.losses.length);
    const passed = Array.from({ length: NETWORKS }, (_, network) => {
      let end = window;
      while (end < t.losses.length && smooth(network, end) > last) end++;
      return end;
    });
    console.log(`without leak ${leakless.toPrecision(3)} m², passed at iterations ${passed.join(", ")}`);
    for (const iteration of passed) expect(iteration).toBeLessThan(t.losses.length / 2);
  });

  test("awake paths reach an end in about 39 steps, plain replay takes about twice as long", () => {
    expect(mean(of(t, "awake", "reach_rmean"))).toBeGreaterThan(36);
    expect(mean(of(t, "awake", "reach_rmean"))).toBeLessThan(43);
    for (const reach of of(t, "plain", "reach_rmean")) {
      expect(reach).toBeGreaterThan(55);
      expect(reach).toBeLessThan(100);
    }
  });

  test("momentum compresses time in every network, by nearly 1/λ = 1.67 (15 seeds: 1.49 to 1.68)", () => {
    for (const ratio of ratios(t, "reach_rmean", "plain", "momentum")) {
      expect(ratio).toBeGreaterThan(1.35);
      expect(ratio).toBeLessThan(1.85);
    }
  });

  test("adaptation slows, and momentum gives the time back", () => {
    // 15 seeds: every one slower, but by 3 % to 540 %; with momentum 1.46 to 4.5 times faster than without.
    expect(mean(of(t, "adaptation", "reach_rmean"))).toBeGreaterThan(1.3 * mean(of(t, "plain", "reach_rmean")));
    for (const ratio of ratios(t, "reach_rmean", "adaptation", "both")) expect(ratio).toBeGreaterThan(1.2);
  });

  test("adaptation explores, and momentum keeps it on the track", () => {
    // 15 seeds, cells: 1.08 to 1.35 times plain's, both 1.15 to 1.41 times. Coverage of the track itself falls in six of
    // them under adaptation alone (mean .748 to .772, both .826); with momentum it is higher than without in all of them.
    for (const ratio of ratios(t, "cells", "adaptation", "plain")) expect(ratio).toBeGreaterThan(1.02);
    for (const ratio of ratios(t, "cells", "both", "plain")) expect(ratio).toBeGreaterThan(1.08);
    for (const ratio of ratios(t, "track", "both", "adaptation")) expect(ratio).toBeGreaterThan(1.01);
    // Of five triples of seeds four gain .09 to .12, one loses .002.
    expect(mean(of(t, "both", "track"))).toBeGreaterThan(mean(of(t, "plain", "track")) - 0.02);
  });
});

describe.skipIf(!isAsked)("two-way triangle, 3 seeds, 1400 iterations", () => {
  let t: Trained;
  beforeAll(async () => {
    t = await trainAndReplay(loadConfig({ preset: "triangle" }).config);
    print("two-way triangle", t);
  }, 600 * SECONDS);

  test("test error within 15 % of .013", () => {
    expect(mean(t.mse)).toBeGreaterThan(0.013 * 0.85);
    expect(mean(t.mse)).toBeLessThan(0.013 * 1.15);
  });

  test("momentum reaches the next corner sooner, with adaptation too", () => {
    // Means of three triples of nine seeds: 1.28, 1.14, 1.30. One of nine is 3 % slower: its plain replay is not stuck.
    const time = (condition: string): number => mean(of(t, condition, "reach_rmean"));
    expect(time("plain") / time("momentum")).toBeGreaterThan(1.07);
    expect(time("adaptation") / time("both")).toBeGreaterThan(1.1);
    // 1.05 to 1.62 in nine seeds.
    for (const ratio of ratios(t, "reach_rmean", "adaptation", "both")) expect(ratio).toBeGreaterThan(1);
  });

  test("adaptation and momentum explore, both together most", () => {
    // Nine seeds: regions + 0.8 to 2.1 and + 0.9 to 2.2; track of both + .15 to + .34 over plain.
    for (const difference of differences(t, "regions", "adaptation", "plain")) expect(difference).toBeGreaterThan(0.4);
    for (const difference of differences(t, "regions", "momentum", "plain")) expect(difference).toBeGreaterThan(0.4);
    for (const difference of differences(t, "track", "both", "plain")) expect(difference).toBeGreaterThan(0.08);
    // In the mean of triples + .10, + .08, + .04; one seed of nine loses .03.
    expect(mean(differences(t, "track", "adaptation", "plain"))).toBeGreaterThan(0.02);
    expect(mean(differences(t, "track", "both", "adaptation"))).toBeGreaterThan(0.08);
  });
});
