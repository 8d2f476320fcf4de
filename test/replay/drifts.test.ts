/** Drifts that the score is compared with: from the very states of awake paths, by the network's own equation. */
import { expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { presets } from "../../src/config/presets/index.ts";
import type { ExperimentConfig } from "../../src/config/schema.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import type { Family, Lab } from "../../src/paper/experiment.ts";
import { awakeDrifts } from "../../src/paper/score/drifts.ts";
import { modelOf, trainSpecOf } from "../../src/run/experiment.ts";
import { uploadWeights } from "../../src/run/weights.ts";
import { testBatch } from "../../src/train/test-batch.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { someWeights } from "./quiescent.ts";

gpuHygiene();

const [ROWS, TIMES, SEEDS] = [4, [1, 5, 12], [3, 4, 5]] as const;

test("f(r_t, 0) = −κ r + γ φ(W r + b) at the states that the network passes through", async () => {
  const gpu = await testGpu();
  const preset = presets().find((p) => p.name === "tiny")?.config as ExperimentConfig;
  const leaks = [0, 0.2, 0.5];
  const config = parseConfig({ ...preset, seeds: [...SEEDS], networks: leaks.map((leak) => ({ leak })) });
  const model = modelOf(config);
  const weights = SEEDS.map((seed) => someWeights(model, seed));
  const members = SEEDS.map((seed, index) => ({ index, seed, leak: leaks[index] as number, maskEvery: 5 }));
  const family = { config, weights, members } as unknown as Family;
  const io = { progress: { start() {}, update() {}, done() {}, note() {} }, signal: new AbortController().signal };
  // Two of the three, in another order: rows must follow the members.
  const chosen = [2, 1].map((i) => members[i] as (typeof members)[number]);
  const { states, drifts } = await awakeDrifts({ gpu, io } as unknown as Lab, family, chosen, TIMES, ROWS);

  const spec = trainSpecOf(config, "own-row");
  const trained = uploadWeights(gpu, model, weights);
  const awake = await testBatch(gpu, spec, trained, recordLayouts(gpu.options.readShader), ROWS, { keep: true });
  for (const buffer of trained.values()) gpu.destroyBuffer(buffer);
  const readout = awake.readout as Float32Array;

  const N = config.rnn.units;
  let checked = 0;
  chosen.forEach((m, s) => {
    const { W_rec, b, W_out, b_out } = weights[m.index] as (typeof weights)[number];
    TIMES.forEach((t, at) => {
      for (let row = 0; row < ROWS; row++) {
        const from = ((s * TIMES.length + at) * ROWS + row) * N;
        const r = states.subarray(from, from + N);
        const dot = (w: Float32Array, i: number) => r.reduce((sum, x, j) => sum + x * (w[i * N + j] as number), 0);
        for (let o = 0; o < 2; o++) {
          // Index t − 1 is the readout of r_t.
          const y = readout[((m.index * config.task.steps + t - 1) * ROWS + row) * 2 + o] as number;
          expect(dot(W_out, o) + (b_out[o] as number)).toBeCloseTo(y, 5);
        }
        for (let i = 0; i < N; i++) {
          const f = -m.leak * (r[i] as number) + config.rnn.gain * Math.max(0, dot(W_rec, i) + (b[i] as number));
          // r' − r in float32: some roundings of numbers around 1.
          expect(drifts[from + i]).toBeCloseTo(f, 5);
          checked++;
        }
      }
    });
  });
  expect(checked).toBe(2 * TIMES.length * ROWS * N);
});
