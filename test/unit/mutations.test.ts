/** Bugs of the mutation lane can still be planted: a list that went stale would prove nothing when it is run at last. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { ROOT } from "../story/command-line.ts";

interface Bug {
  readonly name: string;
  readonly file: string;
  readonly tests: readonly string[];
}

const { BUGS, planted } = (await import(
  pathToFileURL(join(ROOT, "scripts", "reliability", "mutations", "index.mjs")).href
)) as { BUGS: readonly Bug[]; planted: (root: string, bug: Bug) => string };

test("there are at least 30, each under a name of its own", () => {
  expect(BUGS.length).toBeGreaterThanOrEqual(30);
  expect(new Set(BUGS.map(({ name }) => name)).size).toBe(BUGS.length);
});

test.each(BUGS.map((bug) => [bug.name, bug] as const))("%s", (_, bug) => {
  expect(planted(ROOT, bug)).not.toBe("");
  for (const file of bug.tests) expect(existsSync(join(ROOT, file)), file).toBe(true);
});
