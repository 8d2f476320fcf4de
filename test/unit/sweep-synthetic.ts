import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeNpz } from "../../src/io/npz.ts";
import type { SweepRecord } from "../../src/report/sweep-table.ts";
import type { Parameter, SweepDefinition } from "../../src/sweep/definition.ts";
import { resultLine } from "../../src/sweep/results.ts";
import { type PathTask, tmazeTask } from "../../src/task/paths.ts";

/** Results that look like those of a sweep, made without one: smooth functions of the parameters, and some divergence. */

export interface SyntheticGrid {
  readonly axes: Readonly<Record<string, readonly number[]>>;
  readonly networks: number;
}

export const linear = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((from + ((to - from) * i) / (count - 1)).toPrecision(6)));

const OTHERS = { leak: 0.5, gain: 1, noiseStd: 0.05, noiseScale: Math.SQRT2, noiseFriction: 1 };

function result(p: Readonly<Record<string, number>>, network: number, reference: number): Record<string, number> {
  const [friction, strength] = [p.friction ?? 1, p.adaptStrength ?? 0];
  // Deterministic and different for every network and condition.
  const wobble = (k: number): number => Math.sin(997 * friction + 131 * strength + 17 * network + 5 * k) * 0.02;
  const own = 1 + 0.08 * Math.sin(2 * network + 1);
  const diverges = 1 / (1 + Math.exp((friction - 0.16 - 0.35 * strength) * 60));
  const reach = own * (70 + 90 * friction + 160 * strength ** 1.2) * (1 + wobble(1));
  const track = Math.min(1, 0.62 + 0.9 * Math.sqrt(strength) * (1.2 - 0.4 * friction) + wobble(2));
  return {
    diverged: Math.round(diverges * 32) / 32,
    reach_rmean: Math.min(400, reach),
    reach_median: reach > 300 ? Number.POSITIVE_INFINITY : reach,
    compression_reference: reach > 300 ? Number.NaN : reference / reach,
    track,
    offpath: (0.08 + 0.05 * strength + 0.5 * Math.exp(-friction * 14)) * (1 + wobble(3)),
    speed5: 0.03 / friction ** 0.4,
  };
}

/** By condition name, as `sweepTable` takes them. */
export function syntheticSweep({ axes, networks }: SyntheticGrid): Map<string, SweepRecord[]> {
  let conditions: Record<string, number>[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    conditions = conditions.flatMap((c) => values.map((v) => ({ ...c, [name]: v })));
  }
  return new Map(
    conditions.map((own, i) => [
      String(i),
      Array.from({ length: networks }, (_, network) => {
        const parameters = { ...OTHERS, friction: 1, adaptStrength: 0, adaptTau: 200, ...own };
        const reference = result({ friction: 1, adaptStrength: 0 }, network, 1).reach_median as number;
        return { network, parameters, values: result(parameters, network, reference) };
      }),
    ]),
  );
}

/** A sweep's directory as the runtime leaves it: sweep.json, results.jsonl, manifest.json and, on demand, shards. */
export function writeSyntheticSweep(
  directory: string,
  grid: SyntheticGrid,
  options: {
    readonly task?: PathTask;
    readonly shards?: boolean;
    readonly keep?: number;
    /** Of each network in training and, where the grid says nothing else, in replay. */
    readonly leaks?: readonly number[];
  } = {},
): SweepDefinition {
  const task = options.task ?? tmazeTask();
  const conditions = syntheticSweep(grid);
  const step = { ...OTHERS, noiseFriction: true, friction: 1, adaptStrength: 0, adaptTau: 200 };
  const [repeats, steps, perShard] = [4, 60, 7];
  const definition: SweepDefinition = {
    formatVersion: 1,
    rootSeed: 1,
    shape: { units: 64, inputs: 2, outputs: 2, encoderInputs: 2 },
    activation: "relu",
    leakySlope: 0.01,
    noiseRounds: 7,
    task,
    awakeSteps: 60,
    awakeTrajectories: 8,
    maskRandom: true,
    networks: Array.from({ length: grid.networks }, (_, seed) => ({
      run: "tmaze",
      seed,
      weights: String(seed).padStart(64, "0"),
      step: { ...step, leak: options.leaks?.[seed] ?? step.leak },
      awake: { ...step, noiseScale: 1, leak: options.leaks?.[seed] ?? step.leak },
      maskEvery: 5,
    })),
    axes: Object.entries(grid.axes).map(([parameter, values]) => ({ parameter: parameter as Parameter, values })),
    conditions: [...conditions.values()].map(([first]) =>
      Object.fromEntries(Object.keys(grid.axes).map((name) => [name, first?.parameters[name] as number])),
    ),
    repeats,
    steps,
    start: "encoded",
    pairedNoise: true,
    save: options.shards ? "decoded" : "summary",
    saveEvery: 1,
    stateRepeats: 0,
    conditionsPerShard: options.shards ? perShard : 0,
  };
  const middle = [190, 191, 210, 211].map((cell, i) => [cell, 10 * (i + 1)] as const);
  const lines = [...conditions].flatMap(([name, records]) =>
    records.map(({ network, values: { compression_reference: _, ...values } }) =>
      resultLine({ network, condition: Number(name), n: repeats, values, occupancy: middle }),
    ),
  );
  const awake = definition.networks.map((_, network) =>
    resultLine({
      network,
      condition: "awake",
      n: 8,
      values: { diverged: 0, reach_rmean: 46, reach_median: 45, track: 0.7, speed5: 0.05, offpath: 0.04 },
      occupancy: [],
    }),
  );
  writeFileSync(join(directory, "sweep.json"), JSON.stringify(definition));
  writeFileSync(
    join(directory, "manifest.json"),
    JSON.stringify({ format: "reverie-sweep", adapter: { name: "test" }, shard: { index: 0, of: 1 }, sources: [] }),
  );
  writeFileSync(join(directory, "results.jsonl"), [...awake, ...lines.slice(0, options.keep ?? lines.length)].join(""));
  if (!options.shards) return definition;
  mkdirSync(join(directory, "shards"));
  for (let first = 0; first < conditions.size; first += perShard) {
    const own = Math.min(perShard, conditions.size - first);
    const rows = own * repeats;
    const data = new Float32Array(grid.networks * steps * rows * 2);
    for (let s = 0; s < grid.networks; s++) {
      for (let t = 0; t < steps; t++) {
        for (let r = 0; r < rows; r++) {
          const at = ((s * steps + t) * rows + r) * 2;
          // The condition can be read off a position.
          data[at] = 0.3 * Math.sin(0.1 * t + s + r) + (first + Math.floor(r / repeats)) * 1e-3;
          data[at + 1] = -1 + (1.5 * t) / steps;
        }
      }
    }
    const name = `shard-${String(first / perShard).padStart(3, "0")}.npz`;
    writeNpz(join(directory, "shards", name), { positions: { data, shape: [grid.networks, steps, rows, 2] } });
  }
  return definition;
}
