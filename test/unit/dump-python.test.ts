/** Ten training steps and a rollout of a committed dump, computed again in NumPy by scripts/python/replay_dump.py. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ARRAY_KINDS } from "../../src/dump/arrays.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { ShardWriter } from "../../src/io/shards.ts";
import { hasNumpy, python, ROOT, replayDump as replay } from "./numpy.ts";

const DUMP = join(ROOT, "test", "fixtures", "dump.npz");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-dump-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!hasNumpy)("NumPy computes a dump again", () => {
  test("10 training steps with clip and Adam, and a rollout with momentum and adaptation", () => {
    const { status, stdout, stderr } = replay(DUMP);
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/10 training steps: losses/);
    expect(stdout).toMatch(/replay both/);
  });

  test.each(["loss", "end_W_rec", "m_b_out", "replay_both_r", "replay_both_noise", "awake3_noise"])(
    "and notices a change of %s",
    (name) => {
      const npz = readNpz(DUMP);
      const { data } = npz.get(name) as { data: Float32Array };
      for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) * 1.01 + 1e-3;
      const path = join(folder, "changed.npz");
      writeNpz(path, Object.fromEntries(npz));
      expect(replay(path).status).toBe(1);
    },
  );

  test("a dump in several files is put together again", () => {
    const arrays = { x: { axes: ["network", "time", "unit"], shape: [1, 4, 3] } };
    const options = { dtype: "float16", oneFileBytes: 0, shardBytes: 1200 } as const;
    const writer = new ShardWriter(join(folder, "large.npz"), arrays, { a: 1 }, options);
    for (let t = 0; t < 4; t++) {
      const data = Float32Array.from([0, 1, 2], (i) => 3 * t + i);
      writer.put({ array: "x", origin: [0, t, 0], shape: [1, 1, 3], data });
    }
    writer.close();
    expect(writer.files.length).toBeGreaterThan(2);
    const lines = [
      "import sys; sys.path.insert(0, sys.argv[1])",
      "from reverie_dump import load",
      "arrays, manifest = load(sys.argv[2])",
      "print(arrays['x'].dtype, arrays['x'].ravel().tolist(), manifest['a'])",
    ];
    const args = ["-c", lines.join("\n"), join(ROOT, "scripts/python"), join(folder, "large.index.json")];
    const { stdout, stderr } = python(...args);
    expect(stdout.trim(), stderr).toBe(`float16 [${Array.from({ length: 12 }, (_, i) => `${i}.0`).join(", ")}] 1`);
  });
});

/** Lines of a function that do something. */
function lines(file: string, name: string): number {
  const text = readFileSync(join(ROOT, "scripts/python", file), "utf8");
  const body = text.split(`def ${name}(`)[1]?.split(/\n(?=\S)/)[0] as string;
  return body.split("\n").filter((line) => line.trim() !== "" && !/^\s*("""|#)/.test(line)).length - 1;
}

test("what repeats training is short enough to be read", () => {
  expect(lines("replay_dump.py", "train")).toBeLessThanOrEqual(23);
  expect(lines("replay_dump.py", "rollout")).toBeLessThanOrEqual(8);
  expect(lines("replay_dump_torch.py", "train")).toBeLessThanOrEqual(23);
});

test("the README's table of arrays is that of the code", () => {
  const readme = readFileSync(join(ROOT, "src", "dump", "README.md"), "utf8");
  for (const { name, axes, meaning } of ARRAY_KINDS) {
    expect(readme).toContain(`| \`${name}\` | ${axes.join(", ")} | ${meaning} |`);
  }
});
