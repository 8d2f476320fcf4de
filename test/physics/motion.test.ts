/**
 * Generated motion against its stationary laws, over a million steps and more. Each bound is five standard errors of what
 * is measured, worked out where it stands; Euler steps of an Ornstein–Uhlenbeck process have the variance
 * 1 / (1 − dt/2τ) of the continuous one and the memory 1 − dt/τ, exactly.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { STREAM } from "../../src/model/streams.ts";
import { normalHazardReference, normalOfHazardReference } from "../../src/reference/normal-law.ts";
import { type BoxTask, boxTask, PREDECESSOR, type RatInABoxMotion } from "../../src/task/box.ts";
import { headDirectionTask, turnPerStep } from "../../src/task/head-direction.ts";
import { gpuHygiene } from "../gpu.ts";
import { launchPaths } from "../kernel/path-launch.ts";
import { within } from "../kernel/run-kernel.ts";

gpuHygiene();

const ERRORS = 5;

const request = (T: number, B: number) => ({
  T,
  B,
  key: [11, 3] as const,
  stream: STREAM.trainPaths,
  epoch: 0,
  trajectory0: 0,
  maskEvery: 1,
  maskOffset: "fixed" as const,
});

/** Mean and variance of the values of many rows, and the memory from one step to the next. */
interface Moments {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
  readonly memory: number;
}

function momentsOf(rows: readonly Float64Array[]): Moments {
  let [n, sum, squares, pairs, products] = [0, 0, 0, 0, 0];
  for (const row of rows) for (const x of row) [n, sum] = [n + 1, sum + x];
  const mean = sum / n;
  for (const row of rows) {
    row.forEach((x, t) => {
      squares += (x - mean) ** 2;
      if (t === 0) return;
      pairs++;
      products += (x - mean) * ((row[t - 1] as number) - mean);
    });
  }
  return { n, mean, variance: squares / n, memory: products / pairs / (squares / n) };
}

/** Standard error of a variance of values whose memory is ρ a step, of the variance itself (normal values). */
const varianceError = (n: number, rho: number): number => Math.sqrt((2 / n) * ((1 + rho ** 2) / (1 - rho ** 2)));
const memoryError = (n: number, rho: number): number => Math.sqrt((1 - rho ** 2) / n);

describe("RatInABox far from walls", () => {
  const DT = 0.05;
  const motion = boxTask().motion as RatInABoxMotion;
  // Nobody runs 7 m in 25 s at 0.25 m/s and with such turns; positions of 64 m still have 4e-6 m.
  const [SIDE, AWAY] = [64, 7];
  const task: BoxTask = { ...boxTask(), width: SIDE, height: SIDE, dt: DT, substeps: 1 };
  const [T, B] = [500, 4096];
  /** Steps as (speed, heading), of the rows that start where no wall can matter. */
  const speeds: Float64Array[] = [];
  const turns: Float64Array[] = [];

  beforeAll(async () => {
    const { positions } = await launchPaths(task, request(T, B));
    for (let b = 0; b < B; b++) {
      const at = (t: number, axis: number): number => positions[2 * (t * B + b) + axis] as number;
      if ([at(0, 0), at(0, 1)].some((p) => p < AWAY || p > SIDE - AWAY)) continue;
      const velocity = Array.from({ length: T }, (_, t) => [
        (at(t + 1, 0) - at(t, 0)) / DT,
        (at(t + 1, 1) - at(t, 1)) / DT,
      ]) as [number, number][];
      speeds.push(Float64Array.from(velocity, ([x, y]) => Math.hypot(x, y)));
      turns.push(
        Float64Array.from(velocity.slice(1), ([x, y], t) => {
          const [u, v] = velocity[t] as [number, number];
          return Math.atan2(u * y - v * x, u * x + v * y) / DT;
        }),
      );
    }
  });

  test("rotational velocity: its variance and time constant", () => {
    const m = momentsOf(turns);
    expect(m.n).toBeGreaterThan(1e6);
    const rho = 1 - DT / motion.turnTau;
    const sigma = (motion.turnStd * Math.PI) / 180;
    const expected = sigma ** 2 / (1 - DT / (2 * motion.turnTau));
    within("variance, relative", Math.abs(m.variance / expected - 1), ERRORS * varianceError(m.n, rho));
    within("memory of a step", Math.abs(m.memory - rho), ERRORS * memoryError(m.n, rho));
    within("mean, rad/s", Math.abs(m.mean), ERRORS * Math.sqrt((expected / m.n) * ((1 + rho) / (1 - rho))));
    // So much for the time constant itself: τ = dt / (1 − ρ).
    expect(DT / (1 - m.memory)).toBeCloseTo(motion.turnTau, 3);
  });

  test("speed: Rayleigh by way of a normal of the right variance and time constant", () => {
    const rho = 1 - DT / motion.speedTau;
    const variance = 1 / (1 - DT / (2 * motion.speedTau));
    // Of 400 rows: the inverse by bisection is slow.
    const z = momentsOf(
      speeds.slice(0, 400).map((row) => row.map((s) => normalOfHazardReference(s ** 2 / (2 * motion.speed ** 2)))),
    );
    within("variance of z, relative", Math.abs(z.variance / variance - 1), ERRORS * varianceError(z.n, rho));
    within("memory of z", Math.abs(z.memory - rho), ERRORS * memoryError(z.n, rho));
    within("mean of z", Math.abs(z.mean), ERRORS * Math.sqrt((variance / z.n) * ((1 + rho) / (1 - rho))));
    // All rows: v²/2ς² has the mean of E(Z), Z normal with that variance; 1 for the continuous process.
    const energy = momentsOf(speeds.map((row) => row.map((s) => s ** 2 / (2 * motion.speed ** 2))));
    expect(energy.n).toBeGreaterThan(1e6);
    let exact = 0;
    const [step, sd] = [1e-3, Math.sqrt(variance)];
    for (let x = -8; x < 8; x += step) {
      exact += (normalHazardReference(sd * x) * Math.exp((-x * x) / 2) * step) / Math.sqrt(2 * Math.PI);
    }
    const error = Math.sqrt((energy.variance / energy.n) * ((1 + rho) / (1 - rho)));
    within("mean of v²/2ς²", Math.abs(energy.mean - exact), ERRORS * error);
    const scale = motion.speed * Math.sqrt(energy.mean);
    // The published law has the scale ς; steps of 0.05 s widen it by 1 %.
    within("Rayleigh scale against the continuous law, relative", Math.abs(scale / motion.speed - 1), 0.02);
  });
});

/** Share of a trajectory's positions for which something holds: its mean over trajectories, and the standard error of it. */
function shareOf(positions: Float32Array, T: number, B: number, holds: (x: number, y: number) => boolean) {
  const shares = new Float64Array(B);
  for (let t = 0; t <= T; t++) {
    for (let b = 0; b < B; b++) {
      const at = 2 * (t * B + b);
      if (holds(positions[at] as number, positions[at + 1] as number)) shares[b] = (shares[b] as number) + 1 / (T + 1);
    }
  }
  const m = momentsOf([shares]);
  return { mean: m.mean, error: Math.sqrt(m.variance / B) };
}

const nearWall = (x: number, y: number): boolean => Math.min(x, 1 - x, y, 1 - y) < 0.1;

describe("RatInABox in its box", () => {
  const [T, B] = [520, 2048];
  const runs = new Map<number, Float32Array>();
  const run = async (thigmotaxis: number): Promise<Float32Array> => {
    const motion = { ...(boxTask().motion as RatInABoxMotion), thigmotaxis };
    const known = runs.get(thigmotaxis) ?? (await launchPaths({ ...boxTask(), motion }, request(T, B))).positions;
    runs.set(thigmotaxis, known);
    return known;
  };

  test("nobody leaves it, and walls are met", async () => {
    const positions = await run(0.5);
    expect(positions.length / 2).toBeGreaterThan(1e6);
    expect(positions.every((p) => p >= 0 && p <= 1)).toBe(true);
    const margin = positions.reduce((least, p) => Math.min(least, p, 1 - p), 1);
    expect(margin).toBeLessThan(0.002);
  });

  test("thigmotaxis fills the walls and empties the middle; the middle stays uniform", async () => {
    const wall: number[] = [];
    for (const theta of [0, 0.5, 1]) wall.push(shareOf(await run(theta), T, B, nearWall).mean);
    // A uniform animal spends 1 − 0.8² = 0.36 of its time there.
    const [none, half, all] = wall as [number, number, number];
    expect(none).toBeLessThan(0.3);
    expect(half).toBeGreaterThan(0.4);
    expect(all).toBeGreaterThan(0.8);
    const p = await run(0.5);
    const square = (x0: number, y0: number, side: number) => {
      const share = shareOf(p, T, B, (x, y) => x >= x0 && x < x0 + side && y >= y0 && y < y0 + side);
      return { density: share.mean / side ** 2, error: share.error / side ** 2 };
    };
    const whole = square(0.3, 0.3, 0.4);
    for (const [x, y] of [
      [0.3, 0.3],
      [0.5, 0.3],
      [0.3, 0.5],
      [0.5, 0.5],
    ] as const) {
      const quarter = square(x, y, 0.2);
      within(`density from (${x}, ${y})`, Math.abs(quarter.density - whole.density), ERRORS * quarter.error);
    }
    // Walls are felt for a persistence length of 0.7 m, so flat means: to 5 % between the very middle and 0.4 m around it.
    const middle = square(0.4, 0.4, 0.2);
    within("the very middle, relative", Math.abs(middle.density / whole.density - 1), 0.05);
  });
});

/**
 * What RatInABox itself does (commit 191df1f, updates of 0.05 s, default constants but speed_mean = 0.2): mean and standard
 * error over 240,000 updates, 100,000 without thigmotaxis, by scripts/python/ratinabox_statistics.py.
 */
const RAT_IN_A_BOX_ITSELF = {
  0.5: { wall: [0.42053, 0.0036], step: [0.021497, 0.000117], second: [0.19497, 0.001] },
  0: { wall: [0.26636, 0.0044], step: [0.024355, 0.000186], second: [0.21575, 0.0016] },
} as const;

test.each([0.5, 0] as const)(
  "thigmotaxis %f: time at walls, distance in 0.1 s and in 1 s are RatInABox's",
  async (theta) => {
    const [T, B] = [200, 4096];
    const motion = { ...(boxTask().motion as RatInABoxMotion), thigmotaxis: theta };
    const { positions } = await launchPaths({ ...boxTask(), motion }, request(T, B));
    const wall = shareOf(positions, T, B, nearWall);
    const moved = (lag: number) => {
      const perRow = Float64Array.from({ length: B }, (_, b) => {
        let sum = 0;
        for (let t = 0; t + lag <= T; t++) {
          const [from, to] = [2 * (t * B + b), 2 * ((t + lag) * B + b)];
          const [dx, dy] = [0, 1].map((axis) => (positions[to + axis] as number) - (positions[from + axis] as number));
          sum += Math.hypot(dx as number, dy as number);
        }
        return sum / (T - lag + 1);
      });
      const m = momentsOf([perRow]);
      return { mean: m.mean, error: Math.sqrt(m.variance / B) };
    };
    const ours = { wall, step: moved(1), second: moved(10) };
    for (const [name, [mean, standardError]] of Object.entries(RAT_IN_A_BOX_ITSELF[theta])) {
      const own = ours[name as keyof typeof ours];
      const error = Math.hypot(own.error, standardError);
      within(`${name}: ${own.mean.toPrecision(4)}, theirs ${mean}`, Math.abs(own.mean - mean), ERRORS * error);
      // And the errors are small enough to tell a difference of a tenth.
      expect((ERRORS * error) / mean).toBeLessThan(0.1);
    }
  },
);

describe("predecessor", () => {
  const [T, B] = [520, 2048];
  const SIDE = 2.2;
  const task: BoxTask = { ...boxTask(), width: SIDE, height: SIDE, ...PREDECESSOR };
  const { motion, dt } = PREDECESSOR;

  test("independent turns and Rayleigh speeds away from walls; nobody leaves", async () => {
    const { positions } = await launchPaths(task, request(T, B));
    expect(positions.every((p) => p >= 0 && p <= SIDE)).toBe(true);
    const at = (t: number, b: number, axis: number): number => positions[2 * (t * B + b) + axis] as number;
    // A step is 0.1 m at most: whoever is so far from the walls before it takes it freely, and the turn after it.
    const isFree = (t: number, b: number): boolean =>
      [at(t, b, 0), at(t, b, 1)].every((p) => Math.min(p, SIDE - p) > motion.wallDistance + 0.15);
    const turns: number[] = [];
    const energies: number[] = [];
    for (let b = 0; b < B; b++) {
      for (let t = 0; t + 2 <= T; t++) {
        if (!isFree(t, b)) continue;
        const [u, v] = [at(t + 1, b, 0) - at(t, b, 0), at(t + 1, b, 1) - at(t, b, 1)];
        const [x, y] = [at(t + 2, b, 0) - at(t + 1, b, 0), at(t + 2, b, 1) - at(t + 1, b, 1)];
        energies.push((u * u + v * v) / (2 * (motion.speed * dt) ** 2));
        turns.push(Math.atan2(u * y - v * x, u * x + v * y));
      }
    }
    const turn = momentsOf([Float64Array.from(turns)]);
    const energy = momentsOf([Float64Array.from(energies)]);
    expect(turn.n).toBeGreaterThan(5e5);
    const sigma = ((motion.turnStd * Math.PI) / 180) * dt;
    within("variance of turns, relative", Math.abs(turn.variance / sigma ** 2 - 1), ERRORS * varianceError(turn.n, 0));
    within("memory of turns", Math.abs(turn.memory), ERRORS * memoryError(turn.n, 0));
    // v²/2b² of a Rayleigh speed is exponential: mean 1, variance 1.
    within("mean of v²/2b²", Math.abs(energy.mean - 1), ERRORS / Math.sqrt(energy.n));
    within("variance of v²/2b²", Math.abs(energy.variance - 1), ERRORS * Math.sqrt(8 / energy.n));
  });

  test("biased paths stay around their anchor", async () => {
    const anchor = [0.8, 1.4] as const;
    const [steps, rows] = [200, 512];
    const biased = { ...task, burnIn: 100, drift: 0.05, anchor };
    const { positions } = await launchPaths(biased, request(steps, rows));
    for (const axis of [0, 1] as const) {
      const last = Float64Array.from({ length: rows }, (_, b) => positions[2 * (steps * rows + b) + axis] as number);
      const m = momentsOf([last]);
      within(`mean along axis ${axis}`, Math.abs(m.mean - anchor[axis]), ERRORS * Math.sqrt(m.variance / rows));
      // Steps of 0.02 m that keep their direction for about 40 steps, less 5 % of the way a step.
      expect(Math.sqrt(m.variance)).toBeLessThan(0.4);
      expect(Math.sqrt(m.variance)).toBeGreaterThan(0.1);
    }
  });
});

describe("head direction", () => {
  const [T, B] = [512, 2048];

  test("turns, their variance, and how directions are forgotten", async () => {
    const task = headDirectionTask("twoWay");
    const { input, positions } = await launchPaths(task, request(T, B));
    const sigma = turnPerStep(task);
    const m = momentsOf([Float64Array.from(input, (u) => u * sigma * Math.sqrt(2 / Math.PI))]);
    expect(m.n).toBeGreaterThan(1e6);
    within("variance of a turn, relative", Math.abs(m.variance / sigma ** 2 - 1), ERRORS * varianceError(m.n, 0));
    within("mean turn, rad", Math.abs(m.mean), (ERRORS * sigma) / Math.sqrt(m.n));
    // A direction that diffuses: ⟨cos(θ_T − θ_0)⟩ = exp(−T σ²/2).
    for (const t of [1, 20, 60]) {
      const cosines = Float64Array.from({ length: B }, (_, b) => {
        const [x0, y0] = [positions[2 * b] as number, positions[2 * b + 1] as number];
        const at = 2 * (t * B + b);
        return x0 * (positions[at] as number) + y0 * (positions[at + 1] as number);
      });
      const c = momentsOf([cosines]);
      const expected = Math.exp((-t * sigma ** 2) / 2);
      within(`⟨cos⟩ after ${t} steps`, Math.abs(c.mean - expected), ERRORS * Math.sqrt(c.variance / B));
    }
    const starts = momentsOf([Float64Array.from(positions.subarray(0, 2 * B))]);
    within("first directions, mean", Math.abs(starts.mean), ERRORS / Math.sqrt(4 * B));
  });

  test("one way: only counter-clockwise, half-normal turns", async () => {
    const task = headDirectionTask("oneWay");
    const { input } = await launchPaths(task, request(100, 1024));
    expect(input.every((u) => u >= 0)).toBe(true);
    const m = momentsOf([Float64Array.from(input)]);
    // In units of its own mean.
    within("mean turn", Math.abs(m.mean - 1), ERRORS * Math.sqrt(m.variance / m.n));
    within("variance", Math.abs(m.variance - (Math.PI / 2 - 1)), 0.02);
  });
});
