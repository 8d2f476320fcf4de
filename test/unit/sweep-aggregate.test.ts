import { expect, it } from "vitest";
import { aggregateRows } from "../../src/sweep/aggregate.ts";
import { ROW_METRICS, type RowMetricValues } from "../../src/sweep/path-records.ts";

const row = (values: Partial<RowMetricValues>): RowMetricValues => ({
  ...(Object.fromEntries(ROW_METRICS.map(({ name }) => [name, 0])) as RowMetricValues),
  ...values,
});

it("a rollout that never arrives counts as T in the restricted mean, and only there", () => {
  const out = aggregateRows([row({ reach: 10 }), row({ reach: Number.POSITIVE_INFINITY })], 50);
  expect(out).toMatchObject({ reach_rmean: 30, reach_fraction: 0.5 });
  expect(out.reach_median).toBe(Number.POSITIVE_INFINITY);
});

it("diverged rollouts never arrive and count in their own share, in no other mean", () => {
  const out = aggregateRows([row({ track: 0.5, reach: 10 }), row({ track: 1e30, reach: 20, diverged: 1 })], 50);
  expect(out).toMatchObject({ n_sound: 1, diverged: 0.5, track: 0.5, reach_rmean: 30, reach_fraction: 0.5 });
  expect(out.reach_median).toBe(Number.POSITIVE_INFINITY);
  expect(out.junction_median).toBe(Number.POSITIVE_INFINITY);
});
