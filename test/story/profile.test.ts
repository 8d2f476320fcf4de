/** `reverie profile` as a user runs it, at a tiny shape. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/errors.ts";
import { ROOT, reverie } from "./command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-profile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TINY = "--batch 20 --steps 5 --units 9 --inputs 2 --outputs 2 --plan-kind step --repeats 2".split(" ");
const run = (...more: string[]) => reverie(["profile", ...TINY, ...more]);

test("a profile is written, traced and compared", async () => {
  const [out, trace] = [join(folder, "p.json"), join(folder, "t.json")];
  const first = await run("--out", out, "--trace", trace);
  expect(first.code, first.stderr).toBe(0);
  expect(first.stdout).toMatch(/ceilings: .*GF\/s/);
  expect(first.stdout).toMatch(/^forward +rnn\/step_forward +5 /m);
  expect(JSON.parse(readFileSync(trace, "utf8")).traceEvents.length).toBeGreaterThan(5);
  const second = await run("--compare", out);
  expect(second.stdout).toMatch(/^whole +.* (same|slower|faster)$/m);
  // The clock decides which, and the code has to agree.
  expect(second.code, second.stderr).toBe(/ slower$/m.test(second.stdout) ? EXIT.slower : EXIT.ok);
});

describe("a variant of a kernel", () => {
  const source = readFileSync(join(ROOT, "shaders/optim/adam.wgsl"), "utf8");

  test("with the same results is timed", async () => {
    const file = join(folder, "same.wgsl");
    writeFileSync(file, source);
    const { code, stdout, stderr } = await run("--kernel", "optim/adam", "--against", file);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/same bits/);
    expect(stdout).toMatch(/×/);
  });

  test("with other results is not", async () => {
    const file = join(folder, "other.wgsl");
    const changed = source.replace("sqrt(", "2.0 * sqrt(");
    expect(changed).not.toBe(source);
    writeFileSync(file, changed);
    const { code, stdout, stderr } = await run("--kernel", "optim/adam", "--against", file);
    expect(code).toBe(4);
    expect(stderr).toMatch(/gives other results than optim\/adam: .*nothing was timed/);
    expect(stdout).toBe("");
  });

  test("of a kernel that does not run here is refused with those that do", async () => {
    const file = join(folder, "same.wgsl");
    writeFileSync(file, source);
    const { code, stderr } = await run("--kernel", "rnn/nothing", "--against", file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/rnn\/step_forward/);
  });
});

test("plans of a GPU that is not at hand need none", async () => {
  const { code, stdout } = await reverie(["profile", "--plan"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/8192 +100 +1024 +tile-persistent/);
});

test.each([
  ["--shape none", /no shape "none": use one of small/],
  ["--batch 0", /whole number from 1/],
  ["--kernel rnn/affine_tile", /belong together/],
  ["--compare missing.json", /missing\.json/],
])("profile %s is refused in one line", async (flags, message) => {
  const { code, stderr } = await reverie(["profile", ...flags.split(" ")]);
  expect([2, 4]).toContain(code);
  expect(stderr).toMatch(message);
});
