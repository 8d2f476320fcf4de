/** `doctor --gradcheck` finds a wrong term of the equations, says which tensors it spoils and which option it belongs to. */
import { afterEach, expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/context.ts";
import type { PlanKind } from "../../src/gpu/plan.ts";
import { type GradcheckResult, gradcheck } from "../../src/run/gradcheck.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { changed, secondGpu } from "../second-gpu.ts";

gpuHygiene();

let broken: Gpu | null = null;
afterEach(async () => {
  await broken?.close();
  broken = null;
});

/** One nonlinearity will do, and under the stepwise plan is one adjoint to compile. */
async function check(gpu: Gpu, kind: PlanKind): Promise<GradcheckResult> {
  return gradcheck(gpu, {
    cases: 40,
    seed: 1,
    kinds: ({ reference }) => (reference.activation === "relu" ? [kind] : []),
  });
}

const tensors = (result: GradcheckResult): string[] => [...new Set(result.failures.map((f) => f.tensor))].sort();

test.each(["own-row", "step"] as const)("in order, %s", async (kind) => {
  const result = await check(await testGpu(), kind);
  expect(result).toMatchObject({ failures: [], suspects: [] });
  for (const share of Object.values(result.worst)) expect(share).toBeLessThan(1);
});

test.each([
  [
    "adaptation",
    "back.gr = fma(vec4f(p.adapt_gain), extra[1], back.gr);",
    "",
    // Only what lies behind the adaptation variable in time: not the last layers.
    ["dW_enc", "dW_in", "dW_rec", "db", "db_enc"],
  ],
  ["leak", "back.gr = fma(vec4f(-p.leak), g, gr);", "back.gr = gr;", ["dW_enc", "dW_in", "dW_rec", "db", "db_enc"]],
])("without its adjoint, %s is named", async (option, from, to, spoilt) => {
  broken = await secondGpu({ readShader: changed("lib/dynamics.wgsl", from, to) });
  const result = await check(broken, "step");
  expect(result.suspects).toEqual([option]);
  expect(tensors(result)).toEqual(spoilt);
  const first = result.failures[0] ?? expect.fail();
  expect(first.message).toMatch(/^case \d+: N=\d+ .*relu.*, plan step: d\w+ is off by .* allowed$/);
});
