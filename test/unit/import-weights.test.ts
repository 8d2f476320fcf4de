/** Weights of other programs: known names, maps, transposes, missing biases, stacks; what does not fit is refused by name. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCheckpoint } from "../../src/io/checkpoint.ts";
import { importNetworks, parseMap, readWeights } from "../../src/io/import-weights.ts";
import { type ArrayToWrite, writeNpz } from "../../src/io/npz.ts";
import { writeSafetensors } from "../../src/io/safetensors.ts";
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
  const [network, ...others] = importNetworks(readWeights(path), shape, undefined, (line) => notes.push(line));
  expect(others).toEqual([]);
  expect(network?.b).toEqual(Float32Array.of(2, 4, 6));
  expect(network?.W_rec).toEqual(ramp(3, 3).data);
  expect(network?.b_out).toEqual(new Float32Array(2));
  expect(notes).toHaveLength(2);
});

test("a map renames and transposes; networks may be stacked", () => {
  const map = parseMap({ W_rec: "w", W_in: { from: "in", transpose: true }, W_out: "out", W_enc: "enc" }, "map.json");
  const file = saved({ w: ramp(2, 3, 3), in: ramp(2, 2, 3), out: ramp(2, 2, 3), enc: ramp(2, 3, 2) });
  const [first, second] = importNetworks(file, shape, map);
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
  writeFileSync(join(folder, "bad.json"), '{"W_recc": "w"}');
  const bad = await reverie(["import", join(folder, "w.npz"), ...flags, "--map", join(folder, "bad.json")]);
  expect([bad.code, bad.stderr]).toEqual([4, expect.stringContaining("W_recc is none of")]);
});
