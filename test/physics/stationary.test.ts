/**
 * What theory says of a unit on its own, r' = r + v', v' = (1 − λ) v − k r + ςξ (model.md section 4): without momentum
 * an AR(1) process, with it an AR(2) one, r'' = (2 − λ − k) r' − (1 − λ) r + ςξ.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { StepParameters } from "../../src/model/dynamics.ts";
import type { ReplaySpec } from "../../src/replay/replay.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { within, worst } from "../kernel/run-kernel.ts";
import { freeWeights, quiescent, quiet, replayed } from "../replay/quiescent.ts";
import { model } from "../train/experiments.ts";

gpuHygiene();

/** Leak κ = k and friction λ, and whether the noise is scaled by √λ. */
type Process = readonly [leak: number, friction: number, noiseFriction: boolean];

const N = 64;
const REPEATS = 48;
/** Errors in standard deviations of the estimate; over some hundred comparisons one beyond 4.5 has probability 1e-3. */
const SIGMAS = 4.5;

const free = ([leak, friction, noiseFriction]: Process): StepParameters =>
  quiet({ leak, gain: 0, friction, noiseFriction });

/** States (time, sample) of each process from r_0 = 0: units and repeats are samples of the same process. */
async function simulate(processes: readonly Process[], steps: number): Promise<Float32Array[]> {
  const m = model(N);
  const spec: ReplaySpec = quiescent([7], {
    model: m,
    conditions: [processes.map(free)],
    repeats: REPEATS,
    steps,
    pairedNoise: false,
    startStates: new Float32Array(REPEATS * N),
  });
  const got = await replayed(await testGpu(), spec, [freeWeights(m.shape)]);
  return got.conditions.map((c) => c.states as Float32Array);
}

/** ς of the process. */
const kick = (process: Process): number => {
  const p = free(process);
  return p.noiseStd * p.noiseScale * (p.noiseFriction ? Math.sqrt(p.friction) : 1);
};

const variance = (process: Process): number => {
  const [k, friction] = process;
  return (kick(process) ** 2 * (2 - friction)) / (friction * k * (4 - 2 * friction - k));
};

/** Autocorrelation at lags 0, 1, … of the AR(2) process. */
function autocorrelations([k, friction]: Process, lags: number): number[] {
  const rho = [1, 1 - k / (2 - friction)];
  while (rho.length <= lags) {
    rho.push((2 - friction - k) * (rho.at(-1) as number) - (1 - friction) * (rho.at(-2) as number));
  }
  return rho;
}

const SAMPLES = N * REPEATS;

/** Mean over all samples, of states at time t and `lag` steps before. */
function product(states: Float32Array, t: number, lag: number): number {
  let sum = 0;
  for (let i = 0; i < SAMPLES; i++) {
    sum += (states[(t - 1) * SAMPLES + i] as number) * (states[(t - 1 - lag) * SAMPLES + i] as number);
  }
  return sum / SAMPLES;
}

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const PROCESSES: readonly Process[] = [
  [0.2, 1, true],
  [0.5, 1, true],
  [1, 1, true],
  [1.5, 1, true],
  [0.2, 0.6, true],
  [0.5, 0.6, false],
  [0.5, 0.3, true],
  [1.2, 0.5, true],
];

describe("harmonic processes", () => {
  const STEPS = 400;
  // Every process forgets by 0.84 a step or faster: 40 steps apart, samples are independent to 1e-3.
  const TIMES = [80, 120, 160, 200, 240, 280, 320, 360, 400];
  const COUNT = SAMPLES * TIMES.length;
  let runs: Float32Array[];

  beforeAll(async () => {
    runs = await simulate(PROCESSES, STEPS);
  });

  test.each(PROCESSES.map((p, i) => [...p, i] as const))("leak %d, friction %d", (leak, friction, noiseFriction, i) => {
    const process: Process = [leak, friction, noiseFriction];
    const states = runs[i] as Float32Array;
    const found = average(TIMES.map((t) => product(states, t, 0)));
    const name = `leak ${leak}, friction ${friction}`;
    // A variance estimated from n normals has the relative standard deviation √(2/n).
    within(`${name}: variance`, Math.abs(found / variance(process) - 1) / Math.sqrt(2 / COUNT), SIGMAS);
    const rhos = autocorrelations(process, 6);
    const lags = worst(rhos.length, (lag) => {
      const got = average(TIMES.map((t) => product(states, t, lag))) / found;
      const rho = rhos[lag] as number;
      return lag === 0 ? 0 : (Math.abs(got - rho) * Math.sqrt(COUNT)) / (1 - rho ** 2);
    });
    within(`${name}: autocorrelation, worst at lag ${lags.at}`, lags.error, SIGMAS);
    let mean = 0;
    for (const t of TIMES) for (let n = 0; n < SAMPLES; n++) mean += (states[(t - 1) * SAMPLES + n] as number) / COUNT;
    within(`${name}: mean`, Math.abs(mean) / Math.sqrt(variance(process) / COUNT), SIGMAS);
  });

  test("the transient is that of a process that starts at 0", () => {
    // AR(1): Var r_t = ς² (1 − q²ᵗ) / (1 − q²), q = 1 − κ.
    PROCESSES.slice(0, 4).forEach((process, i) => {
      const q = 1 - process[0];
      const { error } = worst(6, (t) => {
        const wanted = (kick(process) ** 2 * (1 - q ** (2 * t))) / (1 - q ** 2);
        return t === 0 ? 0 : Math.abs(product(runs[i] as Float32Array, t, 0) / wanted - 1) / Math.sqrt(2 / SAMPLES);
      });
      within(`leak ${process[0]}: first steps`, error, SIGMAS);
    });
  });

  test("units do not know of one another", () => {
    // With gain 0 nothing couples them; neighbours in a quad share one Philox draw.
    const states = runs[4] as Float32Array;
    for (const apart of [1, 2, 3, 4, 32]) {
      let sum = 0;
      for (const t of TIMES) {
        for (let b = 0; b < REPEATS; b++) {
          const row = (t - 1) * SAMPLES + b * N;
          for (let n = 0; n < N; n++) {
            sum += (states[row + n] as number) * (states[row + ((n + apart) % N)] as number);
          }
        }
      }
      const correlation = sum / COUNT / variance(PROCESSES[4] as Process);
      within(`units ${apart} apart`, Math.abs(correlation) * Math.sqrt(COUNT), SIGMAS);
    }
  });
});

test("fluctuation and dissipation: with √λ on the noise, friction leaves the spread alone; without it, heat grows as 1/λ", async () => {
  // A weak spring, for the law holds to first order in k; it forgets by 0.95 to 0.975 a step.
  const k = 0.05;
  const [plain, scaled, hot] = (await simulate(
    [
      [k, 1, true],
      [k, 0.5, true],
      [k, 0.5, false],
    ],
    420,
  )) as [Float32Array, Float32Array, Float32Array];
  const times = [220, 320, 420];
  const spread = (states: Float32Array): number => average(times.map((t) => product(states, t, 0)));
  const sigma = 2 / Math.sqrt(SAMPLES * times.length);
  within("with √λ, ratio to overdamped", Math.abs(spread(scaled) / spread(plain) - 1), SIGMAS * sigma + k / 4);
  within("without, over 1/λ", Math.abs((spread(hot) / spread(plain)) * 0.5 - 1), SIGMAS * sigma + k / 4);
  expect(spread(hot)).toBeGreaterThan(1.8 * spread(scaled));
});
