/** The comparison with peers: who gets a time, and what the table says of it. */
import { describe, expect, test } from "vitest";

interface Answer {
  readonly loss: number[];
  readonly lossAfter: number[];
  readonly noisyLoss: number[];
}
interface Checked {
  readonly answer: Answer;
  readonly tensors: Map<string, { data: Float32Array }>;
}
const load = (file: string) => import(new URL(`../../scripts/bench/${file}`, import.meta.url).href);

describe("a peer gets a time only if it computes what we compute", async () => {
  const { compare } = await load("check.mjs");
  const shape = { kind: "train" };
  const checked = (answer: Partial<Answer> = {}, gradient = [1, 2, 3]): Checked => ({
    answer: { loss: [2, 3], lossAfter: [1, 2], noisyLoss: [2.5, 3.5], ...answer },
    tensors: new Map([["W_rec", { data: Float32Array.from(gradient) }]]),
  });
  const failure = (peer: Checked, variant = "model"): string | null => compare(shape, variant, peer, checked()).failed;

  test("the same numbers pass, and so do those within the tolerances", () => {
    expect(failure(checked())).toBeNull();
    expect(failure(checked({ loss: [2.00001, 3], lossAfter: [1, 2.0001], noisyLoss: [2.6, 3.5] }))).toBeNull();
  });

  test.each([
    ["the loss of one network", checked({ loss: [2, 3.0001] }), "loss differs"],
    ["a gradient", checked({}, [1, 2, 3.1]), "gradient of W_rec differs"],
    ["a gradient of another size", checked({}, [1, 2]), "gradient of W_rec differs"],
    ["what clip and Adam make of it", checked({ lossAfter: [1.001, 2] }), "loss after three steps differs"],
    ["a model without noise", checked({ noisyLoss: [2, 3] }), "what noise adds to the loss differs"],
    ["not a number", checked({ loss: [Number.NaN, 3] }), "loss differs"],
  ])("%s", (_, peer, reason) => {
    expect(failure(peer)).toContain(reason);
  });

  test("a model that has no noise by nature is not asked for it", () => {
    expect(failure(checked({ noisyLoss: [2, 3] }), "relu")).toBeNull();
  });
});

test("the table says whom we lose to, and gives no time to a peer that failed", async () => {
  const { section } = await load("section.mjs");
  const time = (wall: number) => ({ wallQuartiles: [wall, wall, 1.1 * wall], cpuQuartiles: [wall, wall, wall] });
  const peers = {
    ours: { about: {}, ...time(0.2) },
    "tfjs-webgpu": { about: { tfjs: "4" }, ...time(1) },
    "torch-cpu-loop-1": { about: { torch: "2" }, ...time(0.05) },
    "jax-scan-cpu": { about: {}, failed: "loss differs", ...time(0.01) },
    "torch-cuda-rnn": { skipped: "no CUDA device" },
  };
  const shape = { kind: "train", S: 1, B: 4, T: 5, N: 6, flops: 2e9, loadBefore: 0.1, peers };
  const adapter = { name: "llvmpipe", software: true, driver: "Mesa" };
  const text: string = section({ adapter, reverie: "0.1.0", processor: "P", date: "D", shapes: { one: shape } });
  expect(text).toContain("| **reverie** | 200 ±5 %, 10.0 |");
  expect(text).toMatch(/against PyTorch, CPU, 1 thread: we are \*\*slower\*\* by 4.0× on 1 of 1 shapes/);
  expect(text).toMatch(/against TensorFlow.js WebGPU, same adapter: faster by 5.0× on 1 of 1/);
  expect(text).toMatch(/JAX .* \| ❌ \|/);
  expect(text).not.toContain("cuDNN");
  expect(text).not.toMatch(/against JAX/);
});
