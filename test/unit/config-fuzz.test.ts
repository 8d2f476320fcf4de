/** Whatever is put in comes out as a complete configuration, or as a UsageError of one line: nothing else is thrown. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { presets } from "../../src/config/presets/index.ts";
import { networkSettings, pathTask, replayConditions } from "../../src/config/resolve.ts";
import type { ExperimentConfig } from "../../src/config/schema.ts";
import { UsageError } from "../../src/errors.ts";
import { cellParams } from "../../src/model/dynamics.ts";
import { KEYS, key, near, valueFor } from "./random-configs.ts";

const SEED = 20260101;

/** Everything that the planners read must be finite in float32. */
function expectUsable(config: ExperimentConfig): void {
  const numbers: number[] = [];
  const settings = networkSettings(config);
  expect(settings.length).toBe(config.seeds.length);
  for (const network of settings) {
    numbers.push(...Object.values(cellParams(network.step)), network.initialGain, network.learningRate);
  }
  for (const { step } of replayConditions(config).flat()) numbers.push(...Object.values(cellParams(step)));
  for (const value of Object.values(pathTask(config)).flat(3)) {
    if (typeof value === "number") numbers.push(Math.fround(value));
  }
  expect(numbers.filter((n) => !Number.isFinite(n))).toEqual([]);
}

function outcome(attempt: () => ExperimentConfig): "accepted" | "refused" {
  let config: ExperimentConfig;
  try {
    config = attempt();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(/^[^\p{Cc}\u2028\u2029]{1,400}$/u);
    return "refused";
  }
  expectUsable(config);
  return "accepted";
}

describe("fuzz", () => {
  test("2000 configurations by --set: accepted and usable, or refused in one line", () => {
    const count = { accepted: 0, refused: 0 };
    const entries = fc.array(
      fc.tuple(key, fc.oneof({ weight: 5, arbitrary: near }, { weight: 1, arbitrary: fc.anything({ maxDepth: 2 }) })),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    fc.assert(
      fc.property(fc.constantFrom(undefined, ...presets().map((p) => p.name)), entries, (preset, pairs) => {
        const set = pairs.map(([path, drawn]) => {
          const value = valueFor(path, drawn);
          return `${path}=${typeof value === "number" ? String(value) : (JSON.stringify(value) ?? "")}`;
        });
        count[outcome(() => loadConfig({ set, ...(preset === undefined ? {} : { preset }) }).config)]++;
      }),
      { numRuns: 2000, seed: SEED },
    );
    // Both sides must really have been reached, or the property says little.
    expect(count.accepted).toBeGreaterThan(100);
    expect(count.refused).toBeGreaterThan(500);
  });

  test("1000 objects with values near the border put into their places", () => {
    const count = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...KEYS), near), { minLength: 1, maxLength: 3 }), (pairs) => {
        const overrides = pairs.map(([path, drawn]) => ({ path, value: valueFor(path, drawn), origin: "fuzz" }));
        count[outcome(() => loadConfig({ preset: "tiny", overrides }).config)]++;
      }),
      { numRuns: 1000, seed: SEED },
    );
    expect(count.accepted).toBeGreaterThan(200);
  });

  test("2000 arbitrary values", () => {
    const anything = fc.anything({ maxDepth: 4, withBigInt: true, withDate: true, withMap: true, withSet: true });
    fc.assert(
      fc.property(anything, (value) => {
        outcome(() => parseConfig(value));
      }),
      { numRuns: 2000, seed: SEED },
    );
  });
});
