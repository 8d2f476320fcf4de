/** Sweeps that the tests share: three small networks, four conditions, results kept in memory. */
import type { DeviceBuffer, Gpu } from "../../src/gpu/context.ts";
import { adapterSpec } from "../../src/kernels/spec.ts";
import type { NetworkTensors } from "../../src/model/parameters.ts";
import { uploadWeights } from "../../src/run/weights.ts";
import type { SweepDefinition } from "../../src/sweep/definition.ts";
import { canonicalOrder, type ResultRecord, resultKey, resultLine } from "../../src/sweep/results.ts";
import { modelOfSweep } from "../../src/sweep/spec.ts";
import { runSweep, type Shard, type SweepRunOptions } from "../../src/sweep/sweep.ts";
import { tmazeTask } from "../../src/task/paths.ts";
import { quiet, someWeights } from "../replay/quiescent.ts";
import { PLAIN } from "../train/experiments.ts";

export const SEEDS = [3, 8, 21];

/** 20 repeats: conditions straddle the borders of 32 rows; 24 steps. */
export function sweep(own: Partial<SweepDefinition> = {}, seeds: readonly number[] = SEEDS): SweepDefinition {
  return {
    formatVersion: 1,
    rootSeed: 11,
    shape: { units: 16, inputs: 2, outputs: 2, encoderInputs: 2 },
    activation: "relu",
    leakySlope: 0.01,
    noiseRounds: 7,
    task: tmazeTask(),
    awakeSteps: 12,
    awakeTrajectories: 20,
    maskRandom: true,
    networks: seeds.map((seed) => ({ run: "test", seed, weights: "", step: quiet(), awake: PLAIN, maskEvery: 5 })),
    axes: [],
    conditions: [1, 0.6].flatMap((friction) =>
      [0, 0.2].map((adaptStrength) => ({ friction, adaptStrength, adaptTau: 10 })),
    ),
    repeats: 20,
    steps: 24,
    start: "encoded",
    pairedNoise: true,
    save: "summary",
    saveEvery: 1,
    stateRepeats: 0,
    conditionsPerShard: 0,
    ...own,
  };
}

export class MemorySink {
  readonly known = new Map<string, ResultRecord>();
  readonly shards = new Map<number, Shard>();
  readonly hasShard = (index: number): boolean => this.shards.has(index);
  readonly shard = (shard: Shard): void => void this.shards.set(shard.index, shard);
  readonly append = (records: readonly ResultRecord[]): void => {
    for (const r of records) this.known.set(resultKey(r), r);
  };
  /** results.jsonl of a finished sweep. */
  get text(): string {
    return canonicalOrder([...this.known.values()])
      .map(resultLine)
      .join("");
  }
}

export interface RunOptions extends Partial<SweepRunOptions> {
  readonly weights?: readonly NetworkTensors[];
  readonly sink?: MemorySink;
}

export async function swept(gpu: Gpu, d: SweepDefinition, options: RunOptions = {}): Promise<MemorySink> {
  const sink = options.sink ?? new MemorySink();
  const model = modelOfSweep(d);
  const weights = options.weights ?? d.networks.map((n) => someWeights(model, n.seed));
  const trained: Map<string, DeviceBuffer> = uploadWeights(gpu, model, weights);
  try {
    await runSweep(gpu, d, trained, sink, {
      kind: "own-row",
      part: { from: 0, to: d.conditions.length },
      budget: 2 ** 30,
      adapter: adapterSpec(gpu),
      ...options,
    });
    return sink;
  } finally {
    for (const b of trained.values()) gpu.destroyBuffer(b);
  }
}

export const linesOf = (text: string, network: number): string[] =>
  text.split("\n").filter((line) => line.startsWith(`{"network":${network},`));
