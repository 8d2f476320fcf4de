/** Weights of other programs: known names, maps, transposes, missing biases, stacks; what does not fit is refused by name. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { pathTask } from "../../src/config/resolve.ts";
import { loadCheckpoint } from "../../src/io/checkpoint.ts";
import { importNetworks, parseMap, readWeights } from "../../src/io/import-weights.ts";
import { type ArrayToWrite, writeNpz } from "../../src/io/npz.ts";
import { writeSafetensors } from "../../src/io/safetensors.ts";
import type { NetworkTensors } from "../../src/model/parameters.ts";
import { inputScale } from "../../src/task/paths.ts";
import { reverie } from "../story/command-line.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-import-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const shape = { units: 3, inputs: 2, outputs: 2, encoderInputs: 2 };
const ramp = (...of: number[]): ArrayToWrite => ({
  data: Float32Array.from({ length: of.reduce((a, b) => a * b, 1) }, (_, i) => i + 1),
  shape: of,
});

const torch = {
  "rnn.weight_hh_l0": ramp(3, 3),
  "rnn.weight_ih_l0": ramp(3, 2),
  "rnn.bias_ih_l0": ramp(3),
  "rnn.bias_hh_l0": ramp(3),
  "readout.weight": ramp(2, 3),
  "encoder.weight": ramp(3, 2),
};

function saved(arrays: Record<string, ArrayToWrite>) {
  const path = join(folder, "w.npz");
  writeNpz(path, arrays);
  return readWeights(path);
}

test("torch.nn.RNN: its two biases are added, missing ones are 0 and that is told", () => {
  const path = join(folder, "w.safetensors");
  writeSafetensors(path, torch);
  const notes: string[] = [];
  const [network, ...others] = importNetworks(readWeights(path), shape, {
    notice: (line) => notes.push(line),
  });
  expect(others).toEqual([]);
  expect(network?.b).toEqual(Float32Array.of(2, 4, 6));
  expect(network?.W_rec).toEqual(ramp(3, 3).data);
  expect(network?.b_out).toEqual(new Float32Array(2));
  expect(notes).toEqual([expect.stringMatching(/no b_out, b_enc: taken to be 0/)]);
});

test("a map renames and transposes; networks may be stacked", () => {
  const map = parseMap({ W_rec: "w", W_in: { from: "in", transpose: true }, W_out: "out", W_enc: "enc" }, "map.json");
  const file = saved({ w: ramp(2, 3, 3), in: ramp(2, 2, 3), out: ramp(2, 2, 3), enc: ramp(2, 3, 2) });
  const [first, second] = importNetworks(file, shape, { map });
  expect(first?.W_in).toEqual(Float32Array.of(1, 4, 2, 5, 3, 6));
  expect(second?.W_in).toEqual(Float32Array.of(7, 10, 8, 11, 9, 12));
  expect(second?.W_rec[0]).toBe(10);
});

test.each([
  ["a wrong shape", { ...torch, "readout.weight": ramp(3, 2) }, /readout.weight: expected \(2,3\).*found \(3,2\)/],
  ["a missing matrix", { ...torch, "encoder.weight": undefined }, /encoder.weight: missing \(W_enc, \(3,2\)\)/],
  ["half of a bias", { ...torch, "rnn.bias_hh_l0": undefined }, /rnn.bias_hh_l0: missing/],
  ["other names", { weight: ramp(3, 3) }, /no recurrent weights under a known name.*--map/],
  [
    "NaN",
    { ...torch, "rnn.weight_ih_l0": { data: new Float32Array(6).fill(Number.NaN), shape: [3, 2] } },
    /weight_ih_l0: NaN/,
  ],
])("%s is refused, by name", (_, arrays, message) => {
  const given = Object.entries(arrays).filter(([, a]) => a !== undefined) as [string, ArrayToWrite][];
  expect(() => importNetworks(saved(Object.fromEntries(given)), shape)).toThrow(message);
});

test("the verb makes a run whose checkpoint holds the networks", async () => {
  saved(torch);
  const flags = ["--preset", "tiny", "--set", "rnn.units=3", "--out", join(folder, "run")];
  const wrong = await reverie(["import", join(folder, "w.npz"), ...flags]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/1 networks.*2 seeds; add --set seeds=\[0\]/)]);
  const { code, stderr } = await reverie(["import", join(folder, "w.npz"), ...flags, "--set", "seeds=[5]"]);
  expect(code, stderr).toBe(0);
  const { arrays, meta } = loadCheckpoint(join(folder, "run"));
  expect(meta).toMatchObject({ iteration: 0, networkSeeds: [5] });
  expect(arrays.weights[0]?.W_out).toEqual(ramp(2, 3).data);
  const pickle = await reverie(["import", join(folder, "w.pt"), ...flags]);
  expect([pickle.code, pickle.stderr]).toEqual([2, expect.stringContaining("model.state_dict()")]);
  writeFileSync(join(folder, "bad.json"), '{"W_recc": "w"}');
  const bad = await reverie(["import", join(folder, "w.npz"), ...flags, "--map", join(folder, "bad.json")]);
  expect([bad.code, bad.stderr]).toEqual([4, expect.stringContaining("W_recc is none of")]);
});

describe("RNNReactivation", () => {
  const [N, I, CELLS, ALPHA, SIGMA] = [5, 2, 16, 0.2, 0.01];
  const random = (...of: number[]): ArrayToWrite => ({
    // Of both signs, and no two alike.
    data: Float32Array.from({ length: of.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.sin(7 * i + of.length + (of[0] ?? 0)),
    ),
    shape: of,
  });
  const named = {
    "encoder.weight": random(N, CELLS),
    "w_in.weight": random(N, I),
    "w_rec.weight": random(N, N),
    "w_out.weight": random(CELLS, N),
  };
  const motion = [
    "kind=box",
    "motion=predecessor",
    "width=2.2",
    "height=2.2",
    `cells={"count":${CELLS},"tuning":"softmax"}`,
  ];
  const settings = [...motion.map((m) => `task.${m}`), `rnn.units=${N}`, `rnn.leak=${ALPHA}`, `rnn.gain=${ALPHA}`];
  const flags = [...settings, "rnn.noiseStd=0.0028868", "seeds=[0]"].flatMap((s) => ["--set", s]);

  test.each(["npz", "safetensors"])(
    "its names, without biases, from .%s: steps in metres and noise from 0 to 1",
    async (ending) => {
      const path = join(folder, `predecessor.${ending}`);
      if (ending === "npz") writeNpz(path, named);
      else writeSafetensors(path, named);
      const run = join(folder, `predecessor-${ending}`);
      const argv = ["import", path, "--preset", "tiny", ...flags, "--uniform-noise", String(SIGMA), "--out", run];
      const { code, stderr } = await reverie(argv);
      expect(code, stderr).toBe(0);
      expect(stderr).toMatch(/no b, b_out, b_enc: taken to be 0/);
      const w = loadCheckpoint(run).arrays.weights[0] as NetworkTensors;
      const { config } = loadConfig({ preset: "tiny", set: [...settings, "seeds=[0]"] });
      const scale = inputScale(pathTask(config));

      const times = (m: ArrayLike<number>, x: readonly number[], row: number) =>
        x.reduce((sum, value, k) => sum + (m[row * x.length + k] as number) * value, 0);
      const units = Array.from({ length: N }, (_, i) => i);
      const e0 = Array.from({ length: CELLS }, (_, i) => Math.cos(i));
      let h = units.map((i) => times(named["encoder.weight"].data as never, e0, i));
      let r = units.map((i) => times(w.W_enc, e0, i) + (w.b_enc[i] as number));
      for (let t = 0; t < 20; t++) {
        const step = [0.02 * Math.cos(t), 0.02 * Math.sin(2 * t)];
        const uniform = units.map((i) => (((t * N + i) * 37) % 101) / 101);
        const drive = (
          x: readonly number[],
          w_rec: ArrayLike<number>,
          w_in: ArrayLike<number>,
          u: number[],
          b: ArrayLike<number>,
          i: number,
        ) => ALPHA * Math.max(0, times(w_rec, x, i) + times(w_in, u, i) + (b[i] as number));
        const { data: rec } = named["w_rec.weight"];
        const { data: into } = named["w_in.weight"];
        // Theirs: h ← (1 − α) h + α φ(W h + W_in x) + σ U[0, 1).
        h = units.map(
          (i) =>
            (1 - ALPHA) * (h[i] as number) +
            drive(h, rec as never, into as never, step, new Float32Array(N), i) +
            SIGMA * (uniform[i] as number),
        );
        // Ours: noise around 0, inputs in units of u_scale.
        const u = step.map((x) => x / scale);
        r = units.map(
          (i) =>
            (1 - ALPHA) * (r[i] as number) +
            drive(r, w.W_rec, w.W_in, u, w.b, i) +
            SIGMA * ((uniform[i] as number) - 0.5),
        );
      }
      // float32 of weights of order 1, over 20 steps; without the biases they would be SIGMA / 2α = 0.025 apart.
      for (const i of units) expect(r[i] as number).toBeCloseTo((h[i] as number) - SIGMA / (2 * ALPHA), 4);
      for (let o = 0; o < CELLS; o++) {
        const theirs = times(named["w_out.weight"].data as never, h, o);
        expect(times(w.W_out, r, o) + (w.b_out[o] as number)).toBeCloseTo(theirs, 4);
      }
    },
  );

  test("biases, where it was trained with them, are added", () => {
    const biases = { "w_in.bias": ramp(N), "w_rec.bias": ramp(N), "w_out.bias": ramp(CELLS), "encoder.bias": ramp(N) };
    const of = { units: N, inputs: I, outputs: CELLS, encoderInputs: CELLS };
    const [w] = importNetworks(saved({ ...named, ...biases }), of, { step: 0.5 });
    expect(w?.b).toEqual(Float32Array.of(2, 4, 6, 8, 10));
    expect(w?.b_out).toEqual(ramp(CELLS).data);
    expect(w?.W_in[3]).toBe(0.5 * (named["w_in.weight"].data[3] as number));
  });
});
