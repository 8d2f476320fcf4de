import fs from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataError, DiskError } from "../../src/errors.ts";
import { type Checkpoint, loadCheckpoint, saveCheckpoint } from "../../src/io/checkpoint.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { openRunDirectory } from "../../src/io/run-dir.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import {
  compileSources,
  type Fault,
  NO_NUMPY,
  runNumpy,
  SMALL_SHAPE,
  scratch,
  seededRandom,
  smallCheckpoint,
  startChild,
  thrownBy,
  withFault,
} from "./io-helpers.ts";

const folder = scratch();
const kept = (run: string) => fs.readdirSync(join(run, "checkpoints")).sort();
const content = ({ arrays, meta }: Checkpoint): Checkpoint => ({ arrays, meta });

/** A run directory with checkpoints of these iterations. */
function runWith(...iterations: number[]): string {
  const run = folder();
  for (const iteration of iterations) saveCheckpoint(run, smallCheckpoint(iteration));
  return run;
}

function damage(run: string, iteration: number): void {
  const path = join(run, "checkpoints", `iteration-${String(iteration).padStart(6, "0")}.npz`);
  const bytes = fs.readFileSync(path);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] as number) ^ 1;
  fs.writeFileSync(path, bytes);
}

describe("a checkpoint", () => {
  it("comes back as it was saved", () => {
    const run = folder();
    const saved = smallCheckpoint(1400);
    const path = saveCheckpoint(run, saved);
    expect(path).toBe(join(run, "checkpoints", "iteration-001400.npz"));
    const loaded = loadCheckpoint(run);
    expect(loaded.path).toBe(path);
    expect(content(loaded)).toEqual(saved);
    expect(content(loadCheckpoint(path))).toEqual(saved);
  });

  it("keeps the numbers of a network that diverged", () => {
    const saved = smallCheckpoint(1);
    saved.arrays.weights[1]?.W_rec.fill(Number.NaN);
    saved.arrays.m[1]?.b.fill(Infinity);
    const run = folder();
    saveCheckpoint(run, saved);
    expect(content(loadCheckpoint(run))).toEqual(saved);
  });

  it("is read by NumPy under the documented names and shapes", ({ skip }) => {
    const path = saveCheckpoint(folder(), smallCheckpoint(20));
    const program = `
import hashlib, json, sys, numpy as np
c = np.load(sys.argv[1])
digest = hashlib.sha256()
for name in sorted(set(c.files) - {"sha256"}):
    key = json.dumps([name, c[name].dtype.name, list(c[name].shape)], separators=(",", ":"))
    digest.update(key.encode() + b"\\n" + c[name].tobytes())
print(json.dumps({
    "shapes": {k: list(c[k].shape) for k in c.files},
    "meta": json.loads(c["meta"].tobytes()),
    "sound": digest.digest() == c["sha256"].tobytes(),
    "last": float(c["v_W_rec"][1, 12, 11]),
}))`;
    const found = runNumpy(program, path) as Record<string, never> | null;
    if (found === null) return skip(NO_NUMPY);
    const { units: N, inputs: I, outputs: O, encoderInputs: E } = SMALL_SHAPE;
    const shapes = {
      W_rec: [N, N],
      W_in: [N, I],
      b: [N, 1],
      W_out: [O, N],
      b_out: [O, 1],
      W_enc: [N, E],
      b_enc: [N, 1],
    };
    for (const prefix of ["", "m_", "v_"]) {
      for (const name of TENSOR_NAMES) expect(found.shapes?.[prefix + name]).toEqual([2, ...shapes[name]]);
    }
    expect(Object.keys(found.shapes ?? {})).toHaveLength(3 * TENSOR_NAMES.length + 2);
    expect(found.meta).toEqual({ ...smallCheckpoint(20).meta, formatVersion: 1 });
    expect(found.sound).toBe(true);
    expect(found.last).toBe(smallCheckpoint(20).arrays.v[1]?.W_rec[12 * N + 11]);
  });

  it("refuses to be saved with networks missing or of another shape", () => {
    const saved = smallCheckpoint(1);
    const missing = { ...saved, arrays: { ...saved.arrays, m: saved.arrays.m.slice(1) } };
    expect(() => saveCheckpoint(folder(), missing)).toThrow("1 networks, 2 seeds");
    const other = { ...saved, meta: { ...saved.meta, shape: { ...SMALL_SHAPE, units: 12 } } };
    expect(() => saveCheckpoint(folder(), other)).toThrow("W_rec has 169 elements");
  });
});

describe("the checkpoints of a run", () => {
  it("are the two newest, by number and not by name", () => {
    const run = runWith(100, 999_999, 1_000_000);
    expect(kept(run)).toEqual(["iteration-1000000.npz", "iteration-999999.npz"]);
    expect(loadCheckpoint(run).meta.iteration).toBe(1_000_000);
  });

  it("leave other files alone", () => {
    const run = runWith(1);
    fs.writeFileSync(join(run, "checkpoints", "best.npz"), "mine");
    saveCheckpoint(run, smallCheckpoint(2));
    saveCheckpoint(run, smallCheckpoint(3));
    expect(kept(run)).toEqual(["best.npz", "iteration-000002.npz", "iteration-000003.npz"]);
  });

  it("give the older one where the newest is damaged, and say which and why", () => {
    const run = runWith(1200, 1400);
    damage(run, 1400);
    const notices: string[] = [];
    const loaded = loadCheckpoint(run, (text) => notices.push(text));
    expect(content(loaded)).toEqual(smallCheckpoint(1200));
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(/iteration-001400\.npz.*damaged.*; going on from iteration-001200\.npz$/);
  });

  it("lose the damaged newer one when the run has gone on from the older", () => {
    const run = runWith(1200, 1400);
    damage(run, 1400);
    saveCheckpoint(run, smallCheckpoint(1300));
    expect(kept(run)).toEqual(["iteration-001200.npz", "iteration-001300.npz"]);
  });

  it("say nothing when the newest is sound", () => {
    const notices: string[] = [];
    loadCheckpoint(runWith(1, 2), (text) => notices.push(text));
    expect(notices).toEqual([]);
  });

  it("are listed when none is sound", () => {
    const run = runWith(1200, 1400);
    damage(run, 1400);
    damage(run, 1200);
    const error = thrownBy(() => loadCheckpoint(run));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain(`${run}: no sound checkpoint (found iteration-001400.npz, iteration-001200.npz): `);
    expect(error.message).not.toContain("\n");
  });

  it("may be missing", () => {
    const run = folder();
    expect(thrownBy(() => loadCheckpoint(run)).message).toBe(
      `${run}: no sound checkpoint (none found): train first, or check the path`,
    );
    const error = thrownBy(() => loadCheckpoint(join(run, "absent")));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain("no such file");
  });

  it("are not taken from another program, another format, or two files", () => {
    const path = saveCheckpoint(folder(), smallCheckpoint(1));
    const rewrite = (change: (arrays: ReturnType<typeof readNpz>) => void) => {
      const arrays = readNpz(path);
      change(arrays);
      const copy = join(folder(), "copy.npz");
      writeNpz(copy, Object.fromEntries(arrays));
      return thrownBy(() => loadCheckpoint(copy));
    };
    const foreign = readNpz(saveCheckpoint(folder(), smallCheckpoint(2)));
    for (const error of [
      rewrite((arrays) => arrays.delete("sha256")),
      rewrite((arrays) => arrays.delete("m_W_rec")),
      rewrite((arrays) => arrays.set("W_in", foreign.get("W_in") as never)),
      rewrite((arrays) => arrays.set("meta", foreign.get("meta") as never)),
      rewrite((arrays) => arrays.set("extra", foreign.get("b") as never)),
      rewrite((arrays) => arrays.set("b", arrays.get("b_enc") as never)),
      rewrite((arrays) => arrays.set("b", { ...arrays.get("b"), shape: [2, 1, 13] } as never)),
    ]) {
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toContain("damaged or not a checkpoint (its SHA-256 does not match)");
    }
  });
});

describe("damage", () => {
  // None of these may go by in silence; test/reliability/corruption.test.ts counts more of them, over more kinds of files.
  const original = fs.readFileSync(saveCheckpoint(folder(), smallCheckpoint(1400)));
  const saved = smallCheckpoint(1400);
  const path = join(folder(), "damaged.npz");

  type Verdict = "detected" | "harmless" | "silent";

  function verdict(bytes: Uint8Array): Verdict {
    fs.writeFileSync(path, bytes);
    try {
      const loaded = content(loadCheckpoint(path));
      return same(loaded, saved) ? "harmless" : "silent";
    } catch (error) {
      if (error instanceof DataError && !error.message.includes("\n")) return "detected";
      throw error;
    }
  }

  /** Bit for bit; a hundred times faster than toEqual. */
  function same(a: Checkpoint, b: Checkpoint): boolean {
    if (JSON.stringify(a.meta) !== JSON.stringify({ ...sorted(b.meta) })) return false;
    return (["weights", "m", "v"] as const).every((key) =>
      b.arrays[key].every((network, i) =>
        TENSOR_NAMES.every((name) => {
          const found = a.arrays[key][i]?.[name];
          return found !== undefined && Buffer.compare(bytes(found), bytes(network[name])) === 0;
        }),
      ),
    );
  }
  const bytes = (x: Float32Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  const sorted = (x: object): object =>
    JSON.parse(JSON.stringify(x), (_, value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    );

  function tally(times: number, damaged: (random: () => number) => Uint8Array, seed: number): Record<Verdict, number> {
    const random = seededRandom(seed);
    const counts = { detected: 0, harmless: 0, silent: 0 };
    for (let i = 0; i < times; i++) counts[verdict(damaged(random))]++;
    return counts;
  }

  it("is absent from the original", () => {
    expect(verdict(original)).toBe("harmless");
  });

  it("by 200 truncations is detected, every one", () => {
    const truncated = (random: () => number) => original.subarray(0, Math.floor(random() * original.length));
    expect(tally(200, truncated, 1)).toEqual({ detected: 200, harmless: 0, silent: 0 });
  });

  it("by 600 flipped bits is detected or changes nothing", () => {
    const flipped = (random: () => number) => {
      const copy = Buffer.from(original);
      const at = Math.floor(random() * copy.length);
      copy[at] = (copy[at] as number) ^ (1 << Math.floor(random() * 8));
      return copy;
    };
    const { detected, silent } = tally(600, flipped, 2);
    expect(silent).toBe(0);
    // What changes nothing is versions, times and attributes: 23 members x about 33 bytes of 13 kB.
    expect(detected).toBeGreaterThan(540);
  });

  it("by 100 zeroed blocks of 4 KiB is detected, every one", () => {
    const zeroed = (random: () => number) => {
      const copy = Buffer.from(original);
      const at = Math.floor(random() * copy.length);
      return copy.fill(0, at, Math.min(at + 4096, copy.length));
    };
    const { detected, harmless, silent } = tally(100, zeroed, 3);
    expect(silent).toBe(0);
    // The very last bytes of the file are zeros already.
    expect(detected + harmless).toBe(100);
    expect(harmless).toBeLessThanOrEqual(2);
  });
});

describe("a disk that fails", () => {
  it.each(["ENOSPC", "EIO", "short write"] as Fault[])(
    "at the n-th call, n = 1, 2, … until all succeed, loses no checkpoint: %s",
    (fault) => {
      for (const forEver of [false, true]) {
        const faults = new Set<string>();
        for (let n = 1; ; n++) {
          const run = runWith(10, 20);
          let error: Error | null = null;
          const failed = withFault(n, fault, forEver, () => {
            try {
              saveCheckpoint(run, smallCheckpoint(30));
            } catch (caught) {
              error = caught as Error;
            }
          });
          const notices: string[] = [];
          const found = content(loadCheckpoint(run, (text) => notices.push(text)));
          expect(found).toEqual(smallCheckpoint(found.meta.iteration));
          expect([20, 30]).toContain(found.meta.iteration);
          expect(notices).toEqual([]);
          // The next attempt succeeds, and the directory is as if nothing had happened, but for what a disk that
          // failed for good did not let us remove.
          saveCheckpoint(run, smallCheckpoint(30));
          const names = kept(run).filter((name) => !(forEver && name.includes(".tmp-")));
          expect(names).toEqual(["iteration-000020.npz", "iteration-000030.npz"]);
          if (failed === null) {
            expect(error).toBeNull();
            break;
          }
          faults.add(failed);
          if (error !== null) expect(error).toBeInstanceOf(DiskError);
          // Only a file too many may fail without a word.
          else expect(failed).toBe("unlink");
        }
        for (const call of ["open", "write", "fsync", "close", "rename", "unlink"]) {
          expect(faults).toContain(call);
        }
      }
    },
  );

  it("while reading gives a DataError or the older checkpoint", () => {
    const run = runWith(10, 20);
    for (let n = 1; ; n++) {
      let iteration = 0;
      const failed = withFault(n, "EIO", false, () => {
        iteration = loadCheckpoint(run).meta.iteration;
      });
      expect(iteration).toBe(failed === null ? 20 : 10);
      if (failed === null) break;
    }
  });
});

describe("a process killed while it saves", () => {
  it("leaves a sound checkpoint, and the next one cleans up", async () => {
    const compiled = compileSources(folder());
    fs.copyFileSync(saveCheckpoint(folder(), smallCheckpoint(1)), join(compiled, "seed.npz"));
    const run = join(folder(), "run");
    const opened = openRunDirectory(run);
    opened.writeManifest({});
    opened.close();
    const code = `
      import { openRunDirectory } from "./src/io/run-dir.js";
      import { loadCheckpoint, saveCheckpoint } from "./src/io/checkpoint.js";
      const run = ${JSON.stringify(run)};
      openRunDirectory(run, { resume: true });
      const { arrays, meta } = loadCheckpoint("seed.npz");
      let iteration = 0;
      try { iteration = loadCheckpoint(run).meta.iteration; } catch {}
      for (;;) {
        saveCheckpoint(run, { arrays, meta: { ...meta, iteration: ++iteration } });
        if (iteration % 3 === 0) console.log(iteration);
      }`;
    const random = seededRandom(9);
    let before = 0;
    for (let kill = 0; kill < 12; kill++) {
      const child = startChild(compiled, code);
      await child.firstLine;
      await new Promise((resolve) => setTimeout(resolve, random() * 30));
      child.process.kill("SIGKILL");
      await child.gone;
      const found = loadCheckpoint(run, (notice) => expect.fail(notice));
      expect(found.meta.iteration).toBeGreaterThan(before);
      expect(found.arrays).toEqual(smallCheckpoint(1).arrays);
      before = found.meta.iteration;
    }
    openRunDirectory(run, { resume: true }).close();
    const names = kept(run);
    expect(names.filter((name) => name.includes(".tmp-"))).toEqual([]);
    expect(names.map((name) => basename(name))).toContain(`iteration-${String(before).padStart(6, "0")}.npz`);
    expect(fs.readdirSync(run).sort()).toEqual(["checkpoints", "manifest.json"]);
  });
});
