/** rnn/affine_tile and rnn/affine_lanes, on given states: every width of the readout, windows, several networks. */
import { describe, expect, test } from "vitest";
import { POISON } from "../../src/gpu/context.ts";
import { chunkRows, readoutPass } from "../../src/kernels/recurrence.ts";
import { modelSpec, type RolloutSpec, slots } from "../../src/kernels/spec.ts";
import { type NetworkTensors, packParameters, roundUp } from "../../src/model/parameters.ts";
import { expectSameBits, normals } from "../bits.ts";
import { gpuHygiene } from "../gpu.ts";
import { someWeights } from "./model.ts";
import { within } from "./run-kernel.ts";
import { runPasses } from "./run-passes.ts";

gpuHygiene();

const T = 5;
/** The second group of a larger batch: two networks of 64 rows behind one that is not in it. */
const CHUNK = { network0: 1, networks: 2, row0: 0, rowsPerNetwork: 64, table: "rows" };
const WINDOW = { t0: 2, steps: 2 };

interface Setting {
  readonly units: number;
  readonly outputs: number;
}

function setting({ units, outputs }: Setting, kind: RolloutSpec["kind"]) {
  const shape = { units, inputs: 1, outputs, encoderInputs: 1 };
  const model = modelSpec({ shape, activation: "relu", slope: 0, rootSeed: 0, noiseRounds: 7 });
  const rollout: RolloutSpec = {
    model,
    kind,
    steps: T,
    noise: "none",
    stream: 0,
    clocked: false,
    extra: false,
    extraHistory: false,
    adjoint: false,
    inputs: 1,
  };
  const draw = normals(units * 100 + outputs);
  const weights: NetworkTensors[] = [someWeights(shape, draw), someWeights(shape, draw), someWeights(shape, draw)];
  const flat = new Float32Array(3 * model.layout.stride);
  weights.forEach((w, s) => {
    flat.set(packParameters(model.layout, w), s * model.layout.stride);
  });
  const rows = chunkRows(CHUNK);
  const n = roundUp(units, 4);
  // Padded units are 0, as the forward pass leaves them.
  const states = draw((T + 1) * rows * n).map((x, at) => (at % n < units ? x : 0));
  return { rollout, weights, flat, rows, n, states };
}

/** y of the window in the scratch, which has room for one step more. */
async function readout(own: Setting, kind: RolloutSpec["kind"]): Promise<Float32Array> {
  const { rollout, flat, rows, states } = setting(own, kind);
  const out = await runPasses({ weights: flat, states, y: 4 * (WINDOW.steps + 1) * slots(rollout, rows).output }, [
    readoutPass(rollout, CHUNK, WINDOW),
  ]);
  return out.f32("y");
}

describe.each([1, 3, 4, 5, 16, 17, 33, 40])("O = %i", (outputs) => {
  test.each([1, 5, 33])("N = %i", async (units) => {
    const own = { units, outputs };
    const { weights, rows, n, states } = setting(own, "step");
    const [tile, lanes] = [await readout(own, "step"), await readout(own, "own-row")];
    expectSameBits("affine_lanes against affine_tile", lanes, tile);
    const o = roundUp(outputs, 4);
    let most = 0;
    for (let s = 0; s < WINDOW.steps; s++) {
      for (let row = 0; row < rows; row++) {
        const { W_out, b_out } = weights[CHUNK.network0 + Math.floor(row / CHUNK.rowsPerNetwork)] as NetworkTensors;
        for (let j = 0; j < o; j++) {
          const got = tile[(s * rows + row) * o + j] as number;
          if (j >= outputs) {
            if (got !== 0) expect.fail(`padded readout ${j} of row ${row} is ${got}`);
            continue;
          }
          let sum = b_out[j] as number;
          // Index t of y is the readout of r_{t+1}.
          const r = ((WINDOW.t0 + s + 1) * rows + row) * n;
          for (let i = 0; i < units; i++) sum += (W_out[j * units + i] as number) * (states[r + i] as number);
          most = Math.max(most, Math.abs(got - sum));
        }
      }
    }
    // At most 34 roundings of sums of order 4: measured 1e-6.
    within(`N = ${units}, O = ${outputs}`, most, 34 * 4 * 2 ** -24);
    const behind = new Uint32Array(tile.buffer).subarray(WINDOW.steps * rows * o);
    expect(behind.length).toBe(rows * o);
    expect(
      behind.every((word) => word === POISON),
      "the scratch behind the window is untouched",
    ).toBe(true);
  });
});
