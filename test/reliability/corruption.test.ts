/**
 * Figure 8: checkpoints, lines of results, shards of positions and replays, cut off, with a bit flipped or a block of zeros:
 * found out, or nothing that matters has changed. Never other numbers without a word.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DataError } from "../../src/errors.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/io/checkpoint.ts";
import { canonicalJson } from "../../src/io/json.ts";
import { bytesOf } from "../../src/io/npy.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import { resultLine, soundResults } from "../../src/sweep/results.ts";
import { seededRandom, smallCheckpoint } from "../unit/io-helpers.ts";
import { record, SEED, scale } from "./record.ts";

const PER_FILE = { truncations: scale(250, 1000), flips: scale(750, 3000), zeroes: scale(125, 500) };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-corruption-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Kind {
  readonly name: string;
  readonly make: () => string;
  /** Everything that a reader would believe, as one text. @throws DataError */
  readonly read: (path: string) => string;
}

const textOf = (data: Uint8Array): string => Buffer.from(data).toString("base64");

function arraysIn(path: string): string {
  return [...readNpz(path)].map(([name, a]) => `${name} ${a.dtype} ${a.shape} ${textOf(bytesOf(a.data))}`).join("\n");
}

function floats(seed: number, shape: readonly number[]) {
  const random = seededRandom(seed);
  return { data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5), shape };
}

const KINDS: readonly Kind[] = [
  {
    name: "checkpoint",
    make: () => saveCheckpoint(folder, smallCheckpoint(1400)),
    read(path) {
      const { meta, arrays } = loadCheckpoint(path);
      const tensors = [arrays.weights, arrays.m, arrays.v].flat();
      return canonicalJson(meta) + tensors.flatMap((t) => TENSOR_NAMES.map((name) => textOf(bytesOf(t[name])))).join();
    },
  },
  {
    name: "results",
    make() {
      const random = seededRandom(5);
      const path = join(folder, "results.jsonl");
      const lines = Array.from({ length: 40 }, (_, i) => ({
        network: i % 4,
        condition: i,
        n: 32,
        values: { speed5: random(), reach_median: 40 * random(), abs_laps: Number.NaN },
        occupancy: Array.from({ length: 6 }, (_, j) => [j, Math.floor(100 * random())] as const),
      }));
      writeFileSync(path, lines.map(resultLine).join(""));
      return path;
    },
    read(path) {
      const content = readFileSync(path);
      const { records, bytes } = soundResults(content);
      // A sweep knows how many lines it must have: those that are missing it computes again.
      if (bytes < content.length || records.length < 40) throw new DataError(`${path}: lines are missing`);
      return records.map(resultLine).join("");
    },
  },
  {
    name: "shard",
    make() {
      const path = join(folder, "shard-000.npz");
      const labels = Int32Array.from({ length: 24 }, (_, i) => i % 8);
      writeNpz(path, { condition: { data: labels }, positions: floats(6, [2, 7, 24, 2]), r: floats(7, [2, 7, 3, 5]) });
      return path;
    },
    read: arraysIn,
  },
  {
    name: "replay",
    make() {
      const path = join(folder, "replay.npz");
      const manifest = { data: new TextEncoder().encode('{"seconds":1}') };
      writeNpz(path, {
        awake_positions: floats(8, [2, 13, 4, 2]),
        positions_plain: floats(9, [2, 24, 4, 2]),
        manifest,
      });
      return path;
    },
    read: arraysIn,
  },
];

const tally = { detected: 0, harmless: 0, silent: 0, cases: { truncations: 0, flips: 0, zeroes: 0 } };

const damages: Record<keyof typeof PER_FILE, (bytes: Buffer, random: () => number) => Buffer> = {
  truncations: (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
  flips(bytes, random) {
    const at = Math.floor(random() * bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
    return bytes;
  },
  zeroes(bytes, random) {
    const at = Math.floor(random() * bytes.length);
    return bytes.fill(0, at, Math.min(at + 4096, bytes.length));
  },
};

test.each(KINDS)("$name: 0 silent", ({ make, read }) => {
  const sound = make();
  const original = readFileSync(sound);
  const believed = read(sound);
  const path = sound.replace(/\.(\w+)$/, "-damaged.$1");
  const random = seededRandom(SEED);
  for (const [damage, times] of Object.entries(PER_FILE) as [keyof typeof PER_FILE, number][]) {
    for (let i = 0; i < times; i++) {
      writeFileSync(path, damages[damage](Buffer.from(original), random));
      tally.cases[damage]++;
      try {
        const what = read(path) === believed ? "harmless" : "silent";
        tally[what]++;
        if (damage === "truncations") expect(what, "a file cut off").toBe("detected");
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        expect((error as Error).message).not.toContain("\n");
        tally.detected++;
      }
    }
  }
  expect(tally.silent).toBe(0);
});

test("what was found", () => {
  const { truncations, flips, zeroes } = tally.cases;
  expect(zeroes).toBe(KINDS.length * PER_FILE.zeroes);
  expect(tally.silent).toBe(0);
  // What changes nothing are times and attributes of the archive.
  expect(tally.detected).toBeGreaterThan(0.85 * (truncations + flips + zeroes));
  record(
    "corruption",
    {
      order: 8,
      figure: "Damaged checkpoints, results, shards and replays",
      required: "1000 truncations, 3000 bit flips, 500 zeroed blocks: 0 silent",
      result: `${truncations} truncations, ${flips} bit flips, ${zeroes} zeroed blocks: ${tally.detected} found out, ${tally.harmless} changed nothing, ${tally.silent} silent`,
      command: "npm run test:soak -- corruption",
    },
    null,
  );
});
