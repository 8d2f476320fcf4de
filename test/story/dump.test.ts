/** `reverie dump` of a small run: what it writes is what training and replay computed, to the bit. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Npz, readNpz } from "../../src/io/npz.ts";
import { readSafetensors } from "../../src/io/safetensors.ts";
import { reverie } from "./command-line.ts";

let folder: string;
let dump: Npz;
const inside = (name: string): string => join(folder, name);

async function run(...argv: string[]): Promise<void> {
  const { code, stderr } = await reverie(argv);
  expect(code, stderr).toBe(0);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reverie-dump-"));
  // Five units, so that rows are padded; nine repeats, so that conditions share tiles.
  const set = ["rnn.units=5", "train.iterations=2", "replay.repeats=9", "replay.steps=11"].flatMap((s) => ["--set", s]);
  await run("train", "--preset", "tiny", ...set, "--out", inside("run"));
  await run("dump", inside("run"), "--out", inside("dump.npz"));
  dump = readNpz(inside("dump.npz"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const array = (npz: Npz, name: string) => {
  const { data, shape } = npz.get(name) as { data: Float32Array; shape: readonly number[] };
  return { data, shape };
};

test("replayed states and readouts are those of `reverie replay`", async () => {
  await run("replay", inside("run"), "--save-states", "--out", inside("replay.npz"));
  const replay = readNpz(inside("replay.npz"));
  for (const name of ["plain", "both"]) {
    const [S, T, B, N] = [2, 11, 9, 5];
    expect(array(dump, `replay_${name}_y`)).toEqual(array(replay, `positions_${name}`));
    const { data, shape } = array(dump, `replay_${name}_r`);
    expect(shape).toEqual([S, T + 1, B, N]);
    const want = array(replay, `r_${name}`).data;
    for (let s = 0; s < S; s++) {
      const own = data.subarray((s * (T + 1) + 1) * B * N, (s + 1) * (T + 1) * B * N);
      expect(own).toEqual(want.subarray(s * T * B * N, (s + 1) * T * B * N));
    }
  }
});

test("a state follows from the one before, its pre-activation and its noise", () => {
  const [T, B, N] = [11, 9, 5];
  const at = (name: string, t: number, i: number) => array(dump, `replay_both_${name}`).data[t * B * N + i] as number;
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < B * N; i++) {
      // tiny: κ = .5, γ = 1, σ = .05; both: λ = .6, b_a = .05, τ_a = 200; replay noise √2 √λ σ.
      const kick = 0.05 * Math.SQRT2 * Math.sqrt(0.6) * at("noise", t, i);
      const v = 0.4 * at("v", t, i) - 0.5 * at("r", t, i) + Math.max(0, at("a", t, i)) + kick;
      // Five roundings of float32 of numbers of order 1.
      expect(at("v", t + 1, i)).toBeCloseTo(v, 5);
      expect(at("r", t + 1, i)).toBeCloseTo(at("r", t, i) + v, 5);
      expect(at("c", t + 1, i)).toBeCloseTo((199 / 200) * at("c", t, i) + (0.05 / 200) * at("r", t, i), 6);
    }
  }
});

test("inputs are 0 where they are not visible, and steps of the path where they are", () => {
  const [u, visible, s] = [array(dump, "awake_u"), array(dump, "awake_visible"), array(dump, "awake_positions")];
  const [T, B] = [12, 8];
  expect(visible.shape).toEqual([2, T, B]);
  for (let i = 0; i < T * B; i++) {
    const seen = visible.data[i] as number;
    for (const x of [0, 1]) {
      const step = ((s.data[2 * (i + B) + x] as number) - (s.data[2 * i + x] as number)) / (2.5 / 9);
      expect(u.data[2 * i + x]).toBeCloseTo(seen * step, 5);
    }
  }
});

test("a selection is the same numbers, fewer of them; float16 rounds them", async () => {
  const flags = ["--include", "replay_*_r", "--networks", "1", "--conditions", "both", "--rows", "2:5", "--from", "1"];
  await run("dump", inside("run"), "--out", inside("part.npz"), ...flags, "--to", "9", "--every", "4", "--f16");
  const part = readNpz(inside("part.npz"));
  expect([...part.keys()]).toEqual(["replay_both_r", "manifest"]);
  const { data, shape } = array(part, "replay_both_r");
  expect(shape).toEqual([1, 3, 3, 5]);
  const all = array(dump, "replay_both_r").data;
  for (const [i, t] of [1, 5, 9].entries()) {
    for (let k = 0; k < 15; k++) {
      const want = all[((12 + t) * 9 + 2) * 5 + k] as number;
      expect(Math.abs((data[i * 15 + k] as number) - want)).toBeLessThanOrEqual(2 ** -11 * Math.abs(want) + 2 ** -25);
    }
  }
});

test("what the checkpoint holds is written without a GPU", async () => {
  const argv = ["dump", inside("run"), "--out", inside("w.npz"), "--include", "W_rec,v_b"];
  const { code, stderr } = await reverie(argv);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const w = readNpz(inside("w.npz"));
  for (const name of ["W_rec", "v_b"]) expect(array(w, name)).toEqual(array(dump, name));
});

test("safetensors hold the same weights", async () => {
  await run("dump", inside("run"), "--out", inside("w.safetensors"), "--format", "safetensors", "--include", "W_*");
  const { tensors } = readSafetensors(inside("w.safetensors"));
  expect([...tensors.keys()]).toEqual(["W_rec", "W_in", "W_out", "W_enc"]);
  expect(tensors.get("W_rec")?.data).toEqual(array(dump, "W_rec").data);
  const { stdout } = await reverie(["inspect", inside("w.safetensors")]);
  expect(stdout).toMatch(/W_rec +float32 +\(2,5,5\) /);
});

test.each([
  [["--include", "nothing"], 2, /no such array/],
  [["--networks", "7"], 2, /networks 0 to 1/],
  [["--conditions", "fast"], 2, /this run has plain/],
  [["--rows", "3"], 2, /FROM:TO/],
  [["--every", "0"], 2, /--every 0/],
])("%j is refused with %i", async (flags, code, message) => {
  const outcome = await reverie(["dump", inside("run"), "--out", inside("no.npz"), ...flags]);
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toMatch(message);
});
