/** What momentum and adaptation do on their own, against solutions in closed form (model.md sections 3 and 4). */
import { describe, expect, test } from "vitest";
import { evaluateModel } from "../../src/evaluate/evaluate.ts";
import { cellParams, type StepParameters } from "../../src/model/dynamics.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within, worst } from "../kernel/run-kernel.ts";
import { freeWeights, quiescent, quiet, replayed } from "../replay/quiescent.ts";
import { model, step } from "../train/experiments.ts";

gpuHygiene();

const N = 4;
const MODEL = model(N);
// Some tens of float32 operations, each rounded to 2⁻²⁴ of a number of size 1, or of the state where that is larger.
const ERROR = 3e-6;

/** Rows of different step parameters, driven by the same given noise (T, N) alone. */
async function driven(rows: readonly StepParameters[], noise: Float32Array) {
  const [B, T] = [rows.length, noise.length / N];
  const given = new Float32Array(T * B * N);
  for (let t = 0; t < T; t++)
    for (let b = 0; b < B; b++) given.set(noise.subarray(t * N, (t + 1) * N), (t * B + b) * N);
  const out = await evaluateModel(await testGpu(), {
    shape: MODEL.shape,
    weights: freeWeights(MODEL.shape),
    activation: "relu",
    leakySlope: 0.01,
    step: rows,
    steps: T,
    batch: B,
    e0: new Float32Array(B * 2),
    u: new Float32Array(T * B * 2),
    noise: given,
    kind: "own-row",
  });
  return (name: "r" | "v" | "c", t: number, b: number, n: number): number => out[name][(t * B + b) * N + n] as number;
}

test("friction: a kick decays as (1 − λ)ᵗ and carries the state kick / λ far", async () => {
  const frictions = [1, 0.9, 0.6, 0.5, 0.1];
  const T = 60;
  const kicks = [1, -0.5, 0.25, 0];
  const noise = new Float32Array(T * N);
  noise.set(kicks);
  const at = await driven(
    frictions.map((friction) => step({ leak: 0, gain: 0, friction })),
    noise,
  );
  frictions.forEach((friction, b) => {
    const { error } = worst(T * N, (i) => {
      const [t, n] = [1 + Math.floor(i / N), i % N];
      const kick = kicks[n] as number;
      const v = kick * (1 - friction) ** (t - 1);
      const r = (kick * (1 - (1 - friction) ** t)) / friction;
      return Math.max(Math.abs(at("v", t, b, n) - v), Math.abs(at("r", t, b, n) - r) / Math.max(1, Math.abs(r)));
    });
    within(`friction ${friction}`, error, ERROR);
    expect(at("v", T, b, 3)).toBe(0);
  });
});

test("adaptation: the current is the past rate under an exponential kernel, the present one left out", async () => {
  // With κ = 1 and γ = 0 the rate is the noise of the step before: an impulse, a pulse, a ramp and a wave.
  const T = 80;
  const shapes = [
    (t: number) => Number(t === 5),
    (t: number) => Number(t >= 10 && t < 30),
    (t: number) => t / T,
    Math.sin,
  ];
  const noise = Float32Array.from({ length: T * N }, (_, i) => shapes[i % N]?.(Math.floor(i / N)) as number);
  const rows = [
    [0.05, 200],
    [0.5, 10],
    [1, 1],
    [0, 30],
  ].map(([adaptStrength, adaptTau]) => step({ leak: 1, gain: 0, adaptStrength, adaptTau } as StepParameters));
  const at = await driven(rows, noise);
  rows.forEach(({ adaptStrength, adaptTau }, b) => {
    const { error } = worst(T * N, (i) => {
      const [t, n] = [1 + Math.floor(i / N), i % N];
      let c = 0;
      // r_s is the noise of step s − 1, and c_t sees r up to t − 1.
      for (let s = 1; s < t; s++) {
        c += (adaptStrength / adaptTau) * (1 - 1 / adaptTau) ** (t - 1 - s) * (noise[(s - 1) * N + n] as number);
      }
      return Math.abs(at("c", t, b, n) - c);
    });
    within(`strength ${adaptStrength}, tau ${adaptTau}`, error, ERROR);
    const rates = worst(T * N, (i) => Math.abs(at("r", 1 + Math.floor(i / N), b, i % N) - (noise[i] as number)));
    expect(rates.error).toBeLessThan(ERROR);
  });
});

describe("replay without noise", () => {
  /** r_1 … r_T of unit 0 under each condition, from r_0; one noisy condition keeps the noise in the launch. */
  async function silent(conditions: readonly StepParameters[], r0: number, bias: number, steps: number) {
    const m = MODEL;
    const b = new Float32Array(N).fill(bias);
    const spec = quiescent([1], {
      model: m,
      conditions: [[...conditions.map((c) => ({ ...c, noiseStd: 0 })), quiet()]],
      repeats: 1,
      steps,
      startStates: new Float32Array(N).fill(r0),
    });
    const got = await replayed(await testGpu(), spec, [freeWeights(m.shape, { b })]);
    return got.conditions.map(({ states }) =>
      Float64Array.from({ length: steps }, (_, t) => states?.[t * N] as number),
    );
  }

  test("a spring with momentum swings as its roots say, and stays put without a step beyond what is stable", async () => {
    // r_{t+1} − (2 − λ − k) r_t + (1 − λ) r_{t−1} = 0 with r_0 = 1, v_0 = 0.
    const springs = [
      [0.5, 1],
      [0.1, 0.6],
      [0.5, 0.6],
      [0.5, 0.3],
      [1.5, 0.2],
    ] as const;
    const T = 60;
    const paths = await silent(
      springs.map(([leak, friction]) => quiet({ leak, gain: 0, friction })),
      1,
      0,
      T,
    );
    springs.forEach(([leak, friction], c) => {
      const { leak: k, keep } = cellParams(quiet({ leak, friction }));
      // Roots of z² − (1 + keep − k) z + keep, real or a complex pair.
      const half = (1 + keep - k) / 2;
      const square = half * half - keep;
      const { error } = worst(T, (i) => {
        const t = i + 1;
        // r_1 = 1 − k: the constants of the two roots follow from r_0 and r_1.
        let r: number;
        if (square >= 0) {
          const [z1, z2] = [half + Math.sqrt(square), half - Math.sqrt(square)];
          const first = (1 - k - z2) / (z1 - z2);
          r = first * z1 ** t + (1 - first) * z2 ** t;
        } else {
          const [size, angle] = [Math.sqrt(keep), Math.atan2(Math.sqrt(-square), half)];
          r = size ** t * (Math.cos(angle * t) + ((1 - k - half) / Math.sqrt(-square)) * Math.sin(angle * t));
        }
        return Math.abs((paths[c]?.[i] as number) - r);
      });
      within(`leak ${leak}, friction ${friction}`, error, ERROR);
    });
  });

  test("the stability limit k < 4 − 2 λ", async () => {
    const limit = (friction: number) => 4 - 2 * friction;
    const conditions = [0.3, 0.6, 1].flatMap((friction) =>
      [-0.05, 0.05].map((beyond) => quiet({ leak: limit(friction) + beyond, gain: 0, friction })),
    );
    const paths = await silent(conditions, 1, 0, 300);
    paths.slice(0, conditions.length).forEach((path, c) => {
      const late = Math.max(...path.slice(-10).map(Math.abs));
      if (c % 2 === 0) expect(late, `condition ${c}`).toBeLessThan(0.1);
      else expect(late, `condition ${c}`).toBeGreaterThan(10);
    });
  });

  test("a driven unit first rises, then yields to its adaptation: r* = γ b / (κ + γ b_a)", async () => {
    const bias = 0.8;
    const conditions = [
      quiet({ gain: 1, adaptStrength: 0 }),
      quiet({ gain: 1, adaptStrength: 0.5, adaptTau: 20 }),
      quiet({ gain: 0.7, leak: 0.2, adaptStrength: 0.3, adaptTau: 15, friction: 0.6 }),
      quiet({ gain: 1, adaptStrength: 5, adaptTau: 60 }),
    ];
    const T = 600;
    const paths = await silent(conditions, 0, bias, T);
    conditions.forEach(({ leak, gain, adaptStrength, adaptTau, friction }, c) => {
      const path = paths[c] as Float64Array;
      const rest = (gain * bias) / (leak + gain * adaptStrength);
      within(`strength ${adaptStrength}: fixed point`, Math.abs((path[T - 1] as number) / rest - 1), 1e-5);
      // The linear system (r, v, c) as long as a = b − c stays positive.
      let [r, v, current] = [0, 0, 0];
      const { error } = worst(T, (t) => {
        const next = (1 - friction) * v - leak * r + gain * Math.max(0, bias - current);
        [current, v, r] = [(1 - 1 / adaptTau) * current + (adaptStrength / adaptTau) * r, next, r + next];
        return Math.abs((path[t] as number) - r);
      });
      within(`strength ${adaptStrength}: path`, error, 1e-5);
      if (adaptStrength > 0) expect(Math.max(...path)).toBeGreaterThan(1.2 * rest);
    });
  });
});
