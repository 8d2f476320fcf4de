/** Ten training steps and a rollout of a committed dump, computed again in NumPy by scripts/python/replay_dump.py. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ARRAY_KINDS } from "../../src/dump/arrays.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DUMP = join(ROOT, "test", "fixtures", "dump.npz");

/** Debian's first: that is where `apt-get install python3-numpy` puts it. */
const python = ["/usr/bin/python3", "python3"].find((p) => spawnSync(p, ["-c", "import numpy"]).status === 0);
if (python === undefined) console.warn("skipped: no python3 here has NumPy (apt-get install python3-numpy)");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-dump-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const replay = (path: string) =>
  spawnSync(python as string, [join(ROOT, "scripts/python/replay_dump.py"), path], { encoding: "utf8" });

describe.skipIf(python === undefined)("NumPy computes a dump again", () => {
  test("10 training steps with clip and Adam, and a rollout with momentum and adaptation", () => {
    const { status, stdout, stderr } = replay(DUMP);
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toMatch(/10 training steps: losses/);
    expect(stdout).toMatch(/replay both/);
  });

  test.each(["loss", "end_W_rec", "replay_both_c", "awake3_noise"])("and notices a change of %s", (name) => {
    const npz = readNpz(DUMP);
    const { data } = npz.get(name) as { data: Float32Array };
    for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) * 1.01 + 1e-3;
    const path = join(folder, "changed.npz");
    writeNpz(path, Object.fromEntries(npz));
    expect(replay(path).status).toBe(1);
  });
});

test("the README's table of arrays is that of the code", () => {
  const readme = readFileSync(join(ROOT, "src", "dump", "README.md"), "utf8");
  for (const { name, axes, meaning } of ARRAY_KINDS) {
    expect(readme).toContain(`| \`${name}\` | ${axes.join(", ")} | ${meaning} |`);
  }
});
