/**
 * Figure 10: what a user, a file or a machine can get wrong, and where the exit code and the line for each are tested.
 * Here only that no row has lost its test.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../story/command-line.ts";
import { record } from "./record.ts";

/** What is wrong, the exit code (0: it works), the file, and a title or a line of the test. */
const ROWS: readonly (readonly [what: string, code: number, file: string, title: string])[] = [
  ["an unknown key", 2, "story/bad-input", "train --set rnn.hiden=64"],
  ["a size below 0", 2, "story/bad-input", "train --set rnn.units=-1"],
  ["a size of 0", 2, "story/bad-input", "train --set rnn.units=0"],
  ["NaN for a size", 2, "story/bad-input", "train --set rnn.units=NaN"],
  ["a fraction for a size", 2, "story/bad-input", "train --set rnn.units=63.5"],
  ["a string for a number", 2, "story/bad-input", 'train --set rnn.units="64"'],
  ["a size that is no multiple of a tile", 0, "kernel/plans", "204 cases, T up to 100"],
  ["more units than workgroup memory holds", 2, "story/bad-input-gpu", "units beyond the workgroup memory of a plan"],
  ["more units than a binding holds", 2, "story/bad-input-gpu", "units beyond what the adapter can bind"],
  ["a batch beyond a binding", 0, "train/determinism", "into groups, blocks of rows and windows"],
  ["more than the memory of a CPU's adapter", 2, "story/bad-input-gpu", "more than the machine's memory"],
  ["more workgroups than a dimension holds", 0, "unit/gpu-plan", "of %i workgroups stay within the limit"],
  ["NaN in a file", 4, "story/bad-input-gpu", "NaN at \\(2,2,1\\)"],
  ["infinity in a file", 4, "story/bad-input-gpu", "-Infinity at \\(1,1\\)"],
  ["float64", 0, "story/evaluate", "float64 is rounded, and said to be"],
  ["big-endian numbers", 4, "unit/io-npy", "found big-endian '>f4'"],
  ["columns first", 4, "story/bad-input-gpu", "fortran order"],
  ["a wrong shape", 4, "story/bad-input-gpu", "a wrong shape"],
  ["a missing array", 4, "story/bad-input-gpu", "a missing array"],
  ["a damaged checkpoint", 0, "story/bad-input-gpu", "a damaged checkpoint: the older one, and it says so"],
  ["no sound checkpoint", 4, "story/bad-input-gpu", "none that is sound: both are named"],
  ["another configuration", 4, "story/run", "with another configuration: refused, naming the keys (4)"],
  ["a new run from another's networks", 0, "story/resume", "--fork: a new run that begins with these networks"],
  ["--resume without a checkpoint", 4, "story/bad-input-gpu", "none at all"],
  ["an unknown adapter", 3, "story/bad-input-gpu", "an unknown name: those that there are"],
  ["no driver, or one that is too old", 3, "story/bad-input-gpu", "no driver: what to run"],
  ["a driver without an adapter", 3, "story/setup", "that gives no adapter ends set-up with code 3"],
  ["a CPU where a GPU is required", 3, "story/bad-input-gpu", "a software adapter where a GPU is required"],
  ["an adapter that computes nothing", 7, "contract/gpu", "an adapter that computes nothing does not pass for one"],
  ["a place that cannot be written", 8, "story/bad-input-gpu", "places that cannot be written (8)"],
  ["a full disk, known before", 8, "story/resume", "a disk without room is found before the work (8)"],
  ["a disk that fills up", 8, "reliability/faults", "calls of the disk fail"],
  ["two runs in one folder", 5, "story/run", "a directory that another process works in is left alone (5)"],
  ["an old Node", 3, "story/setup", "an old Node is replaced inside the project"],
  ["packages that are not there", 0, "story/setup", "finds an adapter that computes, and needs neither npm nor apt"],
  ["a device lost on the way", 7, "story/resume", "a device lost on the way: 7, the last checkpoint"],
];

test.each(ROWS)("%s (%i): %s", (_, __, file, title) => {
  expect(readFileSync(join(ROOT, "test", `${file}.test.ts`), "utf8")).toContain(title);
});

test("the figure", () => {
  record(
    "bad-input",
    {
      order: 10,
      figure: "Bad input: one line, what, where and the fix, the right exit code",
      required: "every kind (≥ 25) tested",
      result: `${ROWS.length} kinds, each with its test`,
      command: "npm test -- test/story test/reliability/bad-input.test.ts",
    },
    null,
  );
  expect(ROWS.length).toBeGreaterThanOrEqual(25);
});
