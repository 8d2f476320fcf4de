/** shaders/code/*: rates, norms and decoded positions against their float64 twins, at sizes that need padding. */
import { describe, expect, test } from "vitest";
import { decodePass, normsPasses, ratesPass } from "../../src/code/passes.ts";
import { type CodeSpec, DECODERS, type Population, TUNINGS, type Tuning } from "../../src/code/population.ts";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import { codedPathsReference } from "../../src/reference/coded-paths.ts";
import { decodeReference } from "../../src/reference/decode.ts";
import { ratesReference } from "../../src/reference/place-code.ts";
import { polylinePathsReference } from "../../src/reference/polyline-paths.ts";
import { generatePaths } from "../../src/task/generate.ts";
import { inputScale, tmazeTask } from "../../src/task/paths.ts";
import { normals } from "../bits.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { PLAIN } from "../train/experiments.ts";
import { within, worst } from "./run-kernel.ts";
import { runPasses } from "./run-passes.ts";

gpuHygiene();

const draw = normals(5);

function population(cells: number, tuning: Tuning): Population {
  const at = draw(2 * cells);
  const centres = Array.from({ length: cells }, (_, i) => [at[2 * i] as number, at[2 * i + 1] as number] as const);
  return { centres, width: 0.3, tuning };
}

/** Points among the cells, one on a cell, and one so far away that every Gaussian underflows. */
function points(p: Population, count: number): Float32Array<ArrayBuffer> {
  const out = draw(2 * count);
  out.set(p.centres[0] as readonly [number, number], 0);
  out.set([40, -30], 2);
  return out;
}

describe.each(TUNINGS)("%s", (tuning) => {
  test.each([17, 64, 130])("rates of %i cells", async (cells) => {
    const p = population(cells, tuning);
    const count = 37;
    // A row of the encoder's input is as wide as there are cells; one of the grid's codes is padded.
    const width = cells === 130 ? 132 : cells;
    const positions = points(p, count);
    const out = await runPasses({ positions, norms: 8 * count, rates: 4 * count * width }, [
      ...normsPasses(p, count, { buffer: "positions" }, { buffer: "norms" }),
      ratesPass(p, count, width, {
        positions: { buffer: "positions" },
        norms: { buffer: "norms" },
        rates: { buffer: "rates" },
      }),
    ]);
    const rates = out.f32("rates");
    const exact = Array.from({ length: count }, (_, i) =>
      ratesReference(p, positions[2 * i] as number, positions[2 * i + 1] as number),
    );
    const error = worst(count * width, (i) => {
      const value = exact[Math.floor(i / width)]?.[i % width] ?? 0;
      return Math.abs((rates[i] as number) - value);
    });
    // d² carries a relative error of 3 · 2⁻²⁴, the centre and the width one rounding each: e^{−x} is off by at most
    // x e^{−x} ≤ 0.37 of that. Measured 2.2e-7.
    within(`${tuning}, ${cells} cells`, error.error, 1e-6);
  });
});

describe.each(DECODERS)("%s", (method) => {
  test.each([
    [17, 3],
    [64, 3],
    [130, 1],
    [3, 5],
  ])("positions of %i cells, k = %i", async (cells, k) => {
    const p = population(cells, "gaussian");
    const count = 70;
    const padded = 4 * Math.ceil(cells / 4);
    // Padding is never looked at: here it is the most active.
    const y = draw(count * padded).map((v, i) => (i % padded < cells ? v : 9));
    // Equal activities, none positive, one that is not a number, and some that have run away, or all but.
    y.fill(0.5, 0, cells);
    y.fill(-1, padded, padded + cells);
    y[2 * padded + cells - 1] = Number.NaN;
    y[3 * padded] = Number.POSITIVE_INFINITY;
    y[4 * padded + cells - 1] = -10.001;
    y[5 * padded] = 10.001;
    y[6 * padded] = 10;
    const out = await runPasses({ y, decoded: 16 * count }, [
      decodePass(p, { method, k }, count, { buffer: "y" }, { buffer: "decoded" }),
    ]);
    const decoded = out.f32("decoded");
    const exact = Array.from({ length: count }, (_, i) => decodeReference(p, { method, k }, y.subarray(i * padded)));
    for (const bad of [2, 3, 4, 5]) {
      expect([...decoded.subarray(4 * bad, 4 * bad + 2)]).toEqual([Number.NaN, Number.NaN]);
      expect(exact[bad]).toEqual([Number.NaN, Number.NaN]);
    }
    const sound = worst(4 * count, (i) => {
      const [row, axis] = [Math.floor(i / 4), i % 4];
      if (row >= 2 && row <= 5) return 0;
      return Math.abs((decoded[i] as number) - (axis < 2 ? (exact[row]?.[axis] as number) : 0));
    });
    // A mean of numbers of order 1: as many roundings as it has terms, at most.
    within(`${method}, ${cells} cells`, sound.error, cells * 2 ** -23);
  });
});

test.each(["gaussian", "softmax"] as const)("rates and their masked changes along paths, %s", async (tuning) => {
  const code: CodeSpec = { population: population(17, tuning), decoder: { method: "topK", k: 3 }, deltaInput: true };
  const [task, T, B, maskEvery] = [tmazeTask(), 14, 37, 3];
  const got = await generatePaths(await testGpu(), {
    model: { rootSeed: 4, noiseRounds: 7 },
    networks: [{ seed: 9, maskEvery, step: PLAIN }],
    task,
    code,
    maskRandom: true,
    steps: T,
    batch: B,
    stream: "test",
    iteration: 0,
  });
  const request = { T, B, key: [4, 9], stream: STREAM.testPaths, epoch: TEST_EPOCH, trajectory0: 0 } as const;
  const paths = polylinePathsReference(task, { ...request, maskEvery, maskOffset: "random" });
  const exact = codedPathsReference(paths, code, inputScale(task), { T, B, maskEvery });
  const error = (all: Float32Array | undefined, from: number, wanted: Float64Array) =>
    worst(wanted.length, (i) => Math.abs((all?.[from + i] as number) - (wanted[i] as number))).error;
  // Positions are within 1e-6, and a field of 0.3 m is no steeper than 2 per metre.
  within("rates at the start", error(got.rates, 0, exact.e0), 4e-6);
  within("rates", error(got.rates, exact.e0.length, exact.target), 4e-6);
  within("changes", error(got.codeInput, 0, exact.u), 8e-6 / inputScale(task));
  const hidden = exact.u.reduce((n, u, i) => n + Number((u === 0) !== Object.is(got.codeInput?.[i], 0)), 0);
  expect(hidden, "masked inputs are exactly 0").toBe(0);
});
