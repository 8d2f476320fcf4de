import { describe, expect, it } from "vitest";
import { calibrate, calibrated, fitScale, spedUp, withErrors } from "../../src/paper/compression/calibrate.ts";
import { compressionClaims } from "../../src/paper/compression/judge.ts";
import type { CompressionPoint, CompressionTask } from "../../src/paper/compression/measure.ts";
import { components, projected, rowsOf } from "../../src/paper/compression/paths.ts";
import { awakeLibrary, logScales, type Paths, piecesOf, timeScale } from "../../src/paper/compression/time-scale.ts";
import { loadProtocol } from "../../src/paper/protocol.ts";

/** Standard normals that are the same everywhere. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

const STEPS = 60;

/** Walks along (0, −1) → (0, 1) → (±1, 1), each at its own speed; they stand at the end, and count until they are near it. */
function maze(rows: number, seed: number): Paths {
  const next = normals(seed);
  const values = new Float64Array(rows * STEPS * 2);
  const until: number[] = [];
  for (let r = 0; r < rows; r++) {
    const speed = 0.075 * (1 + 0.15 * Math.max(-2, Math.min(2, next())));
    for (let t = 0; t < STEPS; t++) {
      const q = Math.min(3, speed * t);
      if (q < 2.7) until[r] = t + 1;
      values[(r * STEPS + t) * 2] = (r % 2 === 0 ? 1 : -1) * Math.max(0, q - 2);
      values[(r * STEPS + t) * 2 + 1] = Math.min(1, q - 1);
    }
  }
  return { values, rows, steps: STEPS, dimensions: 2, until };
}

/** Smooth wandering: the direction turns, the speed comes and goes. */
function wander(rows: number, seed: number): Paths {
  const next = normals(seed);
  const values = new Float64Array(rows * STEPS * 2);
  for (let r = 0; r < rows; r++) {
    let [x, y, angle, log] = [0, 0, 3 * next(), 0.3 * next()];
    for (let t = 0; t < STEPS; t++) {
      values.set([x, y], (r * STEPS + t) * 2);
      angle += 0.25 * next();
      log = 0.95 * log + 0.1 * next();
      x += 0.05 * Math.exp(log) * Math.cos(angle);
      y += 0.05 * Math.exp(log) * Math.sin(angle);
    }
  }
  return { values, rows, steps: STEPS, dimensions: 2 };
}

function noisy(p: Paths, std: number, seed: number): Paths {
  const next = normals(seed);
  return { ...p, values: Float64Array.from(p.values, (x) => x + std * next()) };
}

const spec = { pieces: 64, standing: 0.125 };
const scales = logScales([0.1, 6, 29]);

/** Relative errors of factors recovered from paths of one kind, seen through decoders that err by `error`. */
function recovered(paths: (rows: number, seed: number) => Paths, error: number, factors: readonly number[]): number[] {
  const library = awakeLibrary(noisy(paths(24, 1), error, 2), 10, scales);
  const none = { ...paths(24, 3), values: new Float64Array(24 * STEPS * 2) };
  const calibration = calibrate(paths(24, 4), noisy(none, error, 5), library, spec, [0.5, 1, 2, 4]);
  return factors.map((factor, i) => {
    // Replays err more than awake readouts: √2 of the noise.
    const replay = noisy(spedUp(paths(32, 10 + i), factor), Math.SQRT2 * error, 20 + i);
    return calibrated(fitScale(replay, library, spec).scale, calibration) / factor - 1;
  });
}

describe("time scale of replays", () => {
  it("a known factor comes back on a maze within a few per cent, at most an eighth", () => {
    // Paths' own speeds differ by 15 %: 3 % of sampling error, as much again of the calibration; and replays err more than
    // what they are calibrated with, which slow ones feel.
    const errors = recovered(maze, 0.03, [0.5, 0.7, 1, 1.5, 2, 3, 4]);
    for (const e of errors) expect(Math.abs(e)).toBeLessThan(0.125);
    expect(errors.reduce((sum, e) => sum + Math.abs(e), 0) / errors.length).toBeLessThan(0.07);
  });

  it("and on free wandering, where speeds differ by a third, within a fifth", () => {
    const errors = recovered(wander, 0.01, [0.7, 1, 1.5, 2, 3, 4]);
    for (const e of errors) expect(Math.abs(e)).toBeLessThan(0.2);
  });

  it("replays that stand say nothing, and standing at the end of a maze does not slow the travel before it", () => {
    const library = awakeLibrary(maze(24, 1), 10, scales);
    const still = { ...wander(8, 2), values: new Float64Array(8 * STEPS * 2) };
    const none = fitScale(noisy(still, 0.02, 3), library, spec);
    expect(none.moving).toBeLessThan(0.05);
    expect(fitScale(still, library, spec)).toMatchObject({ moving: 0, scale: Number.NaN });
    const replay = noisy(maze(24, 4), 0.02, 5);
    const travelled = fitScale(replay, library, spec);
    expect(travelled.moving).toBeGreaterThan(0.95);
    expect(travelled.scale).toBeGreaterThan(0.85);
    expect(piecesOf({ ...replay, until: [9, 12] }, 10, 1).filter((p) => p.row < 2)).toEqual([
      { row: 1, from: 0 },
      { row: 1, from: 1 },
    ]);
  });

  it("a piece of an awake path lies on it at scale 1, wherever it was shifted", () => {
    const awake = wander(16, 7);
    const library = awakeLibrary(awake, 10, logScales([0.5, 2, 9]));
    const shifted = { ...awake, values: awake.values.map((x) => x + 5) };
    const found = timeScale(shifted, [{ row: 3, from: 8 }], library);
    expect(found.distance).toBeLessThan(1e-9);
    expect(found.scale).toBeCloseTo(1, 1);
  });

  it("sped up twice is every other step; errors keep their own order", () => {
    const p = maze(2, 1);
    const fast = spedUp(p, 2);
    expect(fast.steps).toBe(30);
    expect(fast.values[2 * (fast.steps + 7) + 1]).toBe(p.values[2 * (STEPS + 14) + 1]);
    expect(fast.until).toEqual(Array.from(p.until ?? [], (end) => Math.ceil(end / 2)));
    const slow = spedUp(p, 0.5);
    expect(slow.values[2 * 3 + 1]).toBeCloseTo(((p.values[3] as number) + (p.values[5] as number)) / 2, 12);
    const error = { ...p, values: p.values.map((_, i) => i) };
    const both = withErrors({ ...fast, values: new Float64Array(fast.values.length) }, error);
    expect([...both.values.slice(0, 6)]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(both.values[2 * fast.steps]).toBe(2 * STEPS);
  });

  it("components keep the distances of activity that lies in a plane", () => {
    const plane = wander(4, 9);
    const spread = { ...plane, dimensions: 5, values: new Float64Array(4 * STEPS * 5) };
    const [a, b] = [
      [0.5, 0.5, 0.5, 0.5, 0],
      [0.5, -0.5, 0.5, -0.5, 0],
    ] as const;
    for (let i = 0; i < 4 * STEPS; i++)
      for (let d = 0; d < 5; d++)
        spread.values[i * 5 + d] =
          (plane.values[2 * i] as number) * (a[d] as number) + (plane.values[2 * i + 1] as number) * (b[d] as number);
    const flat = projected(spread, components(spread, 2));
    const between = (p: Paths, i: number, j: number): number =>
      Math.hypot(
        ...Array.from(
          { length: p.dimensions },
          (_, d) => (p.values[i * p.dimensions + d] as number) - (p.values[j * p.dimensions + d] as number),
        ),
      );
    for (const [i, j] of [
      [0, 50],
      [3, 200],
      [100, 239],
    ] as const)
      expect(between(flat, i, j)).toBeCloseTo(between(plane, i, j), 9);
  });

  it("rows of a network come out of (network, time, row, dimension)", () => {
    const tensor = Float32Array.from({ length: 2 * 3 * 4 * 2 }, (_, i) => i);
    const p = rowsOf(tensor, { network: 1, steps: 3, rows: 4, dimensions: 2 }, 2, 4, 1);
    expect(p).toMatchObject({ rows: 2, steps: 2, dimensions: 2 });
    expect([...p.values]).toEqual([36, 37, 44, 45, 38, 39, 46, 47]);
  });
});

describe("verdict on compression", () => {
  const { protocol } = loadProtocol(false);
  const point = (friction: number, factor: number, offPath: number): CompressionPoint => ({
    friction,
    adaptStrength: 0,
    ...{ factor, moving: 1, distance: 0.1, offPath, diverged: 0, codeFactor: null },
  });
  /** Eight networks whose factors differ by a few per cent. */
  const task = (factorOf: (friction: number) => number, offPathOf: (friction: number) => number): CompressionTask => ({
    task: "tmaze",
    adaptTau: 200,
    members: Array.from({ length: 8 }, (_, i) => ({
      ...{ index: i, seed: i, leak: 0.5, maskEvery: 5, codeCalibration: null },
      calibration: { factors: [1], found: [1], intercept: 0, slope: 1 },
      points: protocol.replay.friction.map((f) => point(f, factorOf(f) * (1 + 0.01 * (i - 3.5)), offPathOf(f))),
    })),
  });
  const verdictOf = (t: CompressionTask, id: string): string | undefined =>
    compressionClaims([t], protocol).find((c) => c.id === id)?.verdict;

  it("it holds where the lower bound against awake exceeds 1 and the path is kept, and not otherwise", () => {
    const fast = task(
      (f) => 1.2 / f,
      () => 0.06,
    );
    expect(verdictOf(fast, "compression-awake-tmaze")).toBe("holds");
    const astray = task(
      (f) => 1.2 / f,
      (f) => (f === 1 ? 0.06 : 0.08),
    );
    expect(verdictOf(astray, "compression-awake-tmaze")).toBe("fails");
    expect(verdictOf(astray, "compression-plain-tmaze")).toBe("holds");
    const slow = task(
      (f) => 0.29 / f,
      () => 0.06,
    );
    expect(verdictOf(slow, "compression-awake-tmaze")).toBe("fails");
    expect(verdictOf(slow, "compression-plain-tmaze")).toBe("holds");
  });

  it("one or no network at a place is no evidence", () => {
    const t = task(
      () => Number.NaN,
      () => 0.06,
    );
    expect(verdictOf(t, "compression-awake-tmaze")).toBe("undecided");
  });

  it("a λ at which most networks diverge is a place where it does not hold", () => {
    const t = task(
      (f) => 1.2 / f,
      () => 0.06,
    );
    const lost = (p: CompressionPoint) => p.friction < 0.6;
    const members = t.members.map((m, i) => ({
      ...m,
      points: m.points.map((p) => (lost(p) && i < 6 ? { ...p, factor: Number.NaN, diverged: 1 } : p)),
    }));
    const found = compressionClaims([{ ...t, members }], protocol)[0];
    expect(found?.cells.map((c) => c.holds)).toEqual([true, true, false, false, false]);
    expect(found?.why).toContain("in 3 of 5 places half of the networks or more diverged");
  });
});
