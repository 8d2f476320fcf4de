/** Waiting for the GPU: the promise's own outcome, and an event loop that no longer turns all the time. */
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { patiently } from "../../src/gpu/patience.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

/** Turns of the event loop while something goes on; Dawn's bindings do work at each. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  await work();
  over = true;
  return turns;
}

test("a result is a result, a failure a failure", async () => {
  expect(await patiently(setTimeout(5, "done"))).toBe("done");
  await expect(patiently(setTimeout(5).then(() => Promise.reject(new Error("no"))))).rejects.toThrow("no");
});

test("the event loop sleeps, in two waits at once too", async () => {
  const restless = (await turnsDuring(() => setTimeout(200))) / 200;
  const one = (await turnsDuring(() => patiently(setTimeout(400)))) / 400;
  const two = (await turnsDuring(() => Promise.all([patiently(setTimeout(400)), patiently(setTimeout(300))]))) / 400;
  console.log(
    `turns a millisecond: ${restless.toFixed(0)}; waiting patiently ${one.toFixed(1)}, twice ${two.toFixed(1)}`,
  );
  // The first millisecond is spent awake: of 400 that leaves a factor of some tens to a hundred.
  expect(one).toBeLessThan(restless / 10);
  expect(two).toBeLessThan(restless / 10);
});

test("the GPU is waited for that way", async () => {
  expect((await testGpu()).options.wait).toBe(patiently);
});
