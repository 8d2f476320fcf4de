import { describe, expect, test } from "vitest";
import { editDistance, suggest } from "../../src/config/suggest.ts";

test.each([
  ["", "", 0],
  ["leak", "leak", 0],
  ["leek", "leak", 1],
  ["laek", "leak", 1],
  ["lea", "leak", 1],
  ["", "leak", 4],
  ["abcd", "dcba", 3],
])("editDistance(%s, %s) = %i", (a, b, d) => {
  expect(editDistance(a, b)).toBe(d);
  expect(editDistance(b, a)).toBe(d);
});

describe("suggest", () => {
  const keys = ["units", "activation", "leak", "gain", "noiseStd", "initialGain"];
  test.each([
    ["Units", "units"],
    ["noise_std", "noiseStd"],
    ["gian", "gain"],
    ["activaton", "activation"],
    ["hidden", "units"],
    ["hiden", "units"],
    ["kappa", "leak"],
    ["init", "initialGain"],
    ["lr", undefined],
    ["friction", undefined],
    ["", undefined],
    ["x", undefined],
    ["_", undefined],
  ])("%s → %s", (name, key) => expect(suggest(name, keys)).toBe(key));

  test("a name of a megabyte costs nothing", () => {
    expect(suggest("g".repeat(1_000_000), keys)).toBeUndefined();
  });
});
