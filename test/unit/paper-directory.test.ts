/** What a reproduction leaves on disk: results that survive as they are, one process at a time, nothing overwritten. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT, ReverieError } from "../../src/errors.ts";
import { claimsCsv, claimsJson } from "../../src/paper/claims.ts";
import { PaperDirectory, readResult } from "../../src/paper/directory.ts";
import type { ClaimResult } from "../../src/paper/evidence.ts";
import { fromWords, resultText } from "../../src/paper/result-json.ts";

let folder: string;
const MARK = { digest: "d".repeat(64), quick: true };
const MANIFEST = { protocol: MARK, seconds: {}, outcome: { kind: "running" } };

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "reverie-paper-")), "paper");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

const codeOf = (work: () => unknown): number => {
  try {
    work();
  } catch (error) {
    if (error instanceof ReverieError) return error.exitCode;
    throw error;
  }
  return EXIT.ok;
};

describe("results", () => {
  test("NaN and infinities come back, typed arrays as lists", () => {
    const value = { a: [1, Number.NaN, Number.POSITIVE_INFINITY], b: { c: Number.NEGATIVE_INFINITY }, d: null, e: "x" };
    expect(fromWords(JSON.parse(resultText(value)))).toEqual(value);
    expect(fromWords(JSON.parse(resultText({ x: Float64Array.of(0.5, Number.NaN) })))).toEqual({
      x: [0.5, Number.NaN],
    });
  });

  test("count only under the protocol that they were made under", () => {
    const dir = PaperDirectory.open(folder);
    dir.writeManifest(MANIFEST);
    dir.writeResult("leakage", MARK, 1, { error: [Number.NaN] });
    dir.close();
    expect(readResult(folder, "leakage", MARK)).toEqual({ error: [Number.NaN] });
    expect(readResult(folder, "leakage", { ...MARK, quick: false })).toBeUndefined();
    expect(readResult(folder, "leakage", { ...MARK, digest: "e".repeat(64) })).toBeUndefined();
    expect(readResult(folder, "momentum", MARK)).toBeUndefined();
    writeFileSync(join(folder, "results", "momentum.json"), "{}");
    expect(codeOf(() => readResult(folder, "momentum", MARK))).toBe(EXIT.badData);
  });
});

describe("the directory", () => {
  test("is one process's, and is not overwritten unasked", () => {
    const dir = PaperDirectory.open(folder);
    dir.writeManifest(MANIFEST);
    expect(codeOf(() => PaperDirectory.open(folder, { resume: true }))).toBe(EXIT.locked);
    dir.writeResult("leakage", MARK, 1, {});
    dir.close();
    expect(codeOf(() => PaperDirectory.open(folder))).toBe(EXIT.usage);
    expect(codeOf(() => PaperDirectory.open(folder, { resume: true, force: true }))).toBe(EXIT.usage);
    PaperDirectory.open(folder, { resume: true }).close();
    expect(existsSync(join(folder, "results", "leakage.json"))).toBe(true);
    PaperDirectory.open(folder, { force: true }).close();
    expect(existsSync(join(folder, "results"))).toBe(false);
  });

  test("of something else is neither resumed nor deleted", () => {
    expect(codeOf(() => PaperDirectory.open(folder, { resume: true }))).toBe(EXIT.badData);
    mkdirSync(join(folder, "sweeps"), { recursive: true });
    writeFileSync(join(folder, "sweeps", "mine.txt"), "kept");
    expect(codeOf(() => PaperDirectory.open(folder, { force: true }))).toBe(EXIT.usage);
    expect(readFileSync(join(folder, "sweeps", "mine.txt"), "utf8")).toBe("kept");
  });
});

describe("verdicts", () => {
  const cell = (where: string, low: number, holds: boolean) => ({
    where,
    estimate: { value: 2, low, high: 3, n: 2 },
    holds,
  });
  const claim = (id: string, cells: ClaimResult["cells"]): ClaimResult => ({
    id,
    part: 1,
    claim: 'a "claim", with a comma',
    predicted: "",
    measured: "",
    over: "2 seeds",
    cells,
    verdict: "partly",
  });
  const claims = [
    claim("one", [cell("κ = 0", 1.5, true), cell("κ = 1", Number.NEGATIVE_INFINITY, false)]),
    claim("none", []),
  ];

  test("are one line a cell, and one for a claim without any", () => {
    const lines = claimsCsv(claims).trimEnd().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[1]).toBe('one,1,partly,0.5,κ = 0,2,1.5,3,2,true,"a ""claim"", with a comma"');
    expect(lines[2]).toContain(",-inf,3,2,false,");
    expect(lines[3]).toMatch(/^none,1,partly,NaN,,,,,,,/);
  });

  test("and one record a claim, with the share of its cells", () => {
    const read = fromWords(JSON.parse(claimsJson(claims, { quick: true }))) as {
      quick: boolean;
      claims: { share: number }[];
    };
    expect(read.quick).toBe(true);
    expect(read.claims.map((c) => c.share)).toEqual([0.5, Number.NaN]);
  });
});
