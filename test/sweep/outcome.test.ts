/** The outcome of a sweep counts what diverged and says what to do. */
import { expect, test } from "vitest";
import { sweepOutcome } from "../../src/sweep/outcome.ts";
import type { ResultRecord } from "../../src/sweep/results.ts";

const line = (condition: number | "awake", diverged: number): ResultRecord => ({
  network: 0,
  condition,
  n: 4,
  values: { diverged },
  occupancy: [],
});

test("nothing diverged: nothing to mend", () => {
  expect(sweepOutcome("completed", [line("awake", 0), line(0, 0)], "resume")).toEqual({
    kind: "completed",
    diverged: { some: 0, all: 0, of: 1 },
    remedy: "",
  });
});

test("in part and in whole, awake lines left out", () => {
  const { diverged, remedy } = sweepOutcome("completed", [line("awake", 1), line(0, 0.25), line(1, 1), line(2, 0)], "");
  expect(diverged).toEqual({ some: 2, all: 1, of: 3 });
  expect(remedy).toMatch(/^where the column diverged is above 0, raise leak or friction/);
});

test("nothing but what diverged is an outcome of its own, once all of it is there", () => {
  const lines = [line(0, 1), line(1, 1)];
  expect(sweepOutcome("completed", lines, "")).toMatchObject({
    kind: "diverged",
    diverged: { some: 2, all: 2, of: 2 },
  });
  expect(sweepOutcome("interrupted", lines, "").kind).toBe("interrupted");
});

test("interrupted: how to go on comes first", () => {
  expect(sweepOutcome("interrupted", [line(0, 1)], "reverie sweep --resume").remedy).toMatch(
    /^go on with: reverie sweep --resume; where the column/,
  );
});
