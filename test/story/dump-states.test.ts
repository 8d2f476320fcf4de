/** States in a dump that take more than one launch or another input: place cells, start states, windows, selections. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type Npz, readNpz } from "../../src/io/npz.ts";
import { decodeReference } from "../../src/reference/decode.ts";
import { ratesReference } from "../../src/reference/place-code.ts";
import { reverie } from "./command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-dump-states-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const inside = (name: string): string => join(folder, name);

async function run(...argv: string[]): Promise<void> {
  const { code, stderr } = await reverie(argv);
  expect(code, stderr).toBe(0);
}

const sets = (...entries: string[]) => entries.flatMap((s) => ["--set", s]);

async function dumpOf(name: string, ...flags: string[]): Promise<Npz> {
  const out = inside("dump.npz");
  await run("dump", inside(name), "--out", out, ...flags);
  return readNpz(out);
}

const sameBytes = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));

const array = (npz: Npz, name: string) => npz.get(name)?.data as Float32Array;

describe("place cells whose changes are the input", () => {
  const [T, B, N, CELLS] = [12, 8, 8, 17];
  const centres = Array.from({ length: CELLS }, (_, i) => [(i % 5) / 4, Math.floor(i / 5) / 3] as const);
  const population = { centres, width: 0.2, tuning: "gaussian" } as const;

  test("targets are the rates at the next position, inputs their changes, a and y follow from both", async () => {
    const cells = JSON.stringify({ count: CELLS, layout: "list", centres, width: 0.2, tuning: "gaussian" });
    const task = sets("task.kind=box", `task.cells=${cells}`, "task.input=codeDelta", "seeds=[3]");
    await run("train", "--preset", "tiny", ...task, "--set", "train.iterations=2", "--out", inside("cells"));
    const x = await dumpOf("cells", "--include", "awake_*,W_*,b*");
    const [positions, target, u] = ["positions", "target", "u"].map((name) => array(x, `awake_${name}`));
    const visible = array(x, "awake_visible");
    const rates = (t: number, b: number) => {
      const at = 2 * (t * B + b);
      return ratesReference(population, positions?.[at] as number, positions?.[at + 1] as number);
    };
    let scale = 0;
    for (let t = 0; t < T; t++) {
      for (let b = 0; b < B; b++) {
        const [now, next] = [rates(t, b), rates(t + 1, b)];
        for (let i = 0; i < CELLS; i++) {
          const at = (t * B + b) * CELLS + i;
          const change = (next[i] as number) - (now[i] as number);
          // float32 of rates up to 1.
          expect(target?.[at]).toBeCloseTo(next[i] as number, 5);
          if (visible[t * B + b] === 0) expect(u?.[at]).toBe(0);
          else if (Math.abs(change) > 0.05) {
            scale ||= change / (u?.[at] as number);
            expect((u?.[at] as number) * scale).toBeCloseTo(change, 5);
          }
        }
      }
    }
    expect(scale).toBeGreaterThan(0);
    const [r, c, a, y] = ["r", "c", "a", "y"].map((name) => array(x, `awake_${name}`)) as Float32Array[];
    const [wRec, wIn, b, wOut, bOut] = ["W_rec", "W_in", "b", "W_out", "b_out"].map((n) =>
      array(x, n),
    ) as Float32Array[];
    const dot = (w: Float32Array, row: number, v: Float32Array, at: number, n: number): number => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += (w[row * n + k] as number) * (v[at + k] as number);
      return sum;
    };
    for (let row = 0; row < T * B; row++) {
      for (let i = 0; i < N; i++) {
        const drive =
          dot(wRec as never, i, r as never, row * N, N) + dot(wIn as never, i, u as never, row * CELLS, CELLS);
        // Sums of 25 float32 products of order 1.
        expect(a?.[row * N + i]).toBeCloseTo(drive + (b?.[i] as number) - (c?.[row * N + i] as number), 5);
      }
      const readout = Array.from(
        { length: CELLS },
        (_, o) => dot(wOut as never, o, r as never, (row + B) * N, N) + (bOut?.[o] as number),
      );
      for (let o = 0; o < CELLS; o++) expect(y?.[row * CELLS + o]).toBeCloseTo(readout[o] as number, 5);
      const own = y?.slice(row * CELLS, (row + 1) * CELLS) as Float32Array;
      const [px, py] = decodeReference(population, { method: "topK", k: 3 }, own);
      expect(array(x, "awake_decoded")[2 * row]).toBeCloseTo(px, 5);
      expect(array(x, "awake_decoded")[2 * row + 1]).toBeCloseTo(py, 5);
    }
  });

  test("decoded replays are those of `reverie replay`", async () => {
    await run("replay", inside("cells"), "--out", inside("replay.npz"));
    const x = await dumpOf("cells", "--include", "replay_*_decoded");
    for (const name of ["plain", "both"]) {
      expect(array(x, `replay_${name}_decoded`)).toEqual(array(readNpz(inside("replay.npz")), `positions_${name}`));
    }
  });
});

describe("replays of many rows and steps", () => {
  const [T, B, N] = [60, 1024, 5];

  test("a selection is computed alone to the same bits", async () => {
    const replay = [`replay.repeats=${B}`, `replay.steps=${T}`, "replay.saveEvery=10"];
    const set = sets("rnn.units=5", "seeds=[3]", "train.iterations=2", ...replay);
    await run("train", "--preset", "tiny", ...set, "--out", inside("long"));
    await run("replay", inside("long"), "--save-states", "--out", inside("replay.npz"));
    const want = array(readNpz(inside("replay.npz")), "r_both");
    const x = await dumpOf("long", "--include", "replay_both_r", "--from", "10", "--every", "10");
    expect(x.get("replay_both_r")?.shape).toEqual([1, 6, B, N]);
    expect(sameBytes(array(x, "replay_both_r"), want)).toBe(true);
    const few = ["--rows", "1000:1003", "--from", "50", "--to", "60", "--every", "10"];
    const part = await dumpOf("long", "--include", "replay_both_*", ...few);
    const rows = Array.from({ length: 3 * N }, (_, k) => want[(4 * B + 1000) * N + k]);
    expect([...array(part, "replay_both_r").slice(0, 3 * N)]).toEqual(rows);
    expect(array(part, "replay_both_v").some((value) => value !== 0)).toBe(true);
  });

  test("a dump in several files holds what one file does", async () => {
    const all = ["--include", "replay_both_r,replay_both_v,replay_both_c", "--conditions", "both"];
    const whole = await dumpOf("long", ...all);
    await run("dump", inside("long"), "--out", inside("large.npz"), ...all, "--shard", "1");
    const index = JSON.parse(readFileSync(inside("large.index.json"), "utf8"));
    const files = readdirSync(folder).filter((name) => /^large-\d+\.npz$/.test(name));
    expect(files.length).toBeGreaterThan(3);
    for (const name of files) expect(statSync(inside(name)).size).toBeLessThanOrEqual(2 ** 20);
    const { stdout } = await reverie(["inspect", inside("large.index.json"), "--json"]);
    const summary = JSON.parse(stdout).arrays.find(({ name }: { name: string }) => name === "replay_both_r");
    const values = array(whole, "replay_both_r");
    const [min, max] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    expect(summary).toMatchObject({ shape: [1, T + 1, B, N], nonFinite: 0, min, max });
    for (const name of ["replay_both_r", "replay_both_v", "replay_both_c"]) {
      const found = new Float32Array(array(whole, name).length);
      for (const { file, member, origin } of index.arrays[name].blocks) {
        const own = readNpz(inside(file), { only: (n) => n === member }).get(member)?.data as Float32Array;
        found.set(own, origin[1] * B * N);
      }
      // Comparing millions of numbers one by one takes the test longer than the dump.
      expect(sameBytes(found, array(whole, name)), name).toBe(true);
    }
  });

  test("replays from awake end states start where awake paths end", async () => {
    const start = sets("replay.start=awakeEnd", "replay.repeats=4", "replay.steps=6", "replay.saveEvery=1");
    await run("replay", inside("long"), ...start, "--save-states", "--out", inside("ends.npz"));
    const x = await dumpOf("long", ...start, "--include", "replay_both_r");
    const [got, want] = [array(x, "replay_both_r"), array(readNpz(inside("ends.npz")), "r_both")];
    expect(got.subarray(4 * N)).toEqual(want);
    expect(got.subarray(0, 4 * N).some((value) => value !== 0)).toBe(true);
  });
});

test("later iterations are trained up to, whatever is asked of them", async () => {
  await run("train", "--preset", "tiny", ...sets("seeds=[3]", "train.iterations=2"), "--out", inside("two"));
  const all = await dumpOf("two", "--fresh", "--iterations", "2", "--include", "awake1_*,loss");
  const alone = await dumpOf("two", "--fresh", "--iterations", "2", "--include", "awake1_r");
  expect(array(alone, "awake1_r")).toEqual(array(all, "awake1_r"));
});
