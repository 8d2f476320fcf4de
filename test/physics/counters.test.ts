/**
 * Figure 14: no random number is used twice. Every draw of a small experiment, from initial weights over training and
 * test to an unpaired sweep, is listed by its key and counter: streams, windows and seeds as the plans hand them to the
 * kernels, identities of rows as they are uploaded. Which steps and quads a kernel draws at is what its twin draws at.
 */
import { expect, test } from "vitest";
import { readShaderFile } from "../../src/gpu/open-node.ts";
import type { DispatchPass, Pass } from "../../src/gpu/plan.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import type { AdapterSpec } from "../../src/kernels/spec.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import type { RowRecord } from "../../src/model/rows.ts";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import { metricsLayouts } from "../../src/sweep/path-metrics.ts";
import { planLaunch } from "../../src/sweep/plan.ts";
import { planOptionsOf, sweepRows } from "../../src/sweep/spec.ts";
import { awakeRows, planAwake } from "../../src/train/plan.ts";
import type { TrainSpec } from "../../src/train/spec.ts";
import { record } from "../reliability/record.ts";
import { sweep } from "../sweep/sweeps.ts";
import { network, training } from "../train/experiments.ts";

const ADAPTER: AdapterSpec = {
  maxBinding: 128 << 20,
  maxBuffer: 256 << 20,
  flopsPerSecond: 1e10,
  lanes: true,
  software: true,
};
const RECORDS = recordLayouts(readShaderFile);
const quadsOf = (units: number): number => Math.ceil(units / 4);

/** Key and counter → who drew it. */
class Draws {
  readonly #seen = new Map<string, string>();
  repeated: string[] = [];
  count = 0;

  add(who: string, root: number, seed: number, step: number, quad: number, row: number, stream: number, epoch: number) {
    const tuple = [root, seed, step, quad, row, stream * 2 ** 24 + epoch].join(" ");
    const before = this.#seen.get(tuple);
    if (before !== undefined) this.repeated.push(`${tuple}: ${before} and ${who}`);
    this.#seen.set(tuple, who);
    this.count++;
  }

  /** Draws of the passes of one rollout; `epoch` is the clock's iteration, or null for the rows' own. */
  run(who: string, passes: readonly Pass[], rows: readonly (readonly RowRecord[])[], epoch: number | null): void {
    for (const pass of passes) {
      if (pass.kind !== "dispatch") continue;
      const { window, path_pass } = pass.uniforms;
      if (/^rnn\/(rollout_|step_forward)/.test(pass.kernel)) this.#noise(who, window as Uniform, rows, epoch);
      if (/polyline_paths$/.test(pass.kernel)) this.#paths(who, path_pass as Uniform, rows, epoch);
    }
  }

  #noise(who: string, w: Uniform, rows: readonly (readonly RowRecord[])[], clock: number | null): void {
    expect(w.clocked).toBe(clock === null ? 0 : 1);
    for (const r of rows.flat()) {
      for (let s = 0; s < (w.steps as number); s++) {
        for (let q = 0; q < quadsOf(w.units as number); q++) {
          const step = (w.t0 as number) + s;
          this.add(`${who} noise`, n(w.root_seed), r.networkSeed, step, q, r.trajectory, n(w.stream), clock ?? r.epoch);
        }
      }
    }
  }

  #paths(who: string, p: Uniform, rows: readonly (readonly RowRecord[])[], clock: number | null): void {
    for (const r of rows.flat()) {
      const epoch = (clock ?? 0) + r.epoch;
      const at = (step: number, quad: number) =>
        this.add(`${who} path`, n(p.root_seed), r.networkSeed, step, quad, r.trajectory, n(p.stream), epoch);
      if (p.t0 === 0) {
        at(0, 1);
        at(0, 0);
        if (r.maskRandom)
          this.add(`${who} mask`, n(p.root_seed), r.networkSeed, 0, 0, r.trajectory, STREAM.masks, epoch);
      }
      for (let t = n(p.t0); t < n(p.t0) + n(p.steps); t++) at(t + 1, 0);
    }
  }
}

type Uniform = Readonly<Record<string, number>>;
const n = (value: number | undefined): number => value as number;

function awake(spec: TrainSpec, test: boolean): readonly Pass[] {
  const { plan } = planAwake(spec, ADAPTER, RECORDS, {
    name: "draws",
    batch: spec.batch,
    gradients: !test,
    keepReadout: test,
    stream: test ? STREAM.testPaths : STREAM.trainPaths,
  });
  return plan.passes;
}

function experiment(): Draws {
  const draws = new Draws();
  const spec = training([network(3), network(8)], { batch: 32, iterations: 3, steps: 6 });
  const { rootSeed, shape, layout } = spec.model;
  for (const { seed } of spec.networks) {
    TENSOR_NAMES.forEach((name, tensor) => {
      const [rows, columns] = layout.slices[name].shape;
      // Biases begin at 0.
      if (!name.startsWith("b")) {
        for (let q = 0; q < Math.ceil((rows * columns) / 4); q++) {
          draws.add("initial weights", rootSeed, seed, tensor, q, 0, STREAM.initialisation, 0);
        }
      }
    });
  }
  const rows = awakeRows(spec, spec.batch);
  for (let i = 0; i < spec.iterations; i++) draws.run(`iteration ${i},`, awake(spec, false), rows, i);
  draws.run("test", awake(spec, true), rows, TEST_EPOCH);
  const d = sweep({ rootSeed, shape, pairedNoise: false, repeats: 8, steps: 10 }, [3, 8]);
  const o = planOptionsOf(d, {
    kind: "own-row",
    budget: 2 ** 30,
    adapter: ADAPTER,
    records: RECORDS,
    layouts: metricsLayouts(readShaderFile),
  });
  const [S, C] = [d.networks.length, d.conditions.length];
  const launch = planLaunch(o, { network0: 0, networks: S, condition0: 0, conditions: C });
  const swept = d.networks.map((_, s) => sweepRows(d, s, 0, C));
  draws.run(
    "sweep",
    launch.plan.passes.filter((p): p is DispatchPass => p.kind === "dispatch"),
    swept,
    null,
  );
  return draws;
}

test("every draw of an experiment has a counter of its own", () => {
  const draws = experiment();
  expect(draws.repeated).toEqual([]);
  // Noise alone: 2 networks × (4 batches of 32 rows × 6 steps + 32 sweep rows × 10 steps) × 4 quads.
  expect(draws.count).toBeGreaterThan(2 * (4 * 32 * 6 + 32 * 10) * 4);
  record(
    "counters",
    {
      order: 14,
      figure: "Random numbers: counters of a whole small experiment, all uses listed",
      required: "0 repeated",
      result: `${draws.repeated.length} of ${draws.count} repeated`,
      command: "REVERIE_SOAK=1 npm test -- test/physics/counters.test.ts",
    },
    null,
  );
});

test("a counter that is used again is noticed", () => {
  const draws = new Draws();
  draws.add("one", 1, 2, 3, 4, 5, STREAM.awakeNoise, 6);
  draws.add("other", 1, 2, 3, 4, 5, STREAM.awakeNoise, 6);
  draws.add("third", 1, 2, 3, 4, 5, STREAM.replayNoise, 6);
  expect(draws.repeated).toEqual([expect.stringMatching(/: one and other$/)]);
});
