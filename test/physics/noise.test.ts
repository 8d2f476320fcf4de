/**
 * The noise that rollouts really receive, read off r_{t+1} − r_t where there is no leak and no drive: its moments, its
 * independence along every axis, and the very numbers that seeds, step, unit and trajectory stand for.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { cellParams, type StepParameters } from "../../src/model/dynamics.ts";
import { STREAM } from "../../src/model/streams.ts";
import { noise } from "../../src/reference/rng.ts";
import { philoxNoise } from "../../src/reference/rollout.ts";
import type { ReplayOutcome } from "../../src/replay/replay.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within, worst } from "../kernel/run-kernel.ts";
import { freeWeights, ofNetwork, quiescent, quiet, replayed } from "../replay/quiescent.ts";
import { model, network, step, training } from "../train/experiments.ts";

gpuHygiene();

const SEEDS = [3, 4];
const T = 128;
const REPEATS = 40;
/** Two units of the last quad are padding. */
const N = 30;
const MODEL = model(N);
const drift = (own: Partial<StepParameters> = {}) => quiet({ leak: 0, gain: 0, ...own });
/** The last one has another standard deviation and, as all have λ = 1, the same noise otherwise. */
const CONDITIONS = [drift(), drift(), drift({ noiseStd: 0.2, noiseScale: 1 })];
/** Errors in standard errors: of some sixty, one beyond 4 has probability 4e-3, and the seeds are fixed. */
const SIGMAS = 4;
// Normals are within 3.2 · 2⁻²¹ (test/kernel/rng.test.ts); a difference of sums of T of them, which stay below 64 ς,
// adds half a unit in the last place of each.
const NORMAL_ERROR = 3.2 * 2 ** -21 + 2 * 2 ** -18;

const COUNT = T * REPEATS * N;

/** ξ of network s under condition c, (T, REPEATS, N): increments of the state over ς. */
function increments(outcome: ReplayOutcome, s: number, c: number): Float64Array {
  const states = ofNetwork(outcome.conditions[c]?.states as Float32Array, SEEDS.length, s);
  const { noise: std } = cellParams(CONDITIONS[c] as StepParameters);
  const slot = REPEATS * N;
  return Float64Array.from(states, (r, i) => (r - (i < slot ? 0 : (states[i - slot] as number))) / std);
}

async function run(pairedNoise: boolean): Promise<Float64Array[][]> {
  const outcome = await replayed(
    await testGpu(),
    quiescent(SEEDS, {
      model: MODEL,
      conditions: SEEDS.map(() => CONDITIONS),
      repeats: REPEATS,
      steps: T,
      pairedNoise,
      startStates: new Float32Array(SEEDS.length * REPEATS * N),
    }),
    SEEDS.map(() => freeWeights(MODEL.shape)),
  );
  return SEEDS.map((_, s) => CONDITIONS.map((__, c) => increments(outcome, s, c)));
}

/** Sample mean of f in units of its standard error under independent standard normals. */
function sigmas(count: number, f: (i: number) => number, mean: number, std: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += f(i);
  return (Math.abs(sum / count - mean) * Math.sqrt(count)) / std;
}

/** Correlation of x and y, and of their squares: Box–Muller pairs share a radius. */
function dependence(x: Float64Array, y: Float64Array): number {
  const products = sigmas(x.length, (i) => (x[i] as number) * (y[i] as number), 0, 1);
  const squares = sigmas(x.length, (i) => ((x[i] as number) ** 2 - 1) * ((y[i] as number) ** 2 - 1), 0, 2);
  return Math.max(products, squares);
}

describe("replay", () => {
  let unpaired: Float64Array[][];
  const xi = (s: number, c: number): Float64Array => unpaired[s]?.[c] as Float64Array;

  beforeAll(async () => {
    unpaired = await run(false);
  });

  test("every increment is the normal of its seeds, step, unit, repeat and condition", () => {
    const key = (s: number) => [MODEL.rootSeed, SEEDS[s] as number] as const;
    // A prime stride visits all axes.
    const stride = 37;
    for (let s = 0; s < SEEDS.length; s++) {
      const { error } = worst(Math.floor(COUNT / stride) * CONDITIONS.length, (k) => {
        const [c, i] = [k % CONDITIONS.length, Math.floor(k / CONDITIONS.length) * stride];
        const [t, b, unit] = [Math.floor(i / (REPEATS * N)), Math.floor(i / N) % REPEATS, i % N];
        return Math.abs((xi(s, c)[i] as number) - noise(t, unit, b, STREAM.replayNoise, c, key(s)));
      });
      within(`network ${s}: increments`, error, NORMAL_ERROR);
    }
  });

  test("moments", () => {
    for (let s = 0; s < SEEDS.length; s++) {
      const x = xi(s, 0);
      const power = (n: number, mean: number, std: number) => sigmas(COUNT, (i) => (x[i] as number) ** n, mean, std);
      const moments = [
        power(1, 0, 1),
        power(2, 1, Math.sqrt(2)),
        power(3, 0, Math.sqrt(15)),
        power(4, 3, Math.sqrt(96)),
      ];
      within(`network ${s}: mean, variance, skewness, kurtosis`, Math.max(...moments), SIGMAS);
      const beyond = x.filter((v) => Math.abs(v) > 3).length / COUNT;
      within(`network ${s}: share beyond 3`, Math.abs(beyond - 0.0026998) / Math.sqrt(0.0026998 / COUNT), SIGMAS);
    }
  });

  test("no correlation over steps, units and repeats", () => {
    const lags: Record<string, number> = {
      "one step": REPEATS * N,
      "two steps": 2 * REPEATS * N,
      "sixty-four steps": 64 * REPEATS * N,
      "neighbouring units": 1,
      "units two apart": 2,
      "units four apart": 4,
      "neighbouring repeats": N,
      "step and repeat": (REPEATS - 1) * N,
    };
    const x = xi(0, 0);
    for (const [name, lag] of Object.entries(lags))
      within(name, dependence(x.subarray(lag), x.subarray(0, COUNT - lag)), SIGMAS);
  });

  test("none between networks, nor between unpaired conditions", () => {
    within("networks", dependence(xi(0, 0), xi(1, 0)), SIGMAS);
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      within(`conditions ${a} and ${b}`, dependence(xi(0, a), xi(0, b)), SIGMAS);
    }
    within("condition of another network", dependence(xi(0, 1), xi(1, 0)), SIGMAS);
  });

  test("paired, conditions receive the same numbers, networks do not", async () => {
    const paired = await run(true);
    const of = (s: number, c: number): Float64Array => paired[s]?.[c] as Float64Array;
    const same = (a: Float64Array, b: Float64Array) =>
      expect(worst(COUNT, (i) => Number(a[i] !== b[i]))).toEqual({ error: 0, at: 0 });
    same(of(0, 1), of(0, 0));
    // Scaled by another ς, hence rounded elsewhere.
    within(
      "other ς",
      worst(COUNT, (i) => Math.abs((of(0, 2)[i] as number) - (of(0, 0)[i] as number))).error,
      NORMAL_ERROR,
    );
    same(of(0, 0), xi(0, 0));
    within("networks", dependence(of(0, 0), of(1, 0)), SIGMAS);
  });
});

test("training: each iteration draws its own, by network seed and trajectory, whatever the friction", async () => {
  const gpu = await testGpu();
  const [units, steps, batch] = [13, 10, 5];
  // Gain and leak 0 leave the noise; λ = 0.5 halves the velocity, so that increments are v' and ςξ = v' − v/2.
  const own = [step({ leak: 0, gain: 0, noiseStd: 0.3 }), step({ leak: 0, gain: 0, noiseStd: 0.1, friction: 0.5 })];
  const networks = own.map((p, s) => network(30 + s, { step: p }));
  const trainer = await Trainer.create(gpu, training(networks, { model: model(units), steps, batch, iterations: 3 }));
  const padded = 16;
  const rows = 32;
  for (let iteration = 0; iteration < 3; iteration++) {
    await trainer.run({ until: iteration + 1 });
    const states = await gpu.readF32(trainer.buffers.get("states") as never);
    own.forEach((p, s) => {
      const params = Array.from({ length: batch }, () => cellParams(p));
      const wanted = philoxNoise({
        T: steps,
        B: batch,
        N: units,
        stream: STREAM.awakeNoise,
        epoch: iteration,
        key: [model(units).rootSeed, 30 + s],
        trajectory0: 0,
        params,
      });
      const at = (t: number, b: number, n: number): number =>
        t < 0 ? 0 : (states[(t * 2 * rows + s * rows + b) * padded + n] as number);
      const { error } = worst(wanted.length, (i) => {
        const [t, b, n] = [Math.floor(i / (batch * units)), Math.floor(i / units) % batch, i % units];
        const v = t === 0 ? 0 : at(t, b, n) - at(t - 1, b, n);
        const got = at(t + 1, b, n) - at(t, b, n) - (1 - p.friction) * v;
        return Math.abs(got - (wanted[i] as number)) / p.noiseStd;
      });
      // States are of size 3 here, the standard deviation 0.1 at least: three roundings of 2⁻²² over it.
      within(`iteration ${iteration}, network ${s}`, error, 3.2 * 2 ** -21 + (3 * 2 ** -22) / p.noiseStd);
    });
  }
  trainer.destroy();
});
