/** Directories of strangers are data: whatever stands in their files, a report is made or refused in one line, and no name runs. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { DataError } from "../../src/errors.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/io/checkpoint.ts";
import { isDeep, readJson } from "../../src/io/json.ts";
import { reverie } from "../story/command-line.ts";
import { seededRandom, smallCheckpoint, thrownBy } from "./io-helpers.ts";
import { linear, writeSyntheticSweep } from "./sweep-synthetic.ts";

const HOSTILE = '</title><script>alert(1)</script><img src=x onerror="alert(1)">';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-strangers-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const deep = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);

const VALUES: readonly unknown[] = [null, -1, 0, 0.5, 1e300, 2 ** 53, "", HOSTILE, [], {}, [null], true, deep(100)];

type Json = Record<string, unknown>;

/** Replaces, removes or adds one value somewhere inside. */
function spoil(value: unknown, random: () => number, depth = 0): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  if (typeof value !== "object" || value === null || (depth > 0 && random() < 0.25)) return pick(VALUES);
  if (Array.isArray(value)) {
    if (value.length === 0) return [pick(VALUES)];
    const at = Math.floor(random() * value.length);
    return value.map((v, i) => (i === at ? spoil(v, random, depth + 1) : v));
  }
  const keys = Object.keys(value);
  if (keys.length === 0) return { [HOSTILE]: pick(VALUES) };
  const key = pick(keys);
  const { [key]: old, ...rest } = value as Json;
  return random() < 0.15 ? rest : { ...rest, [key]: spoil(old, random, depth + 1) };
}

/** A run without a GPU: what `report` reads of one. */
function writeRun(directory: string): void {
  mkdirSync(directory);
  const { config } = loadConfig({ preset: "tiny" });
  const adapter = { name: "A", software: true, driver: "D" };
  const outcome = { kind: "interrupted", remedy: "go on" };
  const manifest = { format: "reverie-run", adapter, seeds: [0, 1], outcome, givenUp: ["x"], testError: [0.1, 0.2] };
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  writeFileSync(join(directory, "manifest.json"), JSON.stringify(manifest));
  const line = (iteration: number) => JSON.stringify({ iteration, loss: [1 / (iteration + 1), 2], gradNorm: [1, 1] });
  writeFileSync(join(directory, "train.jsonl"), [0, 1, 2].map((i) => `${line(i)}\n`).join(""));
}

describe.each([
  ["a run", writeRun, ["config.json", "manifest.json", "train.jsonl"]],
  [
    "a sweep",
    (directory: string) => {
      mkdirSync(directory);
      const axes = { friction: linear(0.2, 1, 2), adaptStrength: linear(0, 0.1, 2) };
      writeSyntheticSweep(directory, { axes, networks: 1 });
    },
    ["sweep.json", "manifest.json"],
  ],
] as const)("%s of a stranger", (kind, write, files) => {
  test("12 times spoilt: a report, or one line", async () => {
    const random = seededRandom(kind.length);
    for (let i = 0; i < 12; i++) {
      const directory = join(folder, `${kind}-${i}`);
      write(directory);
      const file = files[i % files.length] as string;
      const path = join(directory, file);
      const text = readFileSync(path, "utf8");
      const [first = "", ...others] = file.endsWith(".jsonl") ? text.split("\n") : [text];
      const spoilt = JSON.stringify(spoil(JSON.parse(first), random));
      writeFileSync(path, [spoilt, ...others].join("\n"));
      const { code, stderr } = await reverie(["--quiet", "report", directory, "--out", join(directory, "report")]);
      const what = `${file} ${spoilt.slice(0, 300)}\n${stderr}`;
      expect([0, 2, 4], what).toContain(code);
      if (code !== 0) expect(stderr, what).toMatch(/^reverie: [^\n]+\n$/);
      const page = join(directory, "report", "index.html");
      if (existsSync(page)) expect(readFileSync(page, "utf8")).not.toMatch(/<script>alert|<img src=x/);
      rmSync(directory, { recursive: true });
    }
  }, 120_000);
});

test("a checkpoint whose digest is right and whose meta is not ours is refused", () => {
  const metas: readonly [string, Json][] = [
    ["networkSeeds", { networkSeeds: ["0", "7"] }],
    ["status", { status: [1, 2] }],
    ["adapter", { adapter: {} }],
    ["lossHistoryLength", { lossHistoryLength: -1 }],
    ["nextStep", { nextStep: { loss: ["x"], gradNorm: [] } }],
  ];
  for (const [name, change] of metas) {
    const { arrays, meta } = smallCheckpoint(3);
    const run = join(folder, `meta-${name}`);
    mkdirSync(run);
    const path = saveCheckpoint(run, { arrays, meta: { ...meta, ...change } as never });
    const error = thrownBy(() => loadCheckpoint(path));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain(`meta.${name} is missing or of another kind`);
  }
});

test("JSON that is nested without end is refused before anything walks over it", () => {
  const path = join(folder, "deep.json");
  writeFileSync(path, `${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  expect(thrownBy(() => readJson(path)).message).toMatch(
    /deep\.json: nested more than 64 deep; is it the right file\?$/,
  );
  expect(isDeep({ a: { b: [1] } })).toBe(false);
});

test("a configuration that is nested without end is refused in one line", async () => {
  const path = join(folder, "deep-config.json");
  writeFileSync(path, `{"rnn":${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}}`);
  const { code, stderr } = await reverie(["--quiet", "init", join(folder, "new.json"), "--config", path]);
  expect(stderr).toMatch(/^reverie: [^\n]+\n$/);
  expect(code).toBe(2);
});
