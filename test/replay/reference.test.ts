/** Whole replays against their float64 twin: starts, noise by condition, momentum and adaptation, readout. */
import { expect, test } from "vitest";
import { cellParams, type StepParameters } from "../../src/model/dynamics.ts";
import { STREAM } from "../../src/model/streams.ts";
import { polylinePathsReference } from "../../src/reference/polyline-paths.ts";
import { philoxNoise, type Rollout, rolloutReference } from "../../src/reference/rollout.ts";
import { widenTensors } from "../../src/reference/tensors.ts";
import type { ReplayOutcome, ReplaySpec } from "../../src/replay/replay.ts";
import { type PolylineTask, triangleTask } from "../../src/task/paths.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within, worst } from "../kernel/run-kernel.ts";
import { model } from "../train/experiments.ts";
import { FOUR, ofNetwork, quiescent, quiet, replayed, someWeights } from "./quiescent.ts";

gpuHygiene();

// Decision 19: states ≤ 1e-5 · max(1, max |r|); the readout is a sum of 13 of them with weights below 1.
const ERROR = 1e-5;

const SEEDS = [5, 4_000_000_000];
const T = 40;
const B = 6;
const CONDITIONS = [
  ...FOUR,
  quiet({ leak: 0.9, gain: 0.6, noiseStd: 0.2, noiseScale: 1, noiseFriction: false, friction: 0.4 }),
];

const SPEC: ReplaySpec = quiescent(SEEDS, {
  model: model(13),
  conditions: SEEDS.map(() => CONDITIONS),
  repeats: B,
  steps: T,
  pairedNoise: false,
  task: triangleTask("twoWay"),
});

function twin(spec: ReplaySpec, s: number, condition: StepParameters, epoch: number): Rollout {
  const { shape, rootSeed, activation, slope } = spec.model;
  const N = shape.units;
  const key = [rootSeed, spec.seeds[s] as number] as const;
  const start = { T: 0, B, key, stream: STREAM.replayStarts, epoch, trajectory0: 0, maskEvery: 1 };
  const params = Array.from({ length: B }, () => cellParams(condition));
  return rolloutReference({
    shape,
    weights: widenTensors(someWeights(spec.model, spec.seeds[s] as number)),
    activation,
    leakySlope: slope,
    params,
    e0: polylinePathsReference(spec.task as PolylineTask, { ...start, maskOffset: "fixed" }).e0,
    ...(spec.startStates ? { r0: Float64Array.from(ofNetwork(spec.startStates, spec.seeds.length, s)) } : {}),
    u: null,
    noise: philoxNoise({ T, B, N, stream: STREAM.replayNoise, epoch, key, trajectory0: 0, params }),
    T,
    B,
  });
}

function compare(spec: ReplaySpec, got: ReplayOutcome, epochOf: (condition: number) => number): void {
  const N = spec.model.shape.units;
  let [states, readout, largest] = [0, 0, 0];
  for (let s = 0; s < spec.seeds.length; s++) {
    (spec.conditions[s] ?? []).forEach((condition, c) => {
      const wanted = twin(spec, s, condition, epochOf(c));
      const result = got.conditions[c];
      const error = (all: Float32Array, w: Float64Array) =>
        worst(w.length, (i) => Math.abs((ofNetwork(all, spec.seeds.length, s)[i] as number) - (w[i] as number))).error;
      const scale = Math.max(1, ...wanted.r.map(Math.abs));
      largest = Math.max(largest, scale);
      states = Math.max(states, error(result?.states as Float32Array, wanted.r.subarray(B * N)) / scale);
      readout = Math.max(readout, error(result?.readout as Float32Array, wanted.y) / scale);
    });
  }
  // Beyond this, rounding grows faster than the bound allows for.
  expect(largest).toBeLessThan(10);
  within("states", states, ERROR);
  within("readout", readout, ERROR);
}

test("from encoded starts, each condition with its own noise", async () => {
  compare(SPEC, await replayed(await testGpu(), SPEC), (c) => c);
});

test.each(["step", "tile-persistent"] as const)("paired, plan %s", async (kind) => {
  const spec: ReplaySpec = { ...SPEC, pairedNoise: true, kind };
  compare(spec, await replayed(await testGpu(), spec), () => 0);
});

test("from given states, which every condition shares", async () => {
  const startStates = Float32Array.from({ length: SEEDS.length * B * 13 }, (_, i) => Math.sin(0.7 * i));
  const spec = { ...SPEC, startStates };
  compare(spec, await replayed(await testGpu(), spec), (c) => c);
});
