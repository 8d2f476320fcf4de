/**
 * The adjoint kernels (rnn/step_backward, rnn/adjoint_*, rnn/readout_adjoint_*) where the random cases of plans.test.ts
 * do not go: at the kinks, and with the readout's share by itself. And that the comparison with float64 can fail.
 */
import { describe, expect, test } from "vitest";
import { type EvaluateOutput, evaluateModel } from "../../src/evaluate/evaluate.ts";
import { POISON } from "../../src/gpu/context.ts";
import { PLAN_KINDS, type PlanKind } from "../../src/gpu/plan.ts";
import { chunkRows, readoutAdjointPass } from "../../src/kernels/recurrence.ts";
import { modelSpec, type RolloutSpec, slots } from "../../src/kernels/spec.ts";
import { type NetworkTensors, packParameters, roundUp } from "../../src/model/parameters.ts";
import { exampleOf, type GradcheckCase, gradcheckCase } from "../../src/reference/gradcheck-cases.ts";
import { compareWithReference } from "../../src/run/gradcheck.ts";
import { expectSameBits, normals } from "../bits.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { MODIFIED, someNetwork, someWeights } from "./model.ts";
import { within } from "./run-kernel.ts";
import { runPasses } from "./run-passes.ts";

gpuHygiene();

const SHAPE = { units: 31, inputs: 3, outputs: 5, encoderInputs: 2 };
const [T, B] = [6, 5];

function inputOf(activation: "relu" | "leakyRelu", change: (weights: NetworkTensors) => void): GradcheckCase {
  const own = someNetwork(SHAPE, { T, B, seed: 8 });
  change(own.weights);
  return exampleOf(0, [activation], {
    shape: SHAPE,
    weights: own.weights,
    activation,
    leakySlope: 0.2,
    step: MODIFIED,
    steps: T,
    batch: B,
    e0: own.e0,
    u: own.u,
    noise: own.noise,
    target: own.target,
    l2Activity: 0,
  });
}

const evaluate = async (example: GradcheckCase, kind: PlanKind): Promise<EvaluateOutput> =>
  evaluateModel(await testGpu(), { ...example.input, kind });

const failures = (example: GradcheckCase, out: EvaluateOutput): string[] => [
  ...new Set(
    compareWithReference(example, out)
      .findings.filter((f) => !(f.share <= 1))
      .map((f) => f.tensor),
  ),
];

describe.each(PLAN_KINDS)("at the kink, %s", (kind) => {
  test.each(["relu", "leakyRelu"] as const)("%s′(0) is the negative side's", async (activation) => {
    const nothing = inputOf(activation, (w) => {
      for (const name of ["W_rec", "W_in", "b"] as const) w[name].fill(0);
    });
    // Adaptation would move a away from 0.
    const still = exampleOf(0, [activation], { ...nothing.input, step: { ...MODIFIED, adaptStrength: 0 } });
    expect(still.rollout.a.every((a) => a === 0)).toBe(true);
    const out = await evaluate(still, kind);
    expect(out.positive?.every((bit) => bit === 0)).toBe(true);
    expect(failures(still, out)).toEqual([]);
    const silent = out.grads?.b.every((g) => g === 0);
    expect(silent, "no gradient passes a silent ReLU, some a leaky one").toBe(activation === "relu");
  });

  test("a unit within rounding of its kink may lie on the other side, and the gradients still agree", async () => {
    // b cancels what else arrives at row 0 in step 0: a_0 of this row is what float32 rounds away.
    let example = inputOf("relu", () => {});
    for (let pass = 0; pass < 2; pass++) {
      const { a } = example.rollout;
      example = inputOf("relu", (w) => {
        w.b.set(example.input.weights.b.map((b, i) => b - (a[i] as number)));
      });
    }
    const near = Math.max(...Array.from(example.rollout.a.subarray(0, SHAPE.units), Math.abs));
    expect(near).toBeLessThan(1e-7);
    const out = await evaluate(example, kind);
    const { differences, of } = compareWithReference(example, out);
    process.stderr.write(`${kind}: ${differences} of ${of} units on the other side of their kink\n`);
    expect(differences).toBeGreaterThan(0);
    expect(failures(example, out)).toEqual([]);
    // Without the GPU's own mask, one such unit is far beyond the tolerance: this is why the rule exists.
    expect(failures(example, { ...out, positive: null }).length).toBeGreaterThan(0);
  });
});

describe("the comparison with float64 can fail", () => {
  const example = gradcheckCase(1, 4);
  const outcome = evaluate(example, "step");

  test("it is content with what the GPU gave", async () => {
    expect(example.reference.activation).toBe("relu");
    expect(failures(example, await outcome)).toEqual([]);
  });

  test("a mask that differs far from the kink", async () => {
    const out = await outcome;
    const largest = example.rollout.a.reduce((at, x, i, a) => (Math.abs(x) > Math.abs(a[at] ?? 0) ? i : at), 0);
    const positive = (out.positive ?? expect.fail()).map((bit, i) => (i === largest ? 1 - bit : bit));
    expect(failures(example, { ...out, positive })).toContain("phi");
  });

  test("one state, one readout, the loss, or one element of a gradient beyond its tolerance, or NaN", async () => {
    const out = await outcome;
    for (const name of ["r", "v", "c", "y"] as const) {
      for (const wrong of [2e-5 * 40, Number.NaN]) {
        const changed = out[name].slice();
        changed[changed.length - 1] = (changed[changed.length - 1] as number) + wrong;
        expect(failures(example, { ...out, [name]: changed }), `${name} + ${wrong}`).toEqual([name]);
      }
    }
    for (const loss of [(out.loss ?? 0) * 1.01, Number.NaN, null]) {
      expect(failures(example, { ...out, loss }), `loss ${loss}`).toEqual(["loss"]);
    }
    const grads = out.grads ?? expect.fail();
    for (const name of ["W_rec", "W_in", "b", "W_out", "b_out", "W_enc", "b_enc"] as const) {
      for (const factor of [1 + 1e-3, Number.NaN]) {
        const largest = grads[name].reduce((at, x, i, g) => (Math.abs(x) > Math.abs(g[at] ?? 0) ? i : at), 0);
        const changed = grads[name].map((g, i) => (i === largest ? g * factor : g));
        expect(failures(example, { ...out, grads: { ...grads, [name]: changed } })).toEqual([`d${name}`]);
      }
    }
    expect(failures(example, { ...out, grads: null })).toHaveLength(7);
  });
});

describe.each([
  [5, 2],
  [33, 17],
  [8, 40],
])("the readout's share, N = %i, O = %i", (units, outputs) => {
  // Two networks of 32 rows, not the first of all; a window of two of four steps.
  const chunk = { network0: 1, networks: 2, row0: 0, rowsPerNetwork: 32, table: "rows" };
  const window = { t0: 1, steps: 2 };
  const steps = 4;
  const shape = { units, inputs: 1, outputs, encoderInputs: 1 };
  const model = modelSpec({ shape, activation: "relu", slope: 0, rootSeed: 0, noiseRounds: 7 });
  const rollout = (kind: PlanKind): RolloutSpec => ({
    model,
    kind,
    steps,
    noise: "none",
    stream: 0,
    clocked: false,
    extra: false,
    extraHistory: false,
    adjoint: true,
    inputs: 1,
  });
  const rows = chunkRows(chunk);
  const [n, o] = [roundUp(units, 4), roundUp(outputs, 4)];
  const draw = normals(units + outputs);
  const weights = [0, 1, 2].map(() => someWeights(shape, draw));
  const flat = new Float32Array(3 * model.layout.stride);
  weights.forEach((w, s) => {
    flat.set(packParameters(model.layout, w), s * model.layout.stride);
  });
  const states = draw((steps + 1) * rows * n).map((x, at) => (at % n < units ? x : 0));
  const d = draw(window.steps * rows * o).map((x, at) => (at % o < outputs ? x : 0));

  test.each([0, 0.3])("W_outᵀ d + λ r, λ = %d", async (lambda) => {
    const du = async (kind: PlanKind) => {
      const r = rollout(kind);
      const passes = [readoutAdjointPass(r, chunk, window, lambda)];
      const out = await runPasses({ weights: flat, states, y: d, du: 4 * steps * slots(r, rows).state }, passes);
      return out.f32("du");
    };
    const tile = await du("step");
    expectSameBits("lanes against tile", await du("own-row"), tile);
    const words = new Uint32Array(tile.buffer);
    let most = 0;
    for (let t = 0; t < steps; t++) {
      const s = t - window.t0;
      for (let row = 0; row < rows; row++) {
        const { W_out } = weights[chunk.network0 + Math.floor(row / chunk.rowsPerNetwork)] as NetworkTensors;
        for (let i = 0; i < n; i++) {
          const at = (t * rows + row) * n + i;
          if (s < 0 || s >= window.steps) {
            if (words[at] !== POISON) expect.fail(`step ${t} is not of the window, but was written`);
            continue;
          }
          let sum = lambda * (states[((t + 1) * rows + row) * n + i] as number);
          for (let j = 0; j < outputs && i < units; j++) {
            sum += (W_out[j * units + i] as number) * (d[(s * rows + row) * o + j] as number);
          }
          most = Math.max(most, Math.abs((tile[at] as number) - sum));
        }
      }
    }
    // At most 41 roundings of sums of order 8.
    within(`λ = ${lambda}`, most, 41 * 8 * 2 ** -24);
  });
});
