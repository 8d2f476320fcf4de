/**
 * However a batch is cut, the bits are the same: chunks of rows, windows of time, rows beside, rows in another order.
 * evaluateModel under tighter limits than the adapter's own.
 */
import { describe, expect, test } from "vitest";
import { type EvaluateInput, type EvaluateOutput, evaluateModel } from "../../src/evaluate/evaluate.ts";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import { adapterSpec } from "../../src/kernels/spec.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import { gradcheckCase } from "../../src/reference/gradcheck-cases.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

/** A case with many rows and steps and all modifiers, so that every buffer has something to cut. */
function bigCase(): Omit<EvaluateInput, "kind"> {
  for (let index = 0; ; index++) {
    const { input } = gradcheckCase(77, index);
    if (input.batch >= 70 && input.steps >= 9 && input.shape.units >= 13 && input.activation === "relu") return input;
  }
}

const input = bigCase();
const bits = (x: Float32Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength).toString("base64");

function fingerprint(o: EvaluateOutput): Record<string, string> {
  const out: Record<string, string> = { r: bits(o.r), v: bits(o.v), c: bits(o.c), y: bits(o.y), loss: String(o.loss) };
  for (const name of TENSOR_NAMES) if (o.grads) out[`d${name}`] = bits(o.grads[name]);
  return out;
}

describe.each(PLAN_KINDS)("plan %s", (kind) => {
  test("chunks of rows and windows of time change nothing", async () => {
    const gpu = await testGpu();
    const whole = await evaluateModel(gpu, { ...input, kind });
    expect(whole.chunks).toBe(1);
    const own = adapterSpec(gpu);
    // Room for one block of 32 rows, and for launches of one step only.
    const adapter = { ...own, maxBinding: 256 << 10, maxBuffer: 400 << 10, flopsPerSecond: 1 };
    const cut = await evaluateModel(gpu, { ...input, kind, adapter });
    expect(cut.chunks).toBeGreaterThan(1);
    const launches = (o: EvaluateOutput) => Object.values(o.dispatches).reduce((a, b) => a + b, 0);
    expect(launches(cut)).toBeGreaterThan(2 * launches(whole));
    expect(fingerprint(cut)).toEqual(fingerprint(whole));
  });

  test("a row does not know who its neighbours are", async () => {
    const gpu = await testGpu();
    const { steps: T, batch: B, shape } = input;
    const keep = 5;
    const rows = (x: Float32Array, count: number, width: number) => {
      const out = new Float32Array(count * keep * width);
      for (let t = 0; t < count; t++) out.set(x.subarray(t * B * width, (t * B + keep) * width), t * keep * width);
      return out;
    };
    const step = Array.isArray(input.step) ? input.step.slice(0, keep) : input.step;
    const few: EvaluateInput = {
      ...input,
      kind,
      step,
      batch: keep,
      e0: rows(input.e0, 1, shape.encoderInputs),
      u: rows(input.u, T, shape.inputs),
      mask: input.mask && rows(input.mask, T, 1),
      noise: input.noise && rows(input.noise, T, shape.units),
      target: undefined,
    };
    const all = await evaluateModel(gpu, { ...input, kind, target: undefined });
    const own = await evaluateModel(gpu, few);
    expect(bits(own.r)).toBe(bits(rows(all.r, T + 1, shape.units)));
    expect(bits(own.y)).toBe(bits(rows(all.y, T, shape.outputs)));
  });
});

test("the same input gives the same bits again", async () => {
  const gpu = await testGpu();
  const once = fingerprint(await evaluateModel(gpu, { ...input, kind: "step" }));
  expect(fingerprint(await evaluateModel(gpu, { ...input, kind: "step" }))).toEqual(once);
});
