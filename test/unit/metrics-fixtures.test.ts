import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { kernelDensity, klPlugin, klResampled } from "../../src/metrics/density.ts";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { conditionalMutualInformation } from "../../src/metrics/markov.ts";
import { awakeReference, measure } from "../../src/metrics/measure.ts";
import { reachTimes } from "../../src/metrics/reach.ts";
import type { MetricName } from "../../src/metrics/table.ts";
import type { Trajectories } from "../../src/metrics/trajectories.ts";
import { slicedQuantiles, slicedWasserstein } from "../../src/metrics/wasserstein.ts";
import { tmazeTask, triangleTask } from "../../src/task/paths.ts";

/** Against NumPy (scripts/make-metric-fixtures.py): another language, other formulas, the same definitions. */

type Maybe = number | "nan" | "inf";
interface Fixtures {
  cases: {
    name: string;
    maze: "tmaze" | "triangle";
    positions: number[][][];
    awake: number[][][];
    metrics: Record<string, Maybe>;
    reachTimes: Maybe[];
  }[];
  clouds: { a: number[][]; b: number[][]; kde_kl: number; kde_kl_plugin: number; sw1: number; sw2: number };
  states: { values: number[][][]; cmi: Record<"1" | "5", number> }[];
}

const fixtures: Fixtures = JSON.parse(readFileSync(new URL("../fixtures/metrics.json", import.meta.url), "utf8"));

const number = (x: Maybe): number => (x === "nan" ? Number.NaN : x === "inf" ? Number.POSITIVE_INFINITY : x);

function trajectories(rows: number[][][]): Trajectories {
  return { positions: Float64Array.from(rows.flat(2)), rows: rows.length, steps: rows[0]?.length ?? 0 };
}

/**
 * Both sides add at most a few thousand float64 terms of order one: 1e4 · 1.1e−16 ≈ 1e−12 relative. Logarithms of
 * small densities and determinants lose up to two digits more.
 */
const TOLERANCE = 1e-10;

function expectClose(actual: number, expected: number, what: string): void {
  if (!Number.isFinite(expected)) {
    expect(actual, what).toBe(expected);
    return;
  }
  const error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  expect(error, `${what}: ${actual} against ${expected}`).toBeLessThan(TOLERANCE);
}

describe("metrics agree with NumPy", () => {
  test.each(fixtures.cases)("$name", ({ maze, positions, awake, metrics, reachTimes: times }) => {
    const geometry = geometryOf(maze === "tmaze" ? tmazeTask() : triangleTask("twoWay"));
    const [t, a] = [trajectories(positions), trajectories(awake)];
    const values = measure(t, awakeReference(a, geometry), geometry, a.steps);
    expect(Object.keys(metrics).length).toBe(25);
    for (const [name, expected] of Object.entries(metrics)) {
      expectClose(values[name as MetricName], number(expected), name);
    }
    expect([...reachTimes(t, geometry)]).toEqual(times.map(number));
  });

  test("clouds larger than a density keeps", () => {
    const [a, b] = [fixtures.clouds.a, fixtures.clouds.b].map((c) => Float64Array.from(c.flat())) as [
      Float64Array,
      Float64Array,
    ];
    expectClose(klResampled(kernelDensity(a), kernelDensity(b)), fixtures.clouds.kde_kl, "kde_kl");
    expectClose(klPlugin(kernelDensity(a), kernelDensity(b)), fixtures.clouds.kde_kl_plugin, "kde_kl_plugin");
    expectClose(slicedWasserstein(slicedQuantiles(a), slicedQuantiles(b)), fixtures.clouds.sw1, "W1");
    expectClose(slicedWasserstein(slicedQuantiles(a), slicedQuantiles(b), 2), fixtures.clouds.sw2, "W2");
  });

  test.each(fixtures.states)("conditional mutual information", ({ values, cmi }) => {
    const [rows, steps, units] = [values.length, values[0]?.length ?? 0, values[0]?.[0]?.length ?? 0];
    const states = { values: Float64Array.from(values.flat(2)), rows, steps, units };
    const [one, five] = conditionalMutualInformation(states, [1, 5]);
    expectClose(one as number, cmi[1], "cmi1");
    expectClose(five as number, cmi[5], "cmi5");
    // The fixture's process is of second order: the state before the present one must tell something.
    expect(one).toBeGreaterThan(0.03);
  });
});
