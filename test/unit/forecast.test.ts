/** Forecasts against the measured costs of the presets, and what they say of themselves. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Pass } from "../../src/gpu/plan.ts";
import { durationText } from "../../src/report/format.ts";
import { describeForecast, flopsOf, forecastTraining, paceOf } from "../../src/run/forecast.ts";

const dispatch = (flops: number) => ({ kind: "dispatch", flops }) as unknown as Pass;
const PASSES = [dispatch(3e9), { kind: "copy", bytes: 8 } as unknown as Pass, dispatch(1e9)];

describe("the forecast of a training", () => {
  test("is its arithmetic over the pace", () => {
    expect(flopsOf(PASSES)).toBe(4e9);
    const f = forecastTraining(PASSES, 100, { flopsPerSecond: 2e10, restsOn: "a wish" });
    expect(f).toMatchObject({ iterations: 100, flopsPerIteration: 4e9, seconds: 20 });
    expect(describeForecast(f)).toMatch(/^estimate: about 20 s for 100 iterations of 4\.0 GFLOP .*\(a wish\)/);
  });

  test("of a GPU says that it is a guess, of CPUs on how many cores", () => {
    expect(paceOf(false, "training", 64).restsOn).toMatch(/guess.*no GPU was measured/);
    expect(paceOf(true, "training", 64, 3).restsOn).toMatch(/each of 3 cores, as measured/);
    expect(paceOf(true, "training", 64, 4).flopsPerSecond).toBe(4 * paceOf(true, "training", 64, 1).flopsPerSecond);
  });

  // 6 N² products a row and step, forward, adjoint and gradient: what the kernels count, but for inputs and readout.
  test("is within a factor of two of what the presets took", () => {
    const file = join(import.meta.dirname, "../../scripts/preset-costs.json");
    const { presets } = JSON.parse(readFileSync(file, "utf8")) as {
      presets: Record<string, Record<"networks" | "units" | "batch" | "steps" | "iterations" | "trainSeconds", number>>;
    };
    for (const name of ["tmaze", "triangle", "triangle-one-way", "ou"]) {
      const c = presets[name] as NonNullable<(typeof presets)[string]>;
      const flops = 6 * c.units ** 2 * c.networks * c.batch * c.steps;
      const pace = paceOf(true, "training", c.units, 1);
      const { seconds } = forecastTraining([dispatch(flops)], c.iterations, pace);
      expect(seconds / c.trainSeconds, name).toBeGreaterThan(0.5);
      expect(seconds / c.trainSeconds, name).toBeLessThan(2);
    }
  });

  test("is told in units that a person thinks in", () => {
    expect([0.01, 89, 90, 3600, 7200].map(durationText)).toEqual(["1 s", "89 s", "2 min", "60 min", "2.0 h"]);
  });
});
