/**
 * Every command of every page: what costs nothing is run, the others go through the program's own parser with real
 * configurations, and what they would do is left out. A script or a test file that a page names has to be there.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/errors.ts";
import { type Call, ROOT, recordingRuns, reverie } from "./command-line.ts";
import { OTHERS, OURS, PAGES, words } from "./documented.ts";

/** Run for real: they need no GPU and take no time. */
const CHEAP = ["init", "schema", "kernels", "--help"];
/** Neither run nor parsed further than their name: they do their work at once, whoever asks. */
const AT_ONCE = ["setup", "inspect"];

let folder: string;
const before = process.cwd();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-documented-"));
  symlinkSync(join(ROOT, "scripts"), join(folder, "scripts"));
  process.chdir(folder);
  // What a page has the reader make first.
  writeFileSync(
    join(folder, "centres.csv"),
    Array.from({ length: 512 }, (_, i) => `${(i % 32) / 15},${i / 256}`).join("\n"),
  );
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

test("pages are found, and commands in them", () => {
  expect(PAGES).toContain("README.md");
  expect(OURS.length).toBeGreaterThan(20);
  expect(words("a 'b c'=d --set 'x=[0,1]' e=\"f\" # g")).toEqual(["a", "b c=d", "--set", "x=[0,1]", "e=f"]);
});

/** A run that a command names is there, as far as its configuration. */
async function pretendRun(path: string): Promise<void> {
  if (existsSync(join(path, "config.json"))) return;
  mkdirSync(path, { recursive: true });
  await reverie(["init", join(path, "config.json"), "--preset", "tmaze"]);
}

describe("reverie", () => {
  test.each(OURS)("$page: $line", async ({ line }) => {
    const argv = words(line.replace(/^npx /, "")).slice(1);
    const [verb = ""] = argv;
    // A verb alone is the name of one.
    if (AT_ONCE.includes(verb) || (argv.length === 1 && !CHEAP.includes(verb))) {
      const { code, stdout } = await reverie([verb, "--help"]);
      expect(code).toBe(EXIT.ok);
      for (const flag of argv.filter((word) => word.startsWith("--"))) expect(stdout).toContain(flag.split("=")[0]);
      return;
    }
    for (const path of argv.filter((word) => /^runs\/[\w-]+$/.test(word))) await pretendRun(path);
    if (CHEAP.includes(verb)) {
      const { code, stderr } = await reverie(verb === "init" ? [...argv, "--force"] : argv);
      expect(code, stderr).toBe(EXIT.ok);
      return;
    }
    const calls: Call[] = [];
    const recorded = recordingRuns(calls) as unknown as Record<string, unknown>;
    const any = new Proxy(recorded, {
      get: (known, name: string) =>
        known[name] ??
        (async (options: object) => {
          calls.push({ verb: name, options: options as Record<string, unknown> });
          return EXIT.ok;
        }),
    });
    const { code, stderr } = await reverie(argv, any as never);
    expect(code, stderr).toBe(EXIT.ok);
    expect(calls.map((call) => call.verb)).toEqual([verb]);
  });
});

describe("scripts", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };

  test.each(OTHERS)("$page: $line", ({ line }) => {
    const [program, first = "", ...rest] = words(line);
    if (program === "node" || program === "bash") {
      expect(existsSync(join(ROOT, first)), `${first} is there`).toBe(true);
      return;
    }
    if (["install", "pack", "ci"].includes(first)) return;
    const name = first === "run" ? rest.find((word) => !word.startsWith("-")) : first;
    expect(Object.keys(scripts)).toContain(name);
    for (const path of rest.filter((word) => /^(test|scripts)\//.test(word)))
      expect(existsSync(join(ROOT, path)), `${path} is there`).toBe(true);
  });
});
