/** shaders/lib/normal_law.wgsl against float64: the bounds are those that its header states. */
import { expect, test } from "vitest";
import { normalHazardReference, normalOfHazardReference, upperTailReference } from "../../src/reference/normal-law.ts";
import { gpuHygiene } from "../gpu.ts";
import { runKernel, within, worst } from "./run-kernel.ts";

gpuHygiene();

const POINTS = 2 ** 14;

async function evaluate(x: Float32Array<ArrayBuffer>, inverse: number): Promise<Float32Array> {
  const out = await runKernel({
    kernel: "../test/kernel/wgsl/normal_law",
    uniforms: { launch: { count: x.length, inverse } },
    bind: { x, y: x.byteLength },
    groups: [Math.ceil(x.length / 64), 1, 1],
  });
  return out.f32("y");
}

const at = (x: Float32Array, i: number): number => x[i] as number;

test("the witness itself: published values of the normal law", () => {
  // Φ(−1), Φ(−3), Φ(−5) of any table, and that the inverse undoes the hazard.
  expect(upperTailReference(1)).toBeCloseTo(0.158655253931457, 14);
  expect(upperTailReference(3) / 1.349898031630095e-3).toBeCloseTo(1, 12);
  expect(upperTailReference(5) / 2.866515718791939e-7).toBeCloseTo(1, 12);
  for (const z of [-4, -1.5, -0.01, 0, 0.3, 2.9, 3.1, 4.5]) {
    expect(normalOfHazardReference(normalHazardReference(z))).toBeCloseTo(z, 10);
  }
});

test("hazard, −7 to 7", async () => {
  const x = Float32Array.from({ length: POINTS }, (_, i) => -7 + (14 * (i + 0.37)) / POINTS);
  const y = await evaluate(x, 0);
  const exact = Float64Array.from(x, normalHazardReference);
  const absolute = worst(POINTS, (i) => Math.abs(at(y, i) - (exact[i] as number)) / Math.max(1, exact[i] as number));
  within(`hazard at ${x[absolute.at]}, of max(1, E)`, absolute.error, 1e-6);
  const relative = worst(POINTS, (i) => Math.abs(at(y, i) / (exact[i] as number) - 1));
  within(`hazard at ${x[relative.at]}, relative`, relative.error, 2e-5);
});

test("inverse, from beyond one cut to beyond the other", async () => {
  const x = Float32Array.from({ length: POINTS }, (_, i) => 1e-8 * (16 / 1e-8) ** (i / (POINTS - 1)));
  const y = await evaluate(x, 1);
  const w = worst(POINTS, (i) => Math.abs(at(y, i) - normalOfHazardReference(at(x, i))));
  within(`inverse at ${x[w.at]}`, w.error, 2e-6);
});

test("standing still and running away stay finite", async () => {
  const y = await evaluate(Float32Array.of(0, 1e-38, 80, 3e38), 1);
  expect([...y].map((z) => Math.round(z * 1e4) / 1e4)).toEqual([-4.7534, -4.7534, 4.7534, 4.7534]);
});
