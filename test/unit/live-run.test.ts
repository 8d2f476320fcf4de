/** A run under way is looked at through its files alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatState, runState } from "../../src/cli/live-run.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-live-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const started = "2026-01-01T00:00:00.000Z";
const manifest = { started, outcome: { kind: "running" } };

test("progress, losses, time left and holder, though the last line is half written", () => {
  writeFileSync(join(folder, "config.json"), JSON.stringify({ train: { iterations: 100 } }));
  writeFileSync(join(folder, "run.lock"), JSON.stringify({ pid: 42, host: "here", since: started }));
  writeFileSync(
    join(folder, "train.jsonl"),
    '{"iteration":18,"loss":[3]}\n{"iteration":19,"loss":[0.5,0.25]}\n{"itera',
  );
  const state = runState(folder, manifest, Date.parse(started) + 10_000);
  expect(state).toMatchObject({ outcome: "running", iterations: { done: 20, of: 100 }, loss: [0.5, 0.25] });
  expect(state.secondsLeft).toBeCloseTo(40);
  expect(formatState(state)).toMatch(/20 of 100 iterations, loss 0.500 0.250, about 40 s left\n.*process 42 on here/);
});

test("a resumed run has no time left to tell, a finished one no holder", () => {
  writeFileSync(join(folder, "run.lock"), JSON.stringify({ pid: 42, host: "here", since: "2026-01-01T05:00:00Z" }));
  expect(runState(folder, manifest).secondsLeft).toBeNull();
  rmSync(join(folder, "run.lock"));
  expect(runState(folder, manifest)).toMatchObject({ holder: null, secondsLeft: null });
});
